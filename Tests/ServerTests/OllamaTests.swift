import FoundationEssentials
import HTTPTypes
import ImageCodecs
import Testing

@testable import Assistant
@testable import Server

/// Ollama's API, line by line.
@Suite(.timeLimit(.minutes(5)))
struct OllamaTests {
    /// The lines of a stream, each of which is JSON by itself.
    private static func lines(_ response: TestResponse) throws -> [JSON] {
        #expect(response.headers["content-type"] == "application/x-ndjson")
        #expect(response.text.hasSuffix("\n") && !response.text.contains("\n\n"))
        return try response.text.split(separator: "\n").map { try JSONParser.parse(Array($0.utf8)) }
    }

    private static func chat(_ more: String = "", tokens: Int = 3) -> String {
        #"{"model":"Tiny:latest","messages":[{"role":"user","content":"Hi"}],"#
            + #""options":{"seed":7,"num_predict":\#(tokens),"logit_bias":\#(endless)}\#(more)}"#
    }

    @Test func anAnswerComesInLinesOfWhichTheLastTellsTheTimes() async throws {
        try await RunningDaemon.run { daemon in
            let lines = try Self.lines(await daemon.post("/api/chat", Self.chat()))
            let last = try #require(lines.last)
            for line in lines.dropLast() {
                #expect(line["done"] == false && line["message"]?["role"] == "assistant")
                #expect(line["done_reason"] == nil)
            }
            for line in lines { #expect(line["model"] == "Tiny:latest" && line["created_at"] != nil) }
            #expect(last["done"] == true && last["done_reason"] == "length")
            #expect(last["message"] == ["role": "assistant", "content": ""])
            #expect(last["eval_count"] == 3)
            for name in ["total_duration", "load_duration", "prompt_eval_duration", "eval_duration"] {
                guard case .number(let number) = last[name], let time = number.integer(as: Int.self) else {
                    Issue.record("no \(name) in \(last.text)")
                    continue
                }
                #expect(time > 0)
            }
            let text = lines.compactMap { line -> String? in
                if case .string(let text) = line["message"]?["content"] { text } else { nil }
            }.joined()
            let whole = try await daemon.json("/api/chat", Self.chat(#","stream":false"#))
            #expect(whole["message"]?["content"] == .string(text))
            #expect(whole["done"] == true && whole["prompt_eval_count"] == last["prompt_eval_count"])
        }
    }

    @Test func theContextGoesOnWhereTheLastAnswerEnded() async throws {
        try await RunningDaemon.run { daemon in
            func body(_ context: String) -> String {
                #"{"model":"tiny","prompt":"Hi","system":"S","stream":false\#(context),"#
                    + #""options":{"seed":7,"num_predict":3,"logit_bias":\#(endless)}}"#
            }
            let first = try await daemon.json("/api/generate", body(""))
            guard case .array(let tokens) = first["context"] else {
                Issue.record("no context in \(first.text)")
                return
            }
            #expect(first["done_reason"] == "length")
            #expect(first["prompt_eval_count"] == JSON(tokens.count - 3))
            let second = try await daemon.json(
                "/api/generate", body(#","context":\#(JSON.array(tokens).text)"#))
            guard case .array(let all) = second["context"] else { return }
            #expect(Array(all.prefix(tokens.count)) == tokens)
            #expect(all.count == 2 * tokens.count)
            // An answer that the model ended is kept with its end.
            let ended = try await daemon.json(
                "/api/generate",
                #"{"model":"tiny","prompt":"Hi","stream":false,"options":{"logit_bias":{"258":100}}}"#)
            guard case .array(let turns) = ended["context"] else { return }
            #expect(ended["done_reason"] == "stop" && ended["eval_count"] == 0 && turns.last == 258)
        }
    }

    @Test func aRawPromptIsTakenAsItIs() async throws {
        try await RunningDaemon.run { daemon in
            let answer = try await daemon.json(
                "/api/generate",
                #"{"model":"tiny","prompt":"<|im_start|>x","raw":true,"stream":false,"options":{"num_predict":1}}"#
            )
            #expect(answer["prompt_eval_count"] == 2 && answer["context"] == nil)
            let text = try await daemon.json(
                "/api/generate",
                #"{"model":"tiny","prompt":"<|im_start|>x","stream":false,"options":{"num_predict":1}}"#)
            guard case .number(let count) = text["prompt_eval_count"] else { return }
            #expect(count.value > 13)
        }
    }

    @Test func aModelComesIsListedAndGoes() async throws {
        try await RunningDaemon.run { daemon in
            let load = try await daemon.json("/api/generate", #"{"model":"tiny","keep_alive":"1h"}"#)
            #expect(load["done_reason"] == "load" && load["done"] == true && load["response"] == "")
            let loaded = try await daemon.get("/api/ps").json()
            guard case .array(let models) = loaded["models"], let model = models.first else {
                Issue.record("\(loaded.text)")
                return
            }
            #expect(models.count == 1 && model["model"] == "tiny:latest" && model["size_vram"] == 0)
            #expect(model["context_length"] == 512 && model["expires_at"] != nil)
            let chat = try await daemon.json("/api/chat", #"{"model":"tiny","messages":[],"keep_alive":0}"#)
            #expect(chat["done_reason"] == "unload" && chat["message"]?["content"] == "")
            #expect(try await daemon.get("/api/ps").json() == ["models": []])
            // Twice is no error, another name is.
            #expect(try await daemon.post("/api/generate", #"{"model":"tiny","keep_alive":0}"#).status == 200)
            #expect(try await daemon.post("/api/generate", #"{"model":"none","keep_alive":0}"#).status == 404)
        }
    }

    @Test func modelsAreListedWithTagsAndDescribed() async throws {
        try await RunningDaemon.run(painter: ScriptedPainter()) { daemon in
            let version = try await daemon.get("/api/version").json()
            #expect(version["inkling"] == .string(Daemon.version))
            let tags = try await daemon.get("/api/tags").json()
            guard case .array(let models) = tags["models"] else { return }
            #expect(models.map { $0["name"] } == ["paint:latest", "tiny:latest"])
            #expect(models.map { $0["capabilities"] } == [["image"], ["completion", "tools", "embedding"]])
            #expect(models[1]["details"]?["family"] == "llama" && models[1]["details"]?["format"] == "gguf")
            guard case .string(let digest) = models[1]["digest"] else { return }
            #expect(digest.utf8.count == 64)
            let chat = try await daemon.json("/api/show", #"{"model":"TINY"}"#)
            #expect(chat["model_info"]?["llama.context_length"] == 512)
            #expect(chat["model_info"]?["general.architecture"] == "llama")
            #expect(chat["template"] == "{{ '<|im_start|>' }}{{ '<|im_end|>' }}")
            guard case .string(let parameters) = chat["parameters"] else { return }
            #expect(parameters.contains("stop \"<|im_end|>\""))
            let picture = try await daemon.json("/api/show", #"{"name":"paint:latest"}"#)
            #expect(picture["capabilities"] == ["image"] && picture["model_info"]?["image.width"] == 64)
        }
    }

    @Test func aPictureIsCountedStepByStepAndComesLast() async throws {
        try await RunningDaemon.run(painter: ScriptedPainter()) { daemon in
            let body =
                #"{"model":"paint","prompt":"a fox","width":64,"height":128,"steps":3,"options":{"seed":9}"#
            let lines = try Self.lines(await daemon.post("/api/generate", body + "}"))
            #expect(lines.dropLast().map { $0["completed"] } == [1, 2, 3])
            for line in lines.dropLast() {
                #expect(line["total"] == 3 && line["done"] == false && line["image"] == nil)
            }
            guard case .string(let file) = lines.last?["image"] else {
                Issue.record("no picture")
                return
            }
            let bitmap = try Bitmap(decoding: Array(try #require(Data(base64Encoded: file))))
            #expect((bitmap.width, bitmap.height) == (64, 128))
            #expect(bitmap.samples.prefix(3) == [9, 3, 7])
            #expect(lines.last?["done"] == true && lines.last?["done_reason"] == "stop")
            let whole = try await daemon.json("/api/generate", body + #","stream":false}"#)
            #expect(whole["image"] == .string(file) && whole["done"] == true)
            let shown = try Self.lines(await daemon.post("/api/generate", body + #","partial_images":1}"#))
            #expect(shown.filter { $0["image"] != nil }.count == 2)
            let load = try await daemon.json("/api/generate", #"{"model":"paint"}"#)
            #expect(load["done_reason"] == "load")
            #expect(
                try await daemon.json("/api/generate", #"{"model":"paint","keep_alive":0}"#)["done_reason"]
                    == "unload")
        }
    }

    @Test func aFailureInTheMiddleIsTheLastLine() async throws {
        struct Broken: Error {}
        let painter = ScriptedPainter { step, _ in if step == 2 { throw Broken() } }
        try await RunningDaemon.run(painter: painter) { daemon in
            let response = try await daemon.post("/api/generate", #"{"model":"paint","prompt":"p"}"#)
            #expect(response.status == 200)
            let last = try #require(try Self.lines(response).last)
            guard case .string(let message) = last["error"] else {
                Issue.record("\(last.text)")
                return
            }
            #expect(message.contains("paint"))
        }
    }

    private static let refusals: [(path: String, body: String, status: Int, says: String)] = [
        ("/api/chat", "{}", 400, "'model' is missing"),
        ("/api/chat", #"{"model":"none","messages":[{"role":"user","content":"a"}]}"#, 404, "none"),
        ("/api/chat", chat(#","think":true"#), 400, "think"),
        ("/api/chat", chat(#","truncate":false"#), 400, "truncate"),
        ("/api/chat", chat(#","keep_alive":"soon""#), 400, "keep_alive"),
        (
            "/api/chat", #"{"model":"tiny","messages":[{"role":"user","content":"a","images":["aGk="]}]}"#,
            400,
            "cannot see"
        ),
        ("/api/generate", #"{"model":"tiny","prompt":"a","images":["aGk="]}"#, 400, "cannot see"),
        ("/api/generate", #"{"model":"tiny","prompt":"a","suffix":"b"}"#, 400, "suffix"),
        ("/api/generate", #"{"model":"tiny","prompt":"a","template":"b"}"#, 400, "template"),
        ("/api/generate", #"{"model":"tiny","prompt":"a","raw":true,"system":"b"}"#, 400, "raw"),
        ("/api/generate", #"{"model":"tiny","prompt":"a","context":["b"]}"#, 400, "context"),
        (
            "/api/generate", #"{"model":"tiny","prompt":"a","options":{"mirostat":2}}"#, 400,
            "options.mirostat"
        ),
        ("/api/generate", #"{"model":"tiny","prompt":"a","options":{"top_p":"x"}}"#, 400, "options.top_p"),
        ("/api/show", #"{"model":"none"}"#, 404, "none"), ("/api/show", "{", 400, "JSON"),
        ("/api/none", "{}", 404, "/api/none"), ("/api/tags", "{}", 405, "GET"),
    ]

    @Test func refusalsAreOneSentence() async throws {
        try await RunningDaemon.run { daemon in
            for refusal in Self.refusals {
                let response = try await daemon.post(refusal.path, refusal.body)
                #expect(response.status == refusal.status, "\(refusal.body)")
                guard case .object(let members) = try response.json(),
                    case .string(let message) = members.first?.value
                else {
                    Issue.record("\(response.text)")
                    continue
                }
                #expect(members.map(\.name) == ["error"] && message.contains(refusal.says), "\(message)")
            }
        }
    }

    @Test func optionsOfTheMachineAreLeftToIt() async throws {
        let options =
            #"{"num_ctx":2048,"num_gpu":1,"main_gpu":0,"num_thread":2,"num_batch":512,"num_keep":4,"use_mmap":true,"#
            + #""use_mlock":false,"numa":false,"low_vram":false,"mirostat":0,"mirostat_tau":5,"typical_p":1.0,"#
            + #""tfs_z":1,"penalize_newline":true,"num_predict":2,"whatever":[],"logit_bias":\#(endless)}"#
        try await RunningDaemon.run { daemon in
            let answer = try await daemon.json(
                "/api/generate", #"{"model":"tiny","prompt":"a","stream":false,"options":\#(options)}"#)
            #expect(answer["eval_count"] == 2)
        }
    }

    @Test func theProbeIsAnsweredAndAPersonGetsThePage() async throws {
        try await RunningDaemon.run { daemon in
            #expect(try await daemon.get("/").text == "Ollama is running")
            let connection = try daemon.connect()
            try connection.send(
                TestConnection.text("HEAD", "/api/version", headers: ["Connection": "close"]))
            #expect(try await connection.readToEnd().hasPrefix("HTTP/1.1 200"))
        }
    }
}
