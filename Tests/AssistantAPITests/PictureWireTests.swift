import AssistantAPI
import Foundation
import Testing

/// Pictures, their recipes and events come back as they were, under the names that clients know.
@Suite struct PictureWireTests {
    private static let recipe = Recipe(
        model: "/m", prompt: "a fox \u{1F98A}\n", negativePrompt: "n", width: 512, height: 768, steps: 20,
        seed: .max, scheduler: "dpmpp_2m_karras", guidanceScale: 7.5, decoder: "full", clipSkip: 1,
        loras: [.init(name: "l", weight: 0.5)], prediction: "epsilon", strength: 0.75, initImage: "ab",
        mask: "cd")

    private static let picture = Picture(
        id: "01p", format: .webp, width: 512, height: 768, bytes: 3, sha256: "ef", recipe: recipe,
        createdAt: Date(timeIntervalSince1970: 1_800_000_000.125), isPrivate: true)

    private static var request: PictureRequest {
        var request = PictureRequest(prompt: "p")
        request.model = "m"
        request.negativePrompt = "n"
        (request.width, request.height, request.steps, request.count) = (8, 16, 4, 2)
        (request.seed, request.scheduler, request.guidanceScale) = (.max, "lcm", 1)
        (request.decoder, request.clipSkip, request.strength) = ("tiny", 2, 0.5)
        request.prediction = "sample"
        request.loras = [.init(name: "/l.safetensors")]
        (request.initImage, request.mask) = (Data([0, 255]), Data([1]))
        (request.partialImages, request.format, request.quality) = (3, .webp, 80)
        (request.keepsRecipe, request.isPrivate) = (false, true)
        return request
    }

    private func json(_ value: some Encodable) throws -> String {
        String(decoding: try Wire.encoder().encode(value), as: UTF8.self)
    }

    private func comesBack<Value: Codable & Equatable>(
        _ value: Value, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let data = try Wire.encoder().encode(value)
        #expect(try Wire.decoder().decode(Value.self, from: data) == value, sourceLocation: sourceLocation)
    }

    @Test func requestsRecipesAndPicturesComeBack() throws {
        try comesBack(Self.request)
        try comesBack(PictureRequest(prompt: ""))
        try comesBack(Self.recipe)
        try comesBack(Self.picture)
        try comesBack(PictureList(pictures: [Self.picture], next: "7"))
    }

    @Test func namesAreThoseOfTheProtocol() throws {
        #expect(
            try json(Self.request)
                == #"{"clip_skip":2,"count":2,"decoder":"tiny","format":"webp","guidance_scale":1,"height":16,"#
                + #""init_image":"AP8=","is_private":true,"keeps_recipe":false,"#
                + #""loras":[{"name":"/l.safetensors","weight":1}],"mask":"AQ==","model":"m","#
                + #""negative_prompt":"n","partial_images":3,"prediction":"sample","prompt":"p","quality":80,"scheduler":"lcm","#
                + #""seed":18446744073709551615,"steps":4,"strength":0.5,"width":8}"#)
        #expect(try json(PictureRequest(prompt: "p")) == #"{"prompt":"p"}"#)
        #expect(try json(Self.picture).contains(#""created_at":"2027-01-15T08:00:00.125Z""#))
    }

    private static let timings = PictureTimings(
        queued: 1, loading: 2, encode: 3, denoise: 4, decode: 5, total: 15)

    private static let events: [(String, PictureEvent)] = [
        ("queued", .queued(.init(ahead: 2))),
        ("loading", .loading(.init(fraction: 0.5))),
        ("notice", .notice(.init(code: "prompt_cut", message: "the last words are not seen"))),
        ("started", .started(.init(index: 0, id: "01p", recipe: recipe, promptTokens: 9))),
        ("progress", .progress(.init(index: 0, stage: .denoise, done: 3, total: 20, milliseconds: 812.5))),
        (
            "partial",
            .partial(
                .init(index: 0, number: 1, step: 7, format: .png, width: 64, height: 96, data: Data([7])))
        ),
        ("picture", .picture(.init(index: 0, picture: picture, data: Data([1, 2, 3])))),
        ("completed", .completed(.init(finish: .stop, timings: timings, promptTokens: 9))),
        ("failed", .failed(.init(error: .init(.outOfMemory, "m", parameter: "size")))),
    ]

    @Test func everyEventComesBackByItsName() throws {
        for (name, event) in Self.events {
            #expect(event.name == name)
            let data = try event.data()
            #expect(try PictureEvent(name: name, data: data) == event)
            // One `data:` line in the stream.
            #expect(!data.contains(0x0A) && !data.contains(0x0D))
        }
        #expect(try PictureEvent(name: "upscaled", data: Data("{}".utf8)) == nil)
        #expect(throws: (any Error).self) { try PictureEvent(name: "partial", data: Data("{}".utf8)) }
    }
}
