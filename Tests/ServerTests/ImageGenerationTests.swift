import AssistantAPI
import FoundationEssentials
import HTTPTypes
import ImageCodecs
import Testing

@testable import Assistant
@testable import Server

/// `POST /v1/images/generations`, as OpenAI's clients and others call it.
@Suite(.timeLimit(.minutes(5)))
struct ImageGenerationTests {
    private static let path = "/v1/images/generations"

    private static func call(_ body: String) throws -> ImageGenerationCall {
        try ImageGenerationCall(Fields(JSONParser.parse(Array(body.utf8))))
    }

    @Test func picturesComeWhole() async throws {
        try await RunningDaemon.run(painter: ScriptedPainter()) { daemon in
            let json = try await daemon.json(
                Self.path, #"{"model":"paint","prompt":"a fox","n":2,"size":"64x128","seed":7,"steps":3}"#)
            guard case .array(let data) = json["data"], case .string(let first) = data[0]["b64_json"] else {
                Issue.record("\(json.text.prefix(300))")
                return
            }
            #expect(data.count == 2)
            #expect(data.map { $0["seed"] } == [7, 8])
            let bitmap = try Bitmap(decoding: Array(try #require(Data(base64Encoded: first))))
            #expect((bitmap.width, bitmap.height) == (64, 128))
            #expect(bitmap.samples.prefix(3) == [7, 3, 7])
            #expect(json["size"] == "64x128" && json["output_format"] == "png")
            #expect(json["background"] == "opaque" && json["quality"] == "auto")
            #expect(json["created"] != nil && json["timings"]?["denoise_ms"] != nil)
            #expect(
                json["usage"]?.text
                    == #"{"input_tokens":5,"output_tokens":0,"total_tokens":5,"#
                    + #""input_tokens_details":{"text_tokens":5,"image_tokens":0}}"#)
            guard case .string(let id) = data[1]["id"] else { return }
            #expect(try await daemon.get("/inkling/v1/pictures/\(id)").status == 200)
        }
    }

    @Test func aURLIsOneThatNeedsNoServer() async throws {
        try await RunningDaemon.run(painter: ScriptedPainter()) { daemon in
            let json = try await daemon.json(
                Self.path,
                #"{"prompt":"p","response_format":"url","output_format":"webp","output_compression":80}"#)
            guard case .array(let data) = json["data"], case .string(let url) = data.first?["url"] else {
                return
            }
            #expect(url.hasPrefix("data:image/webp;base64,"))
            #expect(data[0]["b64_json"] == nil)
        }
    }

    @Test func partialPicturesAndThePictureAreStreamed() async throws {
        try await RunningDaemon.run(painter: ScriptedPainter()) { daemon in
            let response = try await daemon.post(
                Self.path, #"{"prompt":"a fox","stream":true,"partial_images":3,"quality":"high","seed":1}"#)
            #expect(response.headers["content-type"]?.hasPrefix("text/event-stream") == true)
            let names = response.text.split(separator: "\n").filter { $0.hasPrefix("event: ") }
            let partial = "event: image_generation.partial_image"
            #expect(names == [partial[...], partial[...], partial[...], "event: image_generation.completed"])
            let events = try response.events.map { try JSONParser.parse(Array($0.utf8)) }
            #expect(events.map { $0["type"]?.text } == names.map { "\"\($0.dropFirst(7))\"" })
            #expect(events.map { $0["partial_image_index"] } == [0, 1, 2, nil])
            for event in events {
                #expect(event["size"] == "64x64" && event["output_format"] == "png")
                #expect(event["quality"] == "high" && event["background"] == "opaque")
                #expect(event["created_at"] != nil)
                guard case .string(let text) = event["b64_json"] else { continue }
                #expect(try Bitmap(decoding: Array(try #require(Data(base64Encoded: text)))).width == 64)
            }
            #expect(events.last?["usage"]?["total_tokens"] == 5)
            #expect(events.map { $0["timings"]?["total_ms"] != nil } == [false, false, false, true])
        }
    }

    private static let failures: [(body: String, status: Int, parameter: String?, says: String)] = [
        ("{}", 400, "prompt", "prompt"), (#"{"prompt":"p","size":"big"}"#, 400, "size", "WIDTHxHEIGHT"),
        (#"{"prompt":"p","size":"0x64"}"#, 400, "size", "WIDTHxHEIGHT"),
        (#"{"prompt":"p","size":"100x64"}"#, 400, "size", "multiples of 8"),
        (#"{"prompt":"p","n":11}"#, 400, "n", "10"),
        (#"{"prompt":"p","partial_images":4}"#, 400, "partial_images", "3"),
        (#"{"prompt":"p","output_format":"jpeg"}"#, 400, "output_format", "webp"),
        (#"{"prompt":"p","output_format":"gif"}"#, 400, "output_format", "png"),
        (#"{"prompt":"p","response_format":"file"}"#, 400, "response_format", "b64_json"),
        (#"{"prompt":"p","background":"transparent"}"#, 400, "background", "opaque"),
        (#"{"prompt":"p","output_compression":101}"#, 400, "output_compression", "100"),
        (#"{"prompt":"p","cfg_scale":"x"}"#, 400, "cfg_scale", "number"),
        (#"{"prompt":"p","user":7}"#, 400, "user", "string"),
        (#"{"prompt":"p","model":"dall-e-3"}"#, 404, "model", "paint"),
        (#"{"prompt":"p<sd_cpp_extra_args>{</sd_cpp_extra_args>"}"#, 400, "prompt", "sd_cpp_extra_args"),
        (
            #"{"prompt":"p<sd_cpp_extra_args>{\"steps\":0}</sd_cpp_extra_args>"}"#, 400,
            "sd_cpp_extra_args.steps", "1"
        ),
    ]

    @Test(arguments: [false, true])
    func failuresHaveOpenAIsShapeAndNameTheField(streams: Bool) async throws {
        try await RunningDaemon.run(painter: ScriptedPainter()) { daemon in
            for failure in Self.failures {
                let body =
                    streams
                    ? failure.body.replacing("{", with: #"{"stream":true,"#, maxReplacements: 1)
                        .replacing(",}", with: "}") : failure.body
                let response = try await daemon.post(Self.path, body)
                #expect(response.status == failure.status, "\(body): \(response.text)")
                let error = try response.error()
                #expect(error.parameter == failure.parameter, "\(body)")
                #expect(error.message.contains(failure.says), "\(error.message)")
            }
        }
    }

    @Test func aFailureInTheMiddleIsTheStreamsLastEvent() async throws {
        struct Broken: Error {}
        let painter = ScriptedPainter { step, _ in if step == 2 { throw Broken() } }
        try await RunningDaemon.run(painter: painter) { daemon in
            let response = try await daemon.post(
                Self.path, #"{"prompt":"p","stream":true,"partial_images":1}"#)
            #expect(response.status == 200)
            let last = try JSONParser.parse(Array(try #require(response.events.last).utf8))
            #expect(last["type"] == "error")
            #expect(last["error"]?["code"] == "model_unusable")
            #expect(response.text.contains("event: error\n"))
        }
    }

    @Test func fieldsOfOthersAreTaken() throws {
        let call = try Self.call(
            #"{"prompt":"p","cfg_scale":2.5,"negative_prompt":"n","scheduler":"lcm","decoder":"tiny","#
                + #""clip_skip":1,"seed":-1,"moderation":"low","style":"vivid","user":"u","size":"auto","#
                + #""loras":["ink",{"name":"wash","weight":0.5}],"quality":"hd","whatever":{}}"#)
        let request = call.request
        #expect(request.guidanceScale == 2.5 && request.negativePrompt == "n" && request.scheduler == "lcm")
        #expect(request.decoder == "tiny" && request.clipSkip == 1 && request.seed == nil)
        #expect(request.width == nil && request.height == nil)
        #expect(request.loras == [.init(name: "ink"), .init(name: "wash", weight: 0.5)])
        #expect(try Self.call(#"{"prompt":"p","cfg_scale":2,"guidance_scale":3}"#).request.guidanceScale == 3)
        #expect(try Self.call(#"{"prompt":"p","seed":18446744073709551615}"#).request.seed == .max)
    }

    @Test func argumentsInsideThePromptAreTakenOut() throws {
        let nested =
            #"{\"seed\":7,\"width\":128,\"height\":64,\"negative_prompt\":\"n\",\"clip_skip\":2,\"sample_params\":"#
            + #"{\"sample_steps\":8,\"sample_method\":\"dpm++2m\",\"scheduler\":\"karras\",\"guidance\":{\"txt_cfg\":1.5}}}"#
        var request = try Self.call(
            #"{"prompt":"a fox <sd_cpp_extra_args>\#(nested)</sd_cpp_extra_args>"}"#
        ).request
        #expect(request.prompt == "a fox")
        #expect(request.seed == 7 && request.steps == 8 && request.guidanceScale == 1.5)
        #expect(request.scheduler == "dpmpp_2m_karras" && request.negativePrompt == "n")
        #expect(request.width == 128 && request.height == 64 && request.clipSkip == 1)
        // The request's own fields count more, and the older names are known too.
        request = try Self.call(
            #"{"prompt":"a<sd_cpp_extra_args>{\"seed\":7,\"steps\":9,\"cfg_scale\":4,\"sample_method\":\"euler_a\","#
                + #"\"width\":64}</sd_cpp_extra_args>b","seed":5,"size":"32x32"}"#
        ).request
        #expect(request.prompt == "ab")
        #expect(request.seed == 5 && request.steps == 9 && request.guidanceScale == 4 && request.width == 32)
        #expect(request.scheduler == "euler_a")
        #expect(
            try Self.call(#"{"prompt":"a <sd_cpp_extra_args> b"}"#).request.prompt
                == "a <sd_cpp_extra_args> b")
    }

    private static let values = [
        "-1", "0", "1", "20", "101", "2147483648", "9007199254740993", "9223372036854775808",
        "18446744073709551616", "-9223372036854775809", "1e308", "-1e308", "1e-400", "0.5", "1.0", "\"NaN\"",
        "\"5\"", "null", "true", "[]", "{}",
    ]

    @Test(arguments: [
        "n", "partial_images", "output_compression", "seed", "steps", "guidance_scale", "cfg_scale",
        "strength",
        "clip_skip", "size", "quality", "loras", "stream",
    ])
    func fieldIsTakenOrNamed(field: String) throws {
        for value in Self.values {
            let body = #"{"prompt":"p","output_format":"webp","\#(field)":\#(value)}"#
            do throws(Failure) {
                let json: JSON
                do { json = try JSONParser.parse(Array(body.utf8)) } catch { throw .invalid("\(error)") }
                let request = try ImageGenerationCall(Fields(json)).request
                #expect((1...10).contains(request.count ?? 1) && (1...1000).contains(request.steps ?? 1))
                #expect(
                    (0...3).contains(request.partialImages ?? 0) && (0...100).contains(request.quality ?? 0))
                #expect(
                    (0...100).contains(request.guidanceScale ?? 0) && (0...1).contains(request.strength ?? 0))
                #expect((0...11).contains(request.clipSkip ?? 0))
            } catch {
                #expect(error.status == .badRequest)
                #expect(error.parameter == field, "\(field): \(value)")
                #expect(error.message.contains("'\(field)"))
            }
        }
    }

    @Test func modelsThatPaintAreListedWithWhatTheyMake() async throws {
        try await RunningDaemon.run(painter: ScriptedPainter()) { daemon in
            let list = try await daemon.get("/v1/models").json()
            guard case .array(let models) = list["data"] else { return }
            #expect(models.map { $0["id"] } == ["paint", "tiny"])
            #expect(models[0]["architecture"]?["output_modalities"] == ["image"])
            #expect(models[0]["meta"]?["n_params"] == 500)
            #expect(models[1]["architecture"]?["output_modalities"] == ["text"])
            #expect(try await daemon.get("/v1/models/paint").json()["id"] == "paint")
            let native = try await daemon.get("/inkling/v1/models").json()
            guard case .array(let summaries) = native["models"] else { return }
            #expect(summaries[0]["kind"] == "picture")
            #expect(summaries[0]["picture_details"]?["family"] == "sd1")
        }
    }
}
