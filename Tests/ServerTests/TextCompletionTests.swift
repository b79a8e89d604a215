import HTTPTypes
import Testing

@testable import Server

struct TextCompletionTests {
    private static let path = "/v1/completions"

    private static func choices(_ answer: JSON) -> [JSON] {
        guard case .array(let choices) = answer["choices"] else { return [] }
        return choices
    }

    private static func array(_ json: JSON?) -> [JSON] {
        guard case .array(let elements) = json else { return [] }
        return elements
    }

    @Test func everyPromptHasItsChoice() async throws {
        try await RunningDaemon.run { daemon in
            let body =
                #"{"prompt":["ab","cd",[101,102]],"max_tokens":2,"echo":true,"logit_bias":\#(endless)}"#
            let answer = try await daemon.json(Self.path, body)
            #expect(answer["object"] == "text_completion")
            let choices = Self.choices(answer)
            #expect(choices.map { $0["index"]?.text } == ["0", "1", "2"])
            let texts = choices.map { choice in
                if case .string(let text) = choice["text"] { text } else { "" }
            }
            #expect(texts.map { String($0.unicodeScalars.prefix(2)) } == ["ab", "cd", "ef"])
            #expect(answer["usage"]?["completion_tokens"] == 6)
        }
    }

    /// The request and the reading of lm-evaluation-harness's `local-completions`.
    @Test func promptIsScoredAsHarnessesReadIt() async throws {
        try await RunningDaemon.run { daemon in
            let body =
                #"{"model":"tiny","prompt":[[104,101,108,108,111]],"max_tokens":1,"logprobs":1,"echo":true,"#
                + #""temperature":0,"seed":1234}"#
            let answer = try await daemon.json(Self.path, body)
            let logprobs = try #require(Self.choices(answer).first?["logprobs"])
            let tokens = Self.array(logprobs["tokens"])
            #expect(tokens.prefix(5).map(\.text) == [#""h""#, #""e""#, #""l""#, #""l""#, #""o""#])
            #expect(tokens.count == 6)
            let chosen = Self.array(logprobs["token_logprobs"])
            let top = Self.array(logprobs["top_logprobs"])
            #expect(chosen.count == 6 && top.count == 6)
            #expect(chosen.first == .null && top.first == .null)
            for (logprob, alternatives) in zip(chosen, top).dropFirst() {
                guard case .number(let value) = logprob, case .object(let members) = alternatives else {
                    Issue.record("unexpected shape: \(logprobs.text)")
                    return
                }
                let best = members.compactMap {
                    if case .number(let number) = $0.value { number.value } else { nil }
                }
                #expect((1...2).contains(members.count))
                #expect(value.value <= best.max() ?? 0)
            }
            #expect(Self.array(logprobs["text_offset"]).prefix(5).map(\.text) == ["0", "1", "2", "3", "4"])
        }
    }

    /// Harnesses leave the last token out, so there must be one, also where the model ends at once.
    @Test func tokenThatEndsTheTextIsScoredToo() async throws {
        try await RunningDaemon.run { daemon in
            let body =
                #"{"prompt":"ab","max_tokens":1,"logprobs":1,"echo":true,"temperature":0,"#
                + #""logit_bias":{"258":100}}"#
            let choice = try #require(Self.choices(try await daemon.json(Self.path, body)).first)
            #expect(choice["text"] == "ab")
            #expect(choice["finish_reason"] == "stop")
            #expect(choice["logprobs"]?["tokens"]?.text == #"["a","b","<|im_end|>"]"#)
            #expect(Self.array(choice["logprobs"]?["token_logprobs"]).last != .null)
        }
    }

    @Test func nothingIsGeneratedForZeroTokens() async throws {
        try await RunningDaemon.run { daemon in
            let body = #"{"prompt":"hello","max_tokens":0,"logprobs":3,"echo":true}"#
            let answer = try await daemon.json(Self.path, body)
            #expect(Self.choices(answer).first?["text"] == "hello")
            #expect(answer["usage"]?["completion_tokens"] == 0)
            #expect(Self.array(Self.choices(answer).first?["logprobs"]?["tokens"]).count == 5)
        }
    }

    @Test func chunksOfAllPromptsEndWithOneDone() async throws {
        try await RunningDaemon.run { daemon in
            let body =
                #"{"prompt":["a","b"],"max_tokens":2,"stream":true,"stream_options":{"include_usage":true},"#
                + #""logit_bias":\#(endless)}"#
            let response = try await daemon.post(Self.path, body)
            let chunks = try response.events.dropLast().map { try JSONParser.parse(Array($0.utf8)) }
            #expect(response.events.last == "[DONE]")
            #expect(response.events.count { $0 == "[DONE]" } == 1)
            let finishes = chunks.compactMap { chunk -> String? in
                guard let choice = Self.choices(chunk).first, choice["finish_reason"] != .null else {
                    return nil
                }
                return choice["index"]?.text
            }
            #expect(finishes == ["0", "1"])
            #expect(chunks.last?["usage"]?["completion_tokens"] == 4)
        }
    }

    @Test(arguments: [
        (#"{}"#, "prompt"), (#"{"prompt":[]}"#, "prompt"), (#"{"prompt":7}"#, "prompt"),
        (#"{"prompt":[1,"a"]}"#, "prompt"), (#"{"prompt":[[]]}"#, "prompt"), (#"{"prompt":[-1]}"#, "prompt"),
        (#"{"prompt":[[1],[1.5]]}"#, "prompt"), (#"{"prompt":"a","suffix":"b"}"#, "suffix"),
        (#"{"prompt":"a","best_of":2}"#, "best_of"), (#"{"prompt":"a","logprobs":21}"#, "logprobs"),
    ])
    func wrongFieldsAreNamed(body: String, parameter: String) throws {
        let failure = #expect(throws: Failure.self) {
            try TextCompletionCall(Fields(JSONParser.parse(Array(body.utf8))))
        }
        #expect(failure?.status == .badRequest)
        #expect(failure?.parameter == parameter)
    }

    @Test func tokenBeyondTheVocabularyIsRefused() async throws {
        try await RunningDaemon.run { daemon in
            let response = try await daemon.post(Self.path, #"{"prompt":[99999],"max_tokens":1}"#)
            #expect(response.status == 400)
        }
    }

    @Test func promptLongerThanTheContextIsRefused() async throws {
        try await RunningDaemon.run { daemon in
            let prompt = String(repeating: "x", count: 2000)
            for stream in ["true", "false"] {
                let response = try await daemon.post(
                    Self.path, #"{"prompt":"\#(prompt)","max_tokens":1,"stream":\#(stream)}"#)
                #expect(response.status == 400)
                #expect(try response.error().code == "context_length_exceeded")
            }
        }
    }
}
