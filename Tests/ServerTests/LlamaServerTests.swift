import AssistantAPI
import HTTPTypes
import Testing

@testable import Server

/// llama-server's own routes, as programs that were written for it call them.
@Suite(.timeLimit(.minutes(5)))
struct LlamaServerTests {
    private static func array(_ json: JSON?) -> [JSON] {
        guard case .array(let elements) = json else { return [] }
        return elements
    }

    private static func string(_ json: JSON?) -> String {
        guard case .string(let text) = json else { return "" }
        return text
    }

    private static func names(_ json: JSON) -> [String] {
        guard case .object(let members) = json else { return [] }
        return members.map(\.name)
    }

    private static func call(_ body: String) throws -> LlamaCompletionCall {
        try LlamaCompletionCall(Fields(JSONParser.parse(Array(body.utf8))))
    }

    // MARK: - Completions

    @Test func anAnswerTellsAllThatLlamaServersDoes() async throws {
        try await RunningDaemon.run { daemon in
            let body =
                #"{"prompt":"ab","n_predict":4,"temperature":0.5,"seed":7,"stop":["zzz"],"return_tokens":true,"#
                + #""cache_prompt":true,"id_slot":3,"logit_bias":[[256,false],[257,-100],[258,-100]]}"#
            let answer = try await daemon.json("/completion", body)
            #expect(
                Self.names(answer) == [
                    "index", "content", "tokens", "id_slot", "stop", "model", "tokens_predicted",
                    "tokens_evaluated", "generation_settings", "prompt", "has_new_line", "truncated",
                    "stop_type", "stopping_word", "tokens_cached", "timings",
                ])
            #expect(answer["stop"] == true && answer["stop_type"] == "limit" && answer["model"] == "tiny")
            #expect(answer["tokens_predicted"] == 4 && answer["tokens_evaluated"] == 2)
            #expect(Self.array(answer["tokens"]).count == 4 && answer["prompt"] == "ab")
            #expect(answer["truncated"] == false && answer["stopping_word"] == "")
            let settings = try #require(answer["generation_settings"])
            #expect(settings["n_predict"] == 4 && settings["seed"] == 7 && settings["stop"] == ["zzz"])
            #expect(settings["temperature"] == JSON(0.5) && settings["stream"] == false)
            // What nobody asked for is the configuration's.
            #expect(settings["top_k"] == 40 && settings["min_p"] == JSON(0.05))
            #expect(answer["timings"]?["predicted_n"] == 4 && answer["timings"]?["prompt_n"] == 2)
            let again = try await daemon.json("/completions", body)
            #expect(again["content"] == answer["content"])
        }
    }

    @Test func aStreamSaysTheSameWithoutDone() async throws {
        try await RunningDaemon.run { daemon in
            let fields =
                #""prompt":"ab","n_predict":5,"temperature":0,"timings_per_token":true,"#
                + #""return_progress":true,"logit_bias":\#(endless)"#
            let whole = try await daemon.json("/completion", "{\(fields)}")
            let response = try await daemon.post("/completion", #"{\#(fields),"stream":true}"#)
            #expect(response.headers["content-type"]?.hasPrefix("text/event-stream") == true)
            let events = try response.events.map { try JSONParser.parse(Array($0.utf8)) }
            let parts = events.dropLast()
            #expect(parts.allSatisfy { $0["stop"] == false })
            #expect(parts.map { Self.string($0["content"]) }.joined() == Self.string(whole["content"]))
            #expect(parts.contains { $0["prompt_progress"]?["total"] == 2 })
            let tokens = parts.filter { !Self.array($0["tokens"]).isEmpty }
            #expect(tokens.count >= 5 && tokens.allSatisfy { $0["timings"]?["prompt_n"] != nil })
            #expect(events.last?["stop"] == true && events.last?["content"] == "")
            #expect(events.last?["tokens_predicted"] == 5 && events.last?["stop_type"] == "limit")
        }
    }

    @Test func whatEndedAnAnswerIsTold() async throws {
        try await RunningDaemon.run { daemon in
            // The likeliest token by far is an "a".
            let word = try await daemon.json(
                "/completion", #"{"prompt":"x","n_predict":9,"stop":["aa"],"logit_bias":{"97":100}}"#)
            #expect(word["stop_type"] == "word" && word["stopping_word"] == "aa")
            #expect(word["content"] == "")
            let end = try await daemon.json(
                "/completion", #"{"prompt":"x","n_predict":9,"logit_bias":{"258":100}}"#)
            #expect(end["stop_type"] == "eos" && end["stopping_word"] == "" && end["content"] == "")
            let line = try await daemon.json(
                "/completion", #"{"prompt":"x","n_predict":2,"logit_bias":{"10":100}}"#)
            #expect(line["has_new_line"] == true && line["content"] == "\n\n")
        }
    }

    @Test func zeroTokensOnlyEvaluateThePrompt() async throws {
        try await RunningDaemon.run { daemon in
            let answer = try await daemon.json("/completion", #"{"prompt":"hello","n_predict":0}"#)
            #expect(answer["content"] == "" && answer["tokens_predicted"] == 0)
            #expect(answer["tokens_evaluated"] == 5 && answer["stop_type"] == "limit")
        }
    }

    @Test func severalPromptsAreAnsweredInOrder() async throws {
        try await RunningDaemon.run { daemon in
            let body =
                #"{"prompt":["ab",[99,"<|im_end|>d"],{"prompt_string":"e"}],"n_cmpl":2,"n_predict":1,"#
                + #""logit_bias":\#(endless)}"#
            let answers = Self.array(try await daemon.json("/completion", body))
            #expect(answers.map { $0["index"] } == [0, 1, 2, 3, 4, 5])
            let prompts: [JSON?] = ["ab", "ab", "c<|im_end|>d", "c<|im_end|>d", "e", "e"]
            #expect(answers.map { $0["prompt"] } == prompts)
            // A control token that is written in a prompt is one.
            #expect(answers.map { $0["tokens_evaluated"] } == [2, 2, 3, 3, 1, 1])
            let mixture = try await daemon.json("/completion", #"{"prompt":[97,"b",99],"n_predict":0}"#)
            #expect(mixture["prompt"] == "abc" && mixture["tokens_evaluated"] == 3)
        }
    }

    @Test func probabilitiesComeByToken() async throws {
        try await RunningDaemon.run { daemon in
            let answer = try await daemon.json(
                "/completion", #"{"prompt":"ab","n_predict":3,"n_probs":2,"logit_bias":\#(endless)}"#)
            let tokens = Self.array(answer["completion_probabilities"])
            #expect(tokens.count == 3)
            for token in tokens {
                #expect(Self.names(token) == ["id", "token", "bytes", "logprob", "top_logprobs"])
                #expect(Self.array(token["top_logprobs"]).count == 2)
            }
        }
    }

    @Test func anAnswerKeepsToASchema() async throws {
        try await RunningDaemon.run { daemon in
            let answer = try await daemon.json(
                "/completion", #"{"prompt":"x","json_schema":{"enum":["yes"]},"n_predict":20}"#)
            #expect(answer["content"] == #""yes""# && answer["stop_type"] == "eos")
            let both = try await daemon.post(
                "/completion", #"{"prompt":"x","json_schema":{},"grammar":"root ::= \"a\""}"#)
            #expect(both.status == 400)
            #expect(try both.json()["error"]?["param"] == "json_schema")
        }
    }

    @Test func onlyTheFieldsThatWereAskedForCome() async throws {
        try await RunningDaemon.run { daemon in
            let body =
                #"{"prompt":"a","n_predict":0,"response_fields":["content","generation_settings/n_predict","x/y"]}"#
            let answer = try await daemon.json("/completion", body).text
            #expect(answer == #"{"content":"","n_predict":0}"#)
        }
    }

    @Test func valuesThatMeanNothingAreTaken() throws {
        let call = try Self.call(
            #"{"prompt":"a","n_predict":-1,"seed":4294967295,"mirostat":0,"typical_p":1,"dry_multiplier":0,"#
                + #""xtc_probability":0,"top_n_sigma":-1,"ignore_eos":false,"lora":[],"n_keep":0,"min_keep":0,"#
                + #""grammar":"","samplers":["penalties","top_k","top_p","min_p","temperature"],"whatever":{}}"#
        )
        #expect(call.request.settings.maxTokens == nil && call.request.settings.seed == nil)
        #expect(call.request.settings.topK == nil && call.request.constraint == nil)
        let few = #"{"prompt":"a","top_k":5,"repeat_penalty":1.5,"samplers":["temperature"]}"#
        let fewer = try Self.call(few).request.settings
        #expect(fewer.topK == 0 && fewer.topP == 1 && fewer.minP == 0 && fewer.temperature == nil)
        #expect(fewer.repeatPenalty == 1 && fewer.presencePenalty == 0 && fewer.frequencyPenalty == 0)
    }

    @Test(arguments: [
        ("prompt", "7"), ("prompt", "[]"), ("prompt", "[[]]"), ("prompt", "[-1]"), ("prompt", "[1.5]"),
        ("prompt", "[true]"), ("n_predict", "-3"), ("n_probs", "21"), ("n_cmpl", "0"), ("mirostat", "2"),
        ("typical_p", "0.5"), ("dry_multiplier", "0.8"), ("xtc_probability", "0.5"), ("top_n_sigma", "1"),
        ("dynatemp_range", "0.5"), ("t_max_predict_ms", "100"), ("n_indent", "2"), ("ignore_eos", "true"),
        ("post_sampling_probs", "true"), ("lora", #"[{"id":0,"scale":1}]"#), ("samplers", #""kt""#),
        ("response_fields", "[1]"), ("logit_bias", #"[["a",1]]"#), ("logit_bias", "[[1,true]]"),
        ("json_schema", "7"), ("stop", "7"),
    ])
    func whatIsWrongOrNotDoneIsNamed(field: String, value: String) throws {
        let prompt = field == "prompt" ? "" : #""prompt":"a","#
        let failure = #expect(throws: Failure.self) { try Self.call(#"{\#(prompt)"\#(field)":\#(value)}"#) }
        #expect(failure?.status == .badRequest && failure?.parameter == field, "\(field): \(value)")
    }

    @Test func errorsHaveTheStatusAsTheirCode() async throws {
        try await RunningDaemon.run { daemon in
            let requests = [
                (#"{"prompt":[99999]}"#, 400, "prompt"), (#"{"prompt":"a","model":"none"}"#, 404, "model"),
                (#"{"prompt":""}"#, 400, "prompt"),
            ]
            for (body, status, parameter) in requests {
                let response = try await daemon.post("/completion", body)
                #expect(response.status == status, "\(body)")
                let error = try response.json()["error"]
                #expect(error?["code"] == JSON(status) && error?["param"] == .string(parameter), "\(body)")
            }
        }
    }

    // MARK: - Templates and state

    @Test func aChatIsWrittenAsItsModelReadsIt() async throws {
        try await RunningDaemon.run { daemon in
            let chat = #""messages":[{"role":"system","content":"S"},{"role":"user","content":"Q"}]"#
            let written = try await daemon.json("/apply-template", "{\(chat)}")
            let text =
                "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nQ<|im_end|>\n<|im_start|>assistant\n"
            #expect(written["prompt"] == .string(text))
            let closed = try await daemon.json(
                "/apply-template", #"{\#(chat),"add_generation_prompt":false}"#)
            #expect(Self.string(closed["prompt"]) + "<|im_start|>assistant\n" == text)
            let tools = try await daemon.json(
                "/apply-template",
                #"{\#(chat),"tools":[{"type":"function","function":{"name":"clock"}}]}"#)
            #expect(Self.string(tools["prompt"]).contains("clock"))
            // Completing that text is answering that chat.
            let settings = #""temperature":0,"max_tokens":6,"logit_bias":\#(endless)"#
            let answer = try await daemon.json("/v1/chat/completions", "{\(chat),\(settings)}")
            let completion = try await daemon.json(
                "/completion", #"{"prompt":\#(JSON.string(text).text),\#(settings)}"#)
            let said = Self.array(answer["choices"]).first?["message"]?["content"]
            #expect(completion["content"] == said)
            #expect(completion["tokens_evaluated"] == answer["usage"]?["prompt_tokens"])
        }
    }

    @Test func propertiesTellTheModelAndItsSettings() async throws {
        try await RunningDaemon.run { daemon in
            let asleep = try await daemon.get("/props?model=tiny").json()
            #expect(asleep["is_sleeping"] == true)
            #expect(asleep["default_generation_settings"]?["n_ctx"] == 512)
            _ = try await daemon.json("/completion", #"{"prompt":"a","n_predict":0}"#)
            let props = try await daemon.get("/props").json()
            #expect(props["is_sleeping"] == false && props["total_slots"] == 4)
            #expect(Self.string(props["model_path"]).hasSuffix("/tiny.gguf"))
            #expect(Self.string(props["chat_template"]).contains("<|im_start|>"))
            #expect(props["modalities"] == ["vision": false, "audio": false])
            #expect(props["eos_token"] == "<|im_end|>")
            let parameters = props["default_generation_settings"]?["params"]
            #expect(parameters?["n_predict"] == -1 && parameters?["temperature"] == JSON(0.7))
            #expect(try await daemon.get("/props?model=none").status == 404)
        }
    }

    @Test func slotsAreThePlacesForAnswers() async throws {
        try await RunningDaemon.run { daemon in
            let slots = Self.array(try await daemon.get("/slots?fail_on_no_slot=1").json())
            #expect(slots.map { $0["id"] } == [0, 1, 2, 3])
            #expect(slots.allSatisfy { $0["is_processing"] == false && $0["n_ctx"] == 512 })
        }
    }

    @Test func whenAllSlotsAreTakenThatIsAnErrorOnRequest() async throws {
        try await RunningDaemon.run(contextLength: RunningDaemon.endlessContext) { daemon in
            let body = #"{"prompt":"a","n_predict":90000,"stream":true,"logit_bias":\#(endless)}"#
            var connections: [TestConnection] = []
            defer { for connection in connections { connection.close() } }
            for _ in 0..<4 {
                let connection = try daemon.connect()
                connections.append(connection)
                try connection.send(TestConnection.text("POST", "/completion", body: body))
            }
            let end = ContinuousClock.now + .seconds(60)
            var response = try await daemon.get("/slots?fail_on_no_slot=1")
            while response.status == 200, ContinuousClock.now < end {
                response = try await daemon.get("/slots?fail_on_no_slot=1")
            }
            #expect(response.status == 503)
            #expect(try response.json()["error"]?["type"] == "unavailable_error")
            let slots = Self.array(try await daemon.get("/slots").json())
            #expect(slots.allSatisfy { $0["is_processing"] == true })
        }
    }

    @Test func modelsAreListedWithTheirState() async throws {
        try await RunningDaemon.run { daemon in
            let models = Self.array(try await daemon.get("/models").json()["data"])
            #expect(models.map { $0["id"] } == ["tiny"])
            #expect(models.first?["status"]?["value"] == "unloaded")
        }
    }
}
