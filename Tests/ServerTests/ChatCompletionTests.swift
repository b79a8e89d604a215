import HTTPTypes
import Testing

@testable import Server

struct ChatCompletionTests {
    private static let path = "/v1/chat/completions"

    private static func body(_ more: String = "", tokens: Int = 3) -> String {
        #"{"model":"tiny","messages":[{"role":"user","content":"Hi"}],"seed":7,"max_tokens":\#(tokens),"#
            + #""logit_bias":\#(endless)\#(more)}"#
    }

    @Test func answerHasOpenAIsShape() async throws {
        try await RunningDaemon.run { daemon in
            let answer = try await daemon.json(Self.path, Self.body())
            #expect(answer["object"] == "chat.completion")
            #expect(answer["model"] == "tiny")
            guard case .array(let choices) = answer["choices"], let choice = choices.first else {
                Issue.record("no choices in \(answer.text)")
                return
            }
            #expect(choices.count == 1)
            #expect(choice["index"] == 0)
            #expect(choice["finish_reason"] == "length")
            #expect(choice["logprobs"] == .null)
            #expect(choice["message"]?["role"] == "assistant")
            #expect(answer["usage"]?["completion_tokens"] == 3)
            #expect(answer["usage"]?["prompt_tokens_details"]?["cached_tokens"] != nil)
            #expect(answer["timings"]?["predicted_n"] == 3)
        }
    }

    @Test func chunksComeInTheOrderThatClientsRelyOn() async throws {
        try await RunningDaemon.run { daemon in
            let more = #","stream":true,"stream_options":{"include_usage":true}"#
            let response = try await daemon.post(Self.path, Self.body(more))
            #expect(response.status == 200)
            #expect(response.headers["content-type"]?.hasPrefix("text/event-stream") == true)
            #expect(response.events.last == "[DONE]")
            let chunks = try response.events.dropLast().map { try JSONParser.parse(Array($0.utf8)) }
            #expect(Set(chunks.map { $0["id"]?.text }).count == 1)
            #expect(Set(chunks.map { $0["created"]?.text }).count == 1)
            #expect(chunks.allSatisfy { $0["object"] == "chat.completion.chunk" })
            #expect(chunks.allSatisfy { $0["model"] == "tiny" })
            // What is left of each chunk, in order, with runs of content as one.
            var kinds: [String] = []
            for chunk in chunks {
                let kind = Self.kind(of: chunk)
                if kind != kinds.last { kinds.append(kind) }
            }
            #expect(kinds == ["role null", "content null", "empty length", "usage"])
        }
    }

    private static func kind(of chunk: JSON) -> String {
        guard case .array(let choices) = chunk["choices"], let choice = choices.first else {
            return chunk["usage"]?["total_tokens"] != nil ? "usage" : "nothing"
        }
        guard case .object(let delta) = choice["delta"], let finish = choice["finish_reason"],
            chunk["usage"] == .null
        else { return "incomplete" }
        let reason = if case .string(let reason) = finish { reason } else { finish.text }
        return (delta.first?.name ?? "empty") + " " + reason
    }

