import AssistantAPI
import FoundationEssentials
import ImageCodecs
import Testing

@testable import Server

/// `POST /v1/responses` and what is kept of it.
@Suite(.timeLimit(.minutes(5)))
struct ResponseRouteTests {
    private static let path = "/v1/responses"

    /// A request for exactly so many tokens.
    private static func body(_ input: String, _ more: String = "", tokens: Int = 3) -> String {
        #"{"model":"tiny","input":\#(input),"seed":7,"max_output_tokens":\#(tokens),"logit_bias":\#(endless)\#(more)}"#
    }

    private static func id(_ response: JSON) throws -> String {
        guard case .string(let id)? = response["id"] else { throw ClientError.malformed(response.text) }
        return id
    }

    private static func previous(_ response: JSON) throws -> String {
        let id = try Self.id(response)
        return #","previous_response_id":"\#(id)""#
    }

    private static func events(_ response: TestResponse) throws -> [JSON] {
        try response.events.map { try JSONParser.parse(Array($0.utf8)) }
    }

    @Test func aStreamsLastEventHasTheWholeResponse() async throws {
        try await RunningDaemon.run { daemon in
            let whole = try await daemon.json(Self.path, Self.body(#""Hi""#, tokens: 9))
            #expect(whole["status"] == "incomplete" && whole["usage"]?["output_tokens"] == 9)
            let response = try await daemon.post(
                Self.path, Self.body(#""Hi""#, #","stream":true"#, tokens: 9))
            #expect(response.headers["content-type"]?.hasPrefix("text/event-stream") == true)
            let events = try Self.events(response)
            #expect(events.compactMap { $0["sequence_number"] } == events.indices.map { JSON($0) })
            let names = response.text.split(separator: "\n").filter { $0.hasPrefix("event: ") }
            #expect(events.map { $0["type"]?.text } == names.map { "\"\($0.dropFirst(7))\"" })
            let last = try #require(events.last?["response"])
            guard case .object(let members) = whole, case .object(let streamed) = last else {
                throw ClientError.malformed(last.text)
            }
            #expect(members.map(\.name) == streamed.map(\.name))
            let text = try #require(whole["output"]).elements()[0]["content"]
            let output = try #require(last["output"]).elements()
            #expect(output[0]["content"] == text)
        }
    }

    @Test func aChainIsReadAsTheWholeConversation() async throws {
        try await RunningDaemon.run { daemon in
            let first = try await daemon.json(Self.path, Self.body(#""Hi""#, #","instructions":"Be brief.""#))
            let second = try await daemon.json(Self.path, Self.body(#""More""#, try Self.previous(first)))
            #expect(second["previous_response_id"] == first["id"] && second["instructions"] == .null)
            let third = try await daemon.json(Self.path, Self.body(#""And?""#, try Self.previous(second)))
            // The same said at once has as many tokens: instructions are those of their response alone.
            var items = [#"{"role":"user","content":"Hi"}"#]
            items += try #require(first["output"]).elements().map(\.text)
            items.append(#"{"role":"user","content":"More"}"#)
            items += try #require(second["output"]).elements().map(\.text)
            items.append(#"{"role":"user","content":"And?"}"#)
            let whole = try await daemon.json(Self.path, Self.body("[" + items.joined(separator: ",") + "]"))
            #expect(third["usage"]?["input_tokens"] == whole["usage"]?["input_tokens"])
            let alone = try await daemon.json(Self.path, Self.body(#""And?""#))
            #expect(alone["usage"]?["input_tokens"] != whole["usage"]?["input_tokens"])
        }
    }

    @Test func aResponseIsHadAgainListedAndDeleted() async throws {
        try await RunningDaemon.run { daemon in
            let input =
                #"[{"role":"user","content":"A"},{"role":"assistant","content":"B"},{"role":"user","content":"C"}]"#
            let response = try await daemon.json(Self.path, Self.body(input, #","metadata":{"k":"v"}"#))
            let id = try Self.id(response)
            #expect(try await daemon.get("\(Self.path)/\(id)").json() == response)
            #expect(try await daemon.get("\(Self.path)/\(id)?stream=true").error().parameter == "stream")
            let page = try await daemon.get("\(Self.path)/\(id)/input_items?limit=2").json()
            let items = try #require(page["data"]).elements()
            #expect(items.map { $0["role"] } == ["user", "assistant"])
            #expect(items[0]["content"] == [["type": "input_text", "text": "C"]])
            #expect(page["has_more"] == true && page["last_id"] == items[1]["id"])
            let after = try Self.id(items[1])
            let rest = try await daemon.get("\(Self.path)/\(id)/input_items?limit=2&after=\(after)").json()
            let left = try #require(rest["data"]).elements()
            #expect(left.count == 1 && rest["has_more"] == false)
            let rising = try await daemon.get("\(Self.path)/\(id)/input_items?order=asc").json()
            #expect(rising["last_id"] == page["first_id"])
            let cancelled = try await daemon.post("\(Self.path)/\(id)/cancel", "{}")
            #expect(cancelled.status == 400)
            let follower = try await daemon.json(Self.path, Self.body(#""D""#, try Self.previous(response)))
            let deleted = try await daemon.request("DELETE", "\(Self.path)/\(id)").json()
            #expect(deleted == ["id": .string(id), "object": "response", "deleted": true])
            #expect(try await daemon.get("\(Self.path)/\(id)").status == 404)
            // What followed it is there, and nothing can follow that.
            #expect(try await daemon.get("\(Self.path)/\(Self.id(follower))").status == 200)
            let late = try await daemon.post(Self.path, Self.body(#""E""#, try Self.previous(follower)))
            #expect(late.status == 400)
            #expect(try late.error().code == "previous_response_not_found")
            #expect(try late.error().message.contains(id))
        }
    }

    @Test func whatIsNotStoredIsNotThere() async throws {
        try await RunningDaemon.run { daemon in
            let response = try await daemon.json(Self.path, Self.body(#""Hi""#, #","store":false"#))
            #expect(response["store"] == false)
            #expect(try await daemon.get("\(Self.path)/\(Self.id(response))").status == 404)
            let next = try await daemon.post(Self.path, Self.body(#""Hi""#, try Self.previous(response)))
            #expect(next.status == 400)
            let error = try next.error()
            #expect(error.code == "previous_response_not_found" && error.parameter == "previous_response_id")
            let list = try await daemon.get("/inkling/v1/conversations").json()
            #expect(list["conversations"] == [])
        }
    }

    /// A byte each is a token, so that a tool's definition needs room; a quotation mark ends the prompt at once.
    private static func painting(_ more: String = "", tool: String = "") -> String {
        #"{"model":"tiny","input":"A fox","temperature":0,"max_output_tokens":400,"logit_bias":{"34":100},"#
            + #""tools":[{"type":"image_generation","seed":7,"steps":3\#(tool)}],"#
            + #""tool_choice":{"type":"image_generation"}\#(more)}"#
    }

    @Test func aPictureThatIsCalledForIsPaintedAndKept() async throws {
        try await RunningDaemon.run(contextLength: 4096, painter: ScriptedPainter()) { daemon in
            let streamed = try await daemon.post(
                Self.path, Self.painting(#","stream":true"#, tool: #","partial_images":2"#))
            let events = try Self.events(streamed)
            let kind = "response.image_generation_call."
            let names = events.compactMap { event -> String? in
                guard case .string(let name)? = event["type"], name.hasPrefix(kind) else { return nil }
                return String(name.dropFirst(kind.count))
            }
            #expect(names == ["in_progress", "generating", "partial_image", "partial_image", "completed"])
            let response = try #require(events.last?["response"])
            #expect(response["status"] == "completed", "\(response.text.prefix(500))")
            let output = try #require(response["output"]).elements()
            let item = try #require(output.last)
            guard case .string(let result)? = item["result"] else { throw ClientError.malformed(item.text) }
            let bitmap = try Bitmap(decoding: Array(try #require(Data(base64Encoded: result))))
            #expect(bitmap.samples.prefix(3) == [7, 3, 7])
            let id = try Self.id(response)
            #expect(try await daemon.get("\(Self.path)/\(id)").json() == response)
            // The picture is one of the user's, and the response outlives it.
            let picture = try Self.id(item).dropFirst(3)
            let deleted = try await daemon.request("DELETE", "/inkling/v1/pictures/\(picture)")
            #expect(deleted.status == 200)
            let again = try await daemon.get("\(Self.path)/\(id)").json()
            let outputAgain = try #require(again["output"]).elements()
            #expect(outputAgain.last?["result"] == .null)
            // What follows knows that it was shown.
            let next = try await daemon.json(Self.path, Self.body(#""And?""#, try Self.previous(response)))
            let alone = try await daemon.json(Self.path, Self.body(#""And?""#))
            #expect(next["usage"]?["input_tokens"] != alone["usage"]?["input_tokens"])
        }
    }

    @Test func aPictureOfNoStoredResponseIsInNoList() async throws {
        try await RunningDaemon.run(contextLength: 4096, painter: ScriptedPainter()) { daemon in
            let response = try await daemon.json(Self.path, Self.painting(#","store":false"#))
            #expect(response["status"] == "completed")
            #expect(try await daemon.get("/inkling/v1/pictures").json()["pictures"] == [])
        }
    }

    @Test func aPaintingThatFailsIsAFailedResponse() async throws {
        struct Broken: Error {}
        let painter = ScriptedPainter { step, _ in if step == 1 { throw Broken() } }
        try await RunningDaemon.run(contextLength: 4096, painter: painter) { daemon in
            for more in ["", #","stream":true"#] {
                let answer = try await daemon.post(Self.path, Self.painting(more))
                #expect(answer.status == 200)
                let last =
                    more.isEmpty ? try answer.json() : try Self.events(answer).last?["response"] ?? .null
                #expect(last["status"] == "failed" && last["error"]?["code"] == "server_error")
                let output = try #require(last["output"]).elements()
                #expect(output.last?["status"] == "failed")
            }
        }
    }

    @Test(arguments: ["", #","stream":true"#])
    func whatIsRefusedHasAStatusOfItsOwn(more: String) async throws {
        try await RunningDaemon.run(painter: ScriptedPainter()) { daemon in
            let unknown = try await daemon.post(Self.path, #"{"model":"gpt-9","input":"Hi"\#(more)}"#)
            #expect(unknown.status == 404)
            #expect(try unknown.error().code == "model_not_found")
            let painter = try await daemon.post(
                Self.path,
                #"{"input":"Hi","tools":[{"type":"image_generation","model":"gpt-image-1"}]\#(more)}"#)
            #expect(painter.status == 404)
            #expect(try painter.error().parameter == "tools[0].model")
            let long = String(repeating: "x", count: 600)
            let full = try await daemon.post(Self.path, Self.body(#""\#(long)""#, more))
            #expect(full.status == 400)
            #expect(try full.error().code == "context_length_exceeded")
        }
    }
}
