import Assistant
import AssistantAPI
import HTTPTypes
import Testing

@testable import Server

/// The items of responses as the model reads them.
struct ResponseMessagesTests {
    private static func messages(_ input: String, instructions: String? = nil) async throws -> [ChatMessage] {
        let call = try ResponseCallTests.call(#"{"input":\#(input)}"#)
        var messages = ResponseMessages(instructions: instructions) { $0 == "01fox" ? "a fox" : nil }
        try await messages.add(call.input, path: "input")
        return messages.messages
    }

    @Test func aStringIsAUsersMessage() async throws {
        let messages = try await Self.messages(#""Hi""#, instructions: "Be brief.")
        #expect(
            messages == [
                ChatMessage(role: .system, content: "Be brief."), ChatMessage(role: .user, content: "Hi"),
            ])
    }

    @Test func rolesAndPartsBecomeMessages() async throws {
        let messages = try await Self.messages(
            #"[{"role":"developer","content":"D"},{"role":"system","content":[{"type":"input_text","text":"S"}]},"#
                + #"{"type":"message","role":"user","content":[{"type":"input_text","text":"H"},"#
                + #"{"type":"input_text","text":"i"}]},{"type":"reasoning","id":"rs_1","summary":[]},"#
                + #"{"role":"assistant","content":[{"type":"output_text","text":"Ho","annotations":[]},"#
                + #"{"type":"refusal","refusal":"!"}],"id":"msg_1","status":"completed","type":"message"}]"#)
        #expect(messages.map(\.role) == [.system, .system, .user, .assistant])
        #expect(messages.map(\.content) == ["D", "S", "Hi", "Ho!"])
    }

    @Test func callsOfOneAnswerStandTogetherAndResultsHaveTheFunctionsName() async throws {
        func call(_ id: String, _ name: String) -> String {
            #"{"type":"function_call","call_id":"\#(id)","name":"\#(name)","arguments":"{\"a\":1}"}"#
        }
        let items = [
            #"{"role":"user","content":"Q"}"#, call("c1", "f"), call("c2", "g"),
            #"{"type":"function_call_output","call_id":"c2","output":"two"}"#,
            #"{"type":"function_call_output","call_id":"c1","output":[{"type":"input_text","text":"one"}]}"#,
        ]
        let messages = try await Self.messages("[" + items.joined(separator: ",") + "]")
        #expect(messages.count == 4)
        #expect(messages[1].toolCalls?.map(\.name) == ["f", "g"])
        #expect(messages[1].toolCalls?.map(\.arguments) == [#"{"a":1}"#, #"{"a":1}"#])
        #expect(messages[2] == ChatMessage(role: .user, content: "two", toolName: "g"))
        #expect(messages[3] == ChatMessage(role: .user, content: "one", toolName: "f"))
    }

    @Test func picturesAreCallsThatWorked() async throws {
        let told = try await Self.messages(
            #"[{"type":"image_generation_call","id":"ig_other","revised_prompt":"an owl","result":"aaaa"}]"#)
        #expect(told == ImagineTool.turn(of: "an owl"))
        let kept = try await Self.messages(#"[{"type":"image_generation_call","id":"ig_01fox"}]"#)
        #expect(kept == ImagineTool.turn(of: "a fox"))
        let failed = try await Self.messages(
            #"[{"type":"image_generation_call","id":"ig_1","status":"failed"}]"#)
        #expect(failed.isEmpty)
    }

    @Test(arguments: [
        (#"[{"type":"item_reference","id":"msg_1"}]"#, "input[0].type"),
        (#"[{"type":"computer_call"}]"#, "input[0].type"), (#"[{"content":"Hi"}]"#, "input[0].role"),
        (#"[{"role":"tool","content":"Hi"}]"#, "input[0].role"), (#"[{"role":"user"}]"#, "input[0].content"),
        (#"[{"role":"user","content":[{"type":"text","text":"x"}]}]"#, "input[0].content[0].type"),
        (
            #"[{"role":"user","content":[{"type":"input_image","image_url":"x"}]}]"#,
            "input[0].content[0].type"
        ),
        (#"[{"role":"user","content":[{"type":"input_file","file_id":"x"}]}]"#, "input[0].content[0].type"),
        (#"[{"role":"user","content":[{"type":"input_text"}]}]"#, "input[0].content[0].text"),
        (#"[{"type":"function_call","name":"f","arguments":"{}"}]"#, "input[0].call_id"),
        (#"[{"type":"function_call_output","call_id":"c","output":"x"}]"#, "input[0].call_id"),
        (#"[{"type":"image_generation_call","id":"ig_none"}]"#, "input[0].id"),
    ])
    func wrongItemsAreNamed(input: String, parameter: String) async throws {
        do {
            _ = try await Self.messages(input)
            Issue.record("\(input) was taken")
        } catch {
            let failure = try #require(error as? Failure)
            #expect(failure.status == .badRequest)
            #expect(failure.parameter == parameter, "\(failure.message)")
        }
    }
}
