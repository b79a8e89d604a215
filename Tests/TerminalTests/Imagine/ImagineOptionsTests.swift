import AssistantAPI
import Foundation
import Testing

@testable import Terminal

@Suite struct ImagineOptionsTests {
    @Test(arguments: [("512x768", 512, 768), ("512×768", 512, 768), ("640X480", 640, 480), ("512", 512, 512)])
    func sizesAreRead(text: String, width: Int, height: Int) throws {
        #expect(try PictureSize(text) == PictureSize(width: width, height: height))
    }

    @Test(arguments: [
        "", "x", "512x", "x512", "512x512x3", "-512", "0", "5 12", "512.0", "1e3", "9999999", "５１２",
    ])
    func otherSizesAreRefusedWithAnExample(text: String) {
        let error = #expect(throws: ClientError.self) { try PictureSize(text) }
        #expect(error?.exitCode == 64)
        #expect(error?.description.contains("512x768") == true)
    }

    @Test func thePromptIsTheWordsElseWhatIsPiped() throws {
        #expect(try ImagineOptions.prompt(words: ["a", "red fox"]) { "no" } == "a red fox")
        #expect(try ImagineOptions.prompt(words: []) { "a fox\nin snow\n" } == "a fox in snow")
        for piped in [nil, "", " \n "] {
            let error = #expect(throws: ClientError.self) { try ImagineOptions.prompt(words: []) { piped } }
            #expect(error?.exitCode == 64)
        }
        // A pipe that nobody closes is not waited for.
        #expect(try ImagineOptions.prompt(words: ["fox"]) { throw ClientError.timedOut(seconds: 1) } == "fox")
    }

    private func settled(
        _ output: String?, _ change: (inout ImagineOptions) -> Void = { _ in }
    ) throws -> ImagineOptions {
        var options = ImagineOptions(request: PictureRequest(prompt: "a fox"), target: PictureTarget(output))
        change(&options)
        try options.settle()
        return options
    }

    @Test func theFormatIsTheEndingsElseTheNamedOneElsePNG() throws {
        #expect(try settled("fox.webp").request.format == .webp)
        #expect(try settled("fox.PNG").request.format == .png)
        #expect(try settled("fox").request.format == .png)
        #expect(try settled(nil).request.format == .png)
        #expect(try settled("-") { $0.request.format = .webp }.request.format == .webp)
        #expect(try settled("v1.2/fox") { $0.request.format = .webp }.request.format == .webp)
    }

    @Test func whatDoesNotGoTogetherIsRefused() {
        let changes: [(String?, (inout ImagineOptions) -> Void)] = [
            ("fox.jpg", { _ in }), ("fox.png", { $0.request.format = .webp }),
            ("-", { $0.request.count = 2 }), ("-", { $0.isJSON = true }), (nil, { $0.request.count = 0 }),
            (nil, { $0.request.quality = 80 }), (nil, { $0.request.strength = 0.5 }),
            (nil, { $0.request.mask = Data([1]) }),
        ]
        for (output, change) in changes {
            let error = #expect(throws: ClientError.self) { try settled(output, change) }
            #expect(error?.exitCode == 64)
        }
    }

    @Test func targetsAreFilesFoldersOrStandardOutput() throws {
        let folder = try TemporaryFolder()
        #expect(PictureTarget(nil) == .folder("."))
        #expect(PictureTarget("-") == .standardOutput)
        #expect(PictureTarget("/dev/stdout") == .standardOutput)
        #expect(PictureTarget(folder.path) == .folder(folder.path))
        #expect(PictureTarget("new/") == .folder("new/"))
        #expect(PictureTarget("fox.png") == .file("fox.png"))
    }

    @Test func foldersThatAreMissingAreSaidBeforeTheWork() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write([1], "file")
        try PictureTarget.file(folder.path + "/fox.png").check()
        try PictureTarget.folder(folder.path).check()
        try PictureTarget.file("/dev/null").check()
        for target in [
            PictureTarget.file(folder.path + "/none/fox.png"), .folder(folder.path + "/none/"),
            .file(file + "/fox.png"), .folder(file + "/"),
        ] {
            let error = #expect(throws: ClientError.self) { try target.check() }
            #expect(error?.exitCode == 1)
            #expect(error?.description.contains(folder.path) == true)
        }
    }

    @Test func aLoRAsWeightIsTheNumberAfterTheLastColon() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write([1], "a:b.safetensors")
        #expect(try LoRAArgument.parse("style") == .init(name: "style", weight: 1))
        #expect(try LoRAArgument.parse("style:0.8") == .init(name: "style", weight: 0.8))
        #expect(try LoRAArgument.parse("style:-1") == .init(name: "style", weight: -1))
        #expect(try LoRAArgument.parse("a:b") == .init(name: "a:b", weight: 1))
        #expect(try LoRAArgument.parse("style:inf") == .init(name: "style:inf", weight: 1))
        #expect(try LoRAArgument.parse(file) == .init(name: file, weight: 1))
        #expect(try LoRAArgument.parse(file + ":2") == .init(name: file, weight: 2))
        #expect(throws: ClientError.self) { try LoRAArgument.parse(":0.5") }
        let error = #expect(throws: ClientError.self) { try LoRAArgument.parse("./none.safetensors") }
        #expect(error?.description.contains("LoRA") == true)
    }

    @Test func startPicturesAreReadWhole() throws {
        let folder = try TemporaryFolder()
        let png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 7]
        #expect(try PictureInput.read(folder.write(png, "a.png")) == Data(png))
        let webp = Array("RIFF\u{1}\u{0}\u{0}\u{0}WEBPVP8 ".utf8)
        #expect(try PictureInput.read(folder.write(webp, "a.webp")) == Data(webp))
    }

    @Test func startPicturesComeThroughPipesToo() throws {
        let webp = Array("RIFF\u{1}\u{0}\u{0}\u{0}WEBPVP8 ".utf8)
        func read(_ bytes: [UInt8]) throws -> Data {
            let pipe = Pipe()
            try pipe.fileHandleForWriting.write(contentsOf: bytes)
            try pipe.fileHandleForWriting.close()
            return try PictureInput.read("/dev/fd/\(pipe.fileHandleForReading.fileDescriptor)", limit: 20)
        }
        #expect(try read(webp) == Data(webp))
        #expect(throws: ClientError.self) { try read(webp + webp) }
        #expect(throws: ClientError.self) { try read([]) }
    }

    @Test func filesThatAreNoPicturesAreRefusedWithTheReason() throws {
        let folder = try TemporaryFolder()
        func sentence(_ path: String) -> String? {
            #expect(throws: ClientError.self) { try PictureInput.read(path, limit: 20) }?.description
        }
        #expect(sentence(folder.path + "/none.png")?.contains("there is no file") == true)
        #expect(sentence(folder.path)?.contains("is no file") == true)
        #expect(try sentence(folder.write([0xFF, 0xD8, 0xFF, 0xE0], "a.jpg"))?.contains("JPEG") == true)
        #expect(try sentence(folder.write([], "empty.png"))?.contains("is empty") == true)
        #expect(try sentence(folder.write(Array("text".utf8), "a.txt"))?.contains("no picture") == true)
        #expect(try sentence(folder.write(Array(repeating: 1, count: 21), "b"))?.contains("21 B") == true)
        #expect(sentence("/dev/zero")?.contains("is no file") == true)
    }
}
