import AssistantAPI
import Digest
import FoundationEssentials
import HTTPTypes
import ImageCodecs
import Settings
import Testing

@testable import Assistant
@testable import Server

/// `POST /v1/images/edits` and `/v1/images/variations`, as OpenAI's clients and others call them.
@Suite(.timeLimit(.minutes(5)))
struct ImageEditTests {
    private static let edits = "/v1/images/edits"
    private static let variations = "/v1/images/variations"

    /// A grey picture, a part of which may be transparent.
    private static func file(alpha: UInt8 = 255) throws -> [UInt8] {
        var samples = [UInt8](repeating: 128, count: 64 * 64 * 4)
        for index in 0..<64 * 64 { samples[4 * index + 3] = index < 2048 ? alpha : 255 }
        return try PNG.encode(Bitmap(width: 64, height: 64, channels: 4, samples: samples))
    }

    private static func form(
        image: [UInt8], mask: [UInt8]? = nil, name: String = "image", _ texts: [(String, String)]
    ) -> FormBuilder {
        var form = FormBuilder()
        form.add(name, file: image)
        if let mask { form.add("mask", file: mask) }
        for (name, text) in texts { form.add(name, text) }
        return form
    }

    /// The recipe of the only picture of an answer.
    private static func recipe(_ response: TestResponse, _ daemon: RunningDaemon) async throws -> Recipe {
        guard response.status == 200 else { throw ClientError.status(response.status, response.text) }
        guard case .array(let data) = try response.json()["data"], case .string(let id) = data.first?["id"]
        else { throw ClientError.malformed(response.text) }
        let record = try await daemon.get("/inkling/v1/pictures/\(id)?recipe")
        return try Wire.decoder().decode(Picture.self, from: Data(record.body)).recipe
    }

    @Test func aMasksTransparencySaysWhatIsPaintedAnew() async throws {
        let (image, mask) = (try Self.file(), try Self.file(alpha: 0))
        try await RunningDaemon.run(painter: ScriptedPainter()) { daemon in
            let texts = [("prompt", "a fox"), ("seed", "7"), ("steps", "3"), ("size", "64x64"), ("n", "1")]
            let masked = try await Self.recipe(
                daemon.post(Self.edits, Self.form(image: image, mask: mask, texts)), daemon)
            #expect(masked.prompt == "a fox" && masked.seed == 7 && masked.steps == 3)
            #expect(masked.initImage == SHA256.hexadecimal(of: Data(image)))
            #expect(masked.mask == SHA256.hexadecimal(of: Data(mask)) && masked.maskChannel == .alpha)
            // Where there is no mask the picture's own transparency is one.
            let own = try await Self.recipe(
                daemon.post(Self.edits, Self.form(image: mask, name: "image[]", texts)), daemon)
            #expect(own.mask == own.initImage && own.maskChannel == .alpha)
            let plain = try await Self.recipe(
                daemon.post(Self.edits, Self.form(image: image, texts + [("strength", "0.25")])), daemon)
            #expect(plain.mask == nil && plain.maskChannel == nil && plain.strength == 0.25)
        }
    }

    @Test func jsonIsTakenToo() async throws {
        let (image, mask) = (try Self.file(), try Self.file(alpha: 0))
        try await RunningDaemon.run(painter: ScriptedPainter()) { daemon in
            let (start, cut) = (Data(image).base64EncodedString(), Data(mask).base64EncodedString())
            for start in ["\"data:image/png;base64,\(start)\"", "[\"\(start)\"]"] {
                let body = #"{"prompt":"a fox","image":\#(start),"mask":"\#(cut)"}"#
                let recipe = try await Self.recipe(daemon.post(Self.edits, body), daemon)
                #expect(recipe.initImage == SHA256.hexadecimal(of: Data(image)))
                #expect(recipe.mask == SHA256.hexadecimal(of: Data(mask)))
            }
            // White on black, as the native request has it.
            let body = #"{"prompt":"p","image":"\#(start)","mask":"\#(start)","mask_channel":"lightness"}"#
            let recipe = try await Self.recipe(daemon.post(Self.edits, body), daemon)
            #expect(recipe.mask == recipe.initImage && recipe.maskChannel == nil)
        }
    }

    @Test func anEditsEventsHaveNamesOfTheirOwn() async throws {
        let image = try Self.file()
        try await RunningDaemon.run(painter: ScriptedPainter()) { daemon in
            let texts = [("prompt", "a fox"), ("stream", "true"), ("partial_images", "2")]
            let response = try await daemon.post(Self.edits, Self.form(image: image, texts))
            #expect(response.headers["content-type"]?.hasPrefix("text/event-stream") == true)
            let events = try response.events.map { try JSONParser.parse(Array($0.utf8)) }
            let partial: JSON = "image_edit.partial_image"
            #expect(events.map { $0["type"] } == [partial, partial, "image_edit.completed"])
            #expect(response.text.contains("event: image_edit.completed\n"))
        }
    }