    @Test func streamWithoutUsageHasNone() async throws {
        try await RunningDaemon.run { daemon in
            let response = try await daemon.post(Self.path, Self.body(#","stream":true"#))
            #expect(!response.text.contains("\"usage\""))
            #expect(response.events.last == "[DONE]")
        }
    }

    @Test func streamedTextIsTheWholeAnswersText() async throws {
        try await RunningDaemon.run { daemon in
            let whole = try await daemon.json(Self.path, Self.body(tokens: 12))
            let response = try await daemon.post(Self.path, Self.body(#","stream":true"#, tokens: 12))
            let pieces = try response.events.dropLast().map { event -> String in
                guard case .array(let choices) = try JSONParser.parse(Array(event.utf8))["choices"],
                    case .string(let text) = choices.first?["delta"]?["content"]
                else { return "" }
                return text
            }
            guard case .array(let choices) = whole["choices"] else { return }
            #expect(choices.first?["message"]?["content"] == .string(pieces.joined()))
        }
    }

    @Test func probabilitiesHaveOpenAIsShape() async throws {
        try await RunningDaemon.run { daemon in
            let answer = try await daemon.json(Self.path, Self.body(#","logprobs":true,"top_logprobs":2"#))
            guard case .array(let choices) = answer["choices"],
                case .array(let tokens) = choices.first?["logprobs"]?["content"], let token = tokens.first,
                case .array(let alternatives) = token["top_logprobs"],
                case .number(let logprob) = token["logprob"]
            else {
                Issue.record("unexpected shape: \(answer.text)")
                return
            }
            #expect(tokens.count == 3)
            #expect(logprob.value <= 0)
            #expect(alternatives.count == 2)
            #expect(token["bytes"] != nil)
            #expect(token["token"] != nil)
        }
    }

    @Test func contentPartsAndHarmlessFieldsAreTaken() async throws {
        try await RunningDaemon.run { daemon in
            let body = #"""
                {"messages":[{"role":"developer","content":"Be brief."},{"role":"user","content":
                [{"type":"text","text":"H"},{"type":"text","text":"i"}]}],"max_completion_tokens":1,
                "stop":["zz",""],"tools":[],"tool_choice":"auto","response_format":{"type":"text"},"n":1,
                "user":"me","store":false,
                "something_new":{"a":[1]},"temperature":null,"stream":null}
                """#
            let answer = try await daemon.json(Self.path, body)
            #expect(answer["usage"]?["completion_tokens"] == 1)
        }
    }

    @Test(arguments: [
        (#"{"messages":[]}"#, "messages"), (#"{}"#, "messages"), (#"{"messages":"Hi"}"#, "messages"),
        (#"{"messages":[{"role":"user"}]}"#, "messages[0].content"),
        (#"{"messages":[{"content":"Hi"}]}"#, "messages[0].role"),
        (#"{"messages":[{"role":"robot","content":"Hi"}]}"#, "messages[0].role"),
        (#"{"messages":[{"role":"function","content":"Hi"}]}"#, "messages[0].role"),
        (#"{"messages":[{"role":"user","content":7}]}"#, "messages[0].content"),
        (
            #"{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}]}"#,
            "messages[0].content[0].type"
        ),
        (#"{"messages":[{"role":"user","content":"Hi"}],"n":9}"#, "n"),
        (
            #"{"messages":[{"role":"user","content":"Hi"}],"tools":[{"type":"function"}]}"#,
            "tools[0].function"
        ),
        (#"{"messages":[{"role":"user","content":"Hi"}],"tools":[{"type":"retrieval"}]}"#, "tools[0].type"),
        (
            #"{"messages":[{"role":"user","content":"Hi"}],"tools":[{"type":"function","function":{"name":"a b"}}]}"#,
            "tools[0].function.name"
        ),
        (#"{"messages":[{"role":"user","content":"Hi"}],"functions":[{"name":"f"}]}"#, "functions"),
        (#"{"messages":[{"role":"user","content":"Hi"}],"tool_choice":"required"}"#, "tool_choice"),
        (
            #"{"messages":[{"role":"user","content":"Hi"}],"response_format":{"type":"xml"}}"#,
            "response_format.type"
        ),
        (#"{"messages":[{"role":"user","content":"Hi"}],"top_logprobs":3}"#, "top_logprobs"),
        (#"{"messages":[{"role":"user","content":"Hi"}],"stop":[1]}"#, "stop"),
        (#"{"messages":[{"role":"user","content":"Hi"}],"stream":"yes"}"#, "stream"),
        (#"{"messages":[{"role":"user","content":"Hi"}],"logit_bias":{"x":1}}"#, "logit_bias"),
        (#"{"messages":[{"role":"user","content":"Hi"}],"model":3}"#, "model"),
    ])
    func wrongFieldsAreNamed(body: String, parameter: String) throws {
        let failure = #expect(throws: Failure.self) {
            try ChatCompletionCall(Fields(JSONParser.parse(Array(body.utf8))))
        }
        #expect(failure?.status == .badRequest)
        #expect(failure?.parameter == parameter)
        #expect(failure?.message.isEmpty == false)
    }

    @Test func unknownModelIs404BeforeAnyEvent() async throws {
        try await RunningDaemon.run { daemon in
            for stream in ["true", "false"] {
                let body =
                    #"{"model":"gpt-9","messages":[{"role":"user","content":"Hi"}],"stream":\#(stream)}"#
                let response = try await daemon.post(Self.path, body)
                #expect(response.status == 404)
                #expect(try response.error().code == "model_not_found")
            }
        }
    }
}
