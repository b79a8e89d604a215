import AssistantAPI
import HTTPTypes
import Testing

@testable import Server

/// Every numeric field with every kind of bad number: a 400 that names it, or a value in range; never a trap.
struct NumericFieldTests {
    private static let values = [
        "-1", "0", "1", "2", "20", "21", "100", "101", "2147483648", "9007199254740993",
        "9223372036854775808",
        "18446744073709551616", "-9223372036854775809", "1e308", "-1e308", "1e-400", "0.5", "1.0", "\"NaN\"",
        "\"5\"", "null", "true", "[]", "{}",
    ]

    @Test(arguments: [
        "max_tokens", "max_completion_tokens", "temperature", "top_k", "top_p", "min_p", "repeat_penalty",
        "repeat_last_n", "presence_penalty", "frequency_penalty", "seed", "n", "top_logprobs", "logit_bias",
    ])
    func chatFieldIsTakenOrNamed(field: String) throws {
        for value in Self.values {
            let logprobs = field == "top_logprobs" ? #","logprobs":true"# : ""
            let body = #"{"messages":[{"role":"user","content":"Hi"}],"\#(field)":\#(value)\#(logprobs)}"#
            let json = try JSONParser.parse(Array(body.utf8))
            do throws(Failure) {
                let call = try ChatCompletionCall(Fields(json))
                #expect((1...8).contains(call.requests.count))
                for request in call.requests {
                    #expect(Self.isSane(request.settings), "\(field): \(value)")
                    #expect((0...20).contains(request.logprobs ?? 0))
                }
            } catch {
                let failure = error
                #expect(failure.status == .badRequest)
                #expect(failure.parameter == field, "\(field): \(value)")
                #expect(failure.message.contains("'\(field)'"))
            }
        }
    }

    @Test(arguments: [
        "n_predict", "n_probs", "n_cmpl", "mirostat", "typical_p", "min_keep", "seed", "logit_bias",
        "json_schema", "samplers", "prompt",
    ])
    func nativeCompletionFieldIsTakenOrNamed(field: String) throws {
        for value in Self.values {
            let prompt = field == "prompt" ? "" : #""prompt":"Hi","#
            let json = try JSONParser.parse(Array(#"{\#(prompt)"\#(field)":\#(value)}"#.utf8))
            do throws(Failure) {
                let call = try LlamaCompletionCall(Fields(json))
                #expect((1...8).contains(call.count))
                #expect(Self.isSane(call.request.settings), "\(field): \(value)")
            } catch {
                let failure = error
                #expect(failure.status == .badRequest)
                #expect(failure.parameter?.hasPrefix(field) == true, "\(field): \(value)")
            }
        }
    }

    @Test(arguments: ["logprobs", "best_of", "n", "max_tokens", "prompt"])
    func completionFieldIsTakenOrNamed(field: String) throws {
        for value in Self.values {
            let prompt = field == "prompt" ? "" : #""prompt":"Hi","#
            let body = #"{\#(prompt)"\#(field)":\#(value)}"#
            let json = try JSONParser.parse(Array(body.utf8))
            do throws(Failure) {
                let call = try TextCompletionCall(Fields(json))
                #expect(
                    call.requests.allSatisfy {
                        Self.isSane($0.settings) && (0...20).contains($0.logprobs ?? 0)
                    })
            } catch {
                let failure = error
                #expect(failure.status == .badRequest)
                #expect(failure.parameter == field, "\(field): \(value)")
            }
        }
    }

    private static func isSane(_ settings: GenerationSettings) -> Bool {
        (0...1 << 24).contains(settings.maxTokens ?? 0) && (0...100).contains(settings.temperature ?? 0)
            && (0...1_000_000).contains(settings.topK ?? 0) && (0...1).contains(settings.topP ?? 0)
            && (0...1).contains(settings.minP ?? 0) && (settings.repeatPenalty ?? 1) > 0
            && (0...1 << 24).contains(settings.repeatLastN ?? 0)
            && (-2...2).contains(settings.presencePenalty ?? 0)
            && (-2...2).contains(settings.frequencyPenalty ?? 0)
    }

    @Test func badNumberIsA400OnTheWire() async throws {
        try await RunningDaemon.run { daemon in
            let body = #"{"messages":[{"role":"user","content":"Hi"}],"temperature":1e308}"#
            let response = try await daemon.post("/v1/chat/completions", body)
            #expect(response.status == 400)
            #expect(try response.error().parameter == "temperature")
        }
    }
}