    @Test func aVariationHasNoWords() async throws {
        let image = try Self.file(alpha: 0)
        try await RunningDaemon.run(painter: ScriptedPainter()) { daemon in
            let response = try await daemon.post(
                Self.variations,
                Self.form(image: image, [("n", "2"), ("response_format", "url"), ("size", "64x64")]))
            guard case .array(let data) = try response.json()["data"] else {
                Issue.record("\(response.text.prefix(300))")
                return
            }
            #expect(
                data.count == 2 && data.allSatisfy { $0["url"]?.text.hasPrefix("\"data:image/png") == true })
            let recipe = try await Self.recipe(response, daemon)
            #expect(recipe.prompt.isEmpty && recipe.strength == ImageOperation.variationStrength)
            #expect(recipe.initImage == SHA256.hexadecimal(of: Data(image)) && recipe.mask == nil)
        }
    }

    @Test func failuresNameTheField() async throws {
        let (image, mask) = (try Self.file(), try Self.file(alpha: 0))
        let prompt = [("prompt", "p")]
        var two = Self.form(image: image, prompt)
        two.add("image", file: image)
        var list = Self.form(image: image, name: "image[]", prompt)
        list.add("image[]", file: image)
        var alone = FormBuilder()
        alone.add("prompt", "p")
        var text = alone
        text.add("image", "%%%")
        let cases: [(path: String, form: FormBuilder, field: String, says: String)] = [
            (Self.edits, two, "image", "one picture, not 2"),
            (Self.edits, list, "image", "one picture, not 2"),
            (Self.edits, alone, "image", "missing"), (Self.edits, text, "image", "base64"),
            (Self.edits, Self.form(image: image, []), "prompt", "missing"),
            (Self.edits, Self.form(image: [], prompt), "image", "empty"),
            (Self.edits, Self.form(image: [1, 2, 3], prompt), "image", "image cannot be read"),
            (Self.edits, Self.form(image: image, mask: [1], prompt), "mask", "mask cannot be read"),
            (Self.edits, Self.form(image: image, mask: image, prompt), "mask", "transparent"),
            (Self.edits, Self.form(image: image, prompt + [("n", "two")]), "n", "integer"),
            (Self.edits, Self.form(image: image, prompt + [("size", "100x64")]), "size", "multiples of 8"),
            (
                Self.edits, Self.form(image: image, prompt + [("mask_channel", "red")]), "mask_channel",
                "alpha"
            ),
            (Self.variations, alone, "prompt", "edits"),
            (Self.variations, Self.form(image: image, mask: mask, []), "mask", "edits"),
            (Self.variations, Self.form(image: image, [("stream", "true")]), "stream", "stream"),
            (Self.variations, FormBuilder(), "image", "missing"),
        ]
        try await RunningDaemon.run(painter: ScriptedPainter()) { daemon in
            for (path, form, field, says) in cases {
                let response = try await daemon.post(path, form)
                #expect(response.status == 400, "\(field), \(says): \(response.text.prefix(300))")
                let error = try response.error()
                #expect(error.parameter == field, "\(says): \(error.message)")
                #expect(error.message.contains(says), "\(error.message)")
            }
        }
    }

    @Test func otherBodiesAreRefused() async throws {
        let image = try Self.file()
        try await RunningDaemon.run(
            painter: ScriptedPainter(),
            configure: { ($0.server.maxBodyBytes, $0.server.maxPictureBodyBytes) = (2000, 10_000) }
        ) { daemon in
            let form = Self.form(image: image, [("prompt", "p")])
            // A generation is JSON only.
            let generation = try await daemon.post("/v1/images/generations", form)
            #expect(generation.status == 415)
            let plain = try await daemon.request(
                "POST", Self.edits, body: "p", headers: ["Content-Type": "text/plain"])
            #expect(plain.status == 415 && plain.text.contains("multipart/form-data"))
            let torn = try await daemon.request(
                "POST", Self.edits, body: "--x", headers: ["Content-Type": "multipart/form-data; boundary=x"])
            #expect(torn.status == 400)
            #expect(try torn.error().code == "invalid_form")
            let large = Self.form(image: [UInt8](repeating: 0, count: 20_000), [("prompt", "p")])
            #expect(try await daemon.post(Self.edits, large).status == 413)
        }
    }
}
