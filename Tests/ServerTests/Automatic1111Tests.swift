import AssistantAPI
import FoundationEssentials
import HTTPTypes
import ImageCodecs
import Testing

@testable import Assistant
@testable import Server

/// A1111's API of pictures, as its clients call it.
@Suite(.timeLimit(.minutes(5)))
struct Automatic1111Tests {
    private static func call(_ body: String, startsFromPicture: Bool = false) throws -> Automatic1111Call {
        try Automatic1111Call(
            Fields(JSONParser.parse(Array(body.utf8))), startsFromPicture: startsFromPicture, checkpoint: "m")
    }

    private static func information(_ answer: JSON) throws -> JSON {
        guard case .string(let text) = answer["info"] else { throw ClientError.malformed(answer.text) }
        return try JSONParser.parse(Array(text.utf8))
    }

    @Test func picturesComeWithWhatMadeThem() async throws {
        try await RunningDaemon.run(painter: ScriptedPainter()) { daemon in
            let body =
                #"{"prompt":"a fox","negative_prompt":"blurry","width":64,"height":128,"steps":3,"seed":7,"#
                + #""batch_size":2,"cfg_scale":5,"sampler_name":"Euler a"}"#
            let answer = try await daemon.json("/sdapi/v1/txt2img", body)
            guard case .array(let images) = answer["images"], case .string(let file) = images.first else {
                Issue.record("\(answer.text.prefix(300))")
                return
            }
            #expect(images.count == 2)
            let bitmap = try Bitmap(decoding: Array(try #require(Data(base64Encoded: file))))
            #expect((bitmap.width, bitmap.height) == (64, 128))
            #expect(bitmap.samples.prefix(3) == [7, 3, 7])
            #expect(answer["parameters"]?["prompt"] == "a fox")
            let information = try Self.information(answer)
            #expect(information["all_seeds"] == [7, 8] && information["sampler_name"] == "Euler a")
            #expect(information["sd_model_name"] == "paint" && information["negative_prompt"] == "blurry")
            #expect(information["timings"]?["total_ms"] != nil)
            let start =
                #"{"init_images":["data:image/png;base64,\#(file)"],"prompt":"b","denoising_strength":0.5}"#
            let changed = try await daemon.json("/sdapi/v1/img2img", start)
            #expect(try Self.information(changed)["denoising_strength"] == JSON(0.5))
            #expect(changed["parameters"]?["init_images"] == nil)
        }
    }

    @Test func theChosenModelPaintsAndTheListsAreThere() async throws {
        try await RunningDaemon.run(painter: ScriptedPainter()) { daemon in
            try ScriptedPainter.makeModel("other", in: daemon.folder + "/data/inkling/models")
            let options = try await daemon.get("/sdapi/v1/options").json()
            #expect(options["sd_model_checkpoint"] == "other")
            let models = try await daemon.get("/sdapi/v1/sd-models").json()
            guard case .array(let entries) = models else { return }
            #expect(entries.map { $0["title"] } == ["other", "paint"])
            _ = try await daemon.json("/sdapi/v1/options", #"{"sd_model_checkpoint":"paint","unknown":1}"#)
            #expect(try await daemon.get("/sdapi/v1/options").json()["sd_model_checkpoint"] == "paint")
            let answer = try await daemon.json("/sdapi/v1/txt2img", #"{"prompt":"p"}"#)
            #expect(try Self.information(answer)["sd_model_name"] == "paint")
            for list in ["samplers", "schedulers", "upscalers", "latent-upscale-modes", "sd-vae"] {
                guard case .array = try await daemon.get("/sdapi/v1/" + list).json() else {
                    Issue.record("\(list) is no list")
                    continue
                }
            }
            let none = try await daemon.post("/sdapi/v1/options", #"{"sd_model_checkpoint":"none"}"#)
            #expect(none.status == 404)
            #expect(try none.json()["detail"]?.text.contains("none") == true)
        }
    }

    @Test func theProgressIsToldAndAnInterruptionAnswersWhatIsFinished() async throws {
        let gate = StepGate()
        let painter = ScriptedPainter { step, pass in if step == 3 { try gate.pass(step, pass) } }
        try await RunningDaemon.run(painter: painter) { daemon in
            #expect(try await daemon.get("/sdapi/v1/progress").json()["progress"] == JSON(0.0))
            async let answer = daemon.json("/sdapi/v1/txt2img", #"{"prompt":"p","steps":4}"#)
            #expect(await gate.reached() == 3)
            let told = try await Self.progress(of: daemon) { told in
                told["state"]?["sampling_step"] == 3 && told["current_image"] != .null
            }
            #expect(told["progress"] == JSON(0.75) && told["state"]?["sampling_steps"] == 4)
            guard case .string(let image) = told["current_image"] else {
                Issue.record("\(told.text.prefix(200))")
                return
            }
            #expect(try Bitmap(decoding: Array(try #require(Data(base64Encoded: image)))).width == 64)
            let bare = try await daemon.get("/sdapi/v1/progress?skip_current_image=true").json()
            #expect(bare["current_image"] == .null)
            _ = try await daemon.json("/sdapi/v1/interrupt", "{}")
            #expect(try await answer["images"] == [])
            #expect(try await daemon.get("/sdapi/v1/progress").json()["progress"] == JSON(0.0))
        }
    }

    /// Asks until what happened on the engine's thread has come to the API.
    private static func progress(
        of daemon: RunningDaemon, _ isThere: (JSON) -> Bool
    ) async throws -> JSON {
        let end = ContinuousClock.now + .seconds(30)
        while true {
            let told = try await daemon.get("/sdapi/v1/progress").json()
            if isThere(told) || ContinuousClock.now > end { return told }
        }
    }

    @Test func samplersAreOurSchedulers() throws {
        let cases: [(fields: String, scheduler: String?)] = [
            ("", nil), (#","sampler_name":"Euler""#, "euler"), (#","sampler_index":"k_euler_a""#, "euler_a"),
            (#","sampler_name":"DPM++ 2M Karras""#, "dpmpp_2m_karras"),
            (#","sampler_name":"DPM++ 2M","scheduler":"karras""#, "dpmpp_2m_karras"),
            (#","sampler_name":"dpm++ 2m","scheduler":"Automatic""#, "dpmpp_2m"),
            (#","scheduler":"Karras""#, "dpmpp_2m_karras"), (#","sampler_name":"UniPC""#, "unipc"),
        ]
        for (fields, scheduler) in cases {
            #expect(try Self.call(#"{"prompt":"p"\#(fields)}"#).request.scheduler == scheduler, "\(fields)")
        }
        let call = try Self.call(
            #"{"prompt":"p","n_iter":2,"batch_size":3,"seed":-1,"override_settings":{"sd_model_checkpoint":"x","#
                + #""CLIP_stop_at_last_layers":2},"save_images":true,"alwayson_scripts":{},"styles":[]}"#)
        #expect(call.request.count == 6 && call.request.seed == nil && call.request.model == "x")
        #expect(call.request.clipSkip == 1)
        #expect(try Self.call("{}").request.model == "m")
    }

    @Test func loraFilesAreListedAndNamedInThePrompt() async throws {
        try await RunningDaemon.run(painter: ScriptedPainter()) { daemon in
            #expect(try await daemon.get("/sdapi/v1/loras").json() == [])
            let folder = daemon.folder + "/data/inkling/models/loras"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let header = #"{"__metadata__":{"ss_output_name":"wash-v2","ss_seed":"7"}}"#
            let length = [UInt8(header.utf8.count)] + [UInt8](repeating: 0, count: 7)
            let files = [("wash", Data(length + Array(header.utf8))), ("ink", Data("no header".utf8))]
            for (name, data) in files {
                try data.write(to: URL(filePath: "\(folder)/\(name).safetensors"))
            }
            let list = try await daemon.get("/sdapi/v1/loras").json()
            guard case .array(let entries) = list else {
                Issue.record("\(list.text)")
                return
            }
            #expect(entries.map { $0["name"] } == ["ink", "wash"])
            #expect(entries.map { $0["alias"] } == ["ink", "wash-v2"])
            #expect(entries.map { $0["metadata"]?["ss_seed"] } == [nil, "7"])
            #expect(entries[0]["path"] == .string(folder + "/ink.safetensors"))
            let answer = try await daemon.json("/sdapi/v1/txt2img", #"{"prompt":"a fox <lora:wash:0.5>"}"#)
            #expect(try Self.information(answer)["prompt"] == "a fox")
            let unknown = try await daemon.post("/sdapi/v1/txt2img", #"{"prompt":"a <lora:none:1>"}"#)
            #expect(unknown.status == 400 && unknown.text.contains("none"))
        }
    }

    @Test func aPromptsTagsAreTakenOut() throws {
        let cases: [(prompt: String, rest: String, loras: [PictureRequest.LoRA])] = [
            ("a fox", "a fox", []), (" a < b > c ", " a < b > c ", []), ("a <lora:ink", "a <lora:ink", []),
            ("<lora:ink>", "", [.init(name: "ink", weight: 1)]),
            (
                "<lora:ink:0.5> a <lora:wa sh.v2:-1>fox ", "a fox",
                [.init(name: "ink", weight: 0.5), .init(name: "wa sh.v2", weight: -1)]
            ),
        ]
        for (prompt, rest, loras) in cases {
            let request = try Self.call(JSON([("prompt", .string(prompt))]).text).request
            #expect(request.prompt == rest)
            #expect(request.loras ?? [] == loras)
        }
        for tag in ["<lora:>", "<lora:a:b>", "<lora:a:11>", "<lora:a:nan>", "<lora:a:1:2>", "<lora::1>"] {
            let error = #expect(throws: Failure.self) { try Self.call(#"{"prompt":"\#(tag)"}"#) }
            #expect(error?.parameter == "prompt" && error?.message.contains(tag) == true)
        }
    }

    @Test(arguments: [
        ("enable_hr", "true"), ("restore_faces", "true"), ("tiling", "true"), ("styles", #"["a"]"#),
        ("script_name", #""x""#), ("alwayson_scripts", #"{"controlnet":{}}"#), ("subseed_strength", "0.5"),
        ("sampler_name", #""Heun""#), ("scheduler", #""Beta""#), ("batch_size", "11"), ("steps", "0"),
        ("init_images", "[]"), ("denoising_strength", "2"),
    ])
    func whatWouldChangeThePictureIsRefused(field: String, value: String) throws {
        var body = #"{"prompt":"p","\#(field)":\#(value)"#
        if field == "denoising_strength" { body += #","init_images":["aGk="]"# }
        let error = #expect(throws: Failure.self) { try Self.call(body + "}", startsFromPicture: true) }
        #expect(error?.parameter == field && error?.status == .badRequest, "\(error?.message ?? "")")
    }
}
