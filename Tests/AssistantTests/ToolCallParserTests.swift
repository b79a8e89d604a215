import AssistantAPI
import Testing

@testable import Assistant

/// Calls of functions within what a model writes, however it is cut into pieces.
struct ToolCallParserTests {
    private static func read(_ text: String, cut: Int, parallel: Bool = true) -> (
        text: String, calls: [String]
    ) {
        let tools = ["get", "getter", "put"].map { Tool(name: $0, definition: "{}") }
        var parser = ToolCallParser(ToolUse(tools: tools, isParallel: parallel))
        var (said, calls): (String, [String]) = ("", [])
        var rest = Substring(text)
        repeat {
            let piece = rest.prefix(cut)
            rest = rest.dropFirst(cut)
            let found = parser.append(String(piece), isLast: rest.isEmpty)
            said += found.text
            for call in found.calls {
                if let name = call.name { calls.append(name + " ") }
                #expect(call.index == calls.count - 1)
                calls[call.index] += call.arguments
            }
        } while !rest.isEmpty
        return (said, calls)
    }

    @Test(arguments: [
        (#"{"name": "get", "parameters": {"a": 1}}"#, "", [#"get {"a": 1}"#]),
        (#"{"name":"getter","arguments":{"t":"}\"{","l":[{}]}}"#, "", [#"getter {"t":"}\"{","l":[{}]}"#]),
        ("\n {\n \"name\" : \"put\" , \"parameters\" : { } }\n", "", ["put { }"]),
        (
            #"{"name": "get", "parameters": {}}; {"name": "put", "parameters": {"b": 2}}"#, "",
            ["get {}", #"put {"b": 2}"#]
        ),
        ("Hello {", "Hello {", []), ("", "", []), (" \n", " \n", []),
        (#"{"name": "nobody", "parameters": {}}"#, #"{"name": "nobody", "parameters": {}}"#, []),
        (#"{"city": "Paris"}"#, #"{"city": "Paris"}"#, []), (#"{"name": "ge"#, #"{"name": "ge"#, []),
        (#"{"name": "get", "parameters": "x"}"#, #"{"name": "get", "parameters": "x"}"#, []),
        (#"{"name": "get", "parameters": {"a": "b"#, "", [#"get {"a": "b"#]),
        (#"{"name": "get", "parameters": {}} and more"#, "", ["get {}"]),
        (#"<|python_tag|> {"name": "get", "parameters": {}}"#, "", ["get {}"]),
        (
            #"{"name": "get", "parameters": {}}; <|python_tag|>{"name": "put", "parameters": {}}"#, "",
            ["get {}", "put {}"]
        ),
        (#"<|{"name": "get", "parameters": {}}"#, #"<|{"name": "get", "parameters": {}}"#, []),
        ("<|python", "<|python", []),
        (#"<|python_tag|>search.call(query="x")"#, #"<|python_tag|>search.call(query="x")"#, []),
    ])
    func callsAreFoundInAnyPieces(_ answer: String, text: String, calls: [String]) {
        for cut in [1, 2, 3, 7, 1000] {
            let found = Self.read(answer, cut: cut)
            #expect(found.text == text && found.calls == calls, "cut at \(cut): \(found)")
        }
    }

    @Test func oneCallIsAllThatIsAskedFor() {
        let two = #"{"name": "get", "parameters": {}}; {"name": "put", "parameters": {}}"#
        #expect(Self.read(two, cut: 4, parallel: false).calls == ["get {}"])
    }
}
