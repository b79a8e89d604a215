import AssistantAPI
import Foundation
import Testing

@testable import Terminal

@Suite struct PictureGalleryTests {
    private static func picture(_ id: String, prompt: String = "a fox") -> Picture {
        var recipe = Recipe(
            model: "m", prompt: prompt, width: 64, height: 48, steps: 4, seed: 42, scheduler: "ddim",
            guidanceScale: 7.5, decoder: "full")
        recipe.loras = [.init(name: "style", weight: 1)]
        return Picture(
            id: id, format: .png, width: 64, height: 48, bytes: 1234, sha256: "00", recipe: recipe,
            createdAt: Date(timeIntervalSince1970: 1e9))
    }

    /// A daemon with these pictures, two on each page, whose files are their ids.
    private func daemon(_ ids: [String]) throws -> SocketServer {
        try SocketServer { connection in
            let target = connection.request.target
            let id = String(target.dropFirst("/inkling/v1/pictures/".count).prefix { $0 != "?" })
            if target.hasPrefix("/inkling/v1/pictures?") {
                let start = target.split(separator: "before=").dropFirst().first.flatMap { Int($0) } ?? 0
                let end = min(start + 2, ids.count)
                let list = PictureList(
                    pictures: ids[start..<end].map { Self.picture($0) },
                    next: end < ids.count ? "\(end)" : nil)
                let body = (try? Wire.encoder().encode(list)) ?? Data()
                connection.answer(String(decoding: body, as: UTF8.self))
            } else if !ids.contains(id) {
                connection.answer(
                    #"{"error":{"message":"there is no such picture"}}"#, status: "404 Not Found")
            } else if target.hasSuffix("?recipe=true") {
                let body = (try? Wire.encoder().encode(Self.picture(id))) ?? Data()
                connection.answer(String(decoding: body, as: UTF8.self))
            } else {
                connection.answer(id)
            }
        }
    }

    @Test func picturesAreFoundByTheBeginningOfTheirIds() async throws {
        let server = try daemon(["d9", "c1", "b22", "b2", "a"])
        defer { server.stop() }
        let client = DaemonClient(socket: server.path)
        #expect(try await client.findPicture("last").id == "d9")
        #expect(try await client.findPicture("c").id == "c1")
        #expect(try await client.findPicture("a").id == "a")
        // A whole id counts, though another begins with it.
        #expect(try await client.findPicture("b2").id == "b2")
        let several = await #expect(throws: ClientError.self) { try await client.findPicture("b") }
        #expect(several?.description.contains("b22 and b2 ") == true)
        for name in ["x", "", "c1x", "9"] {
            let none = await #expect(throws: ClientError.self) { try await client.findPicture(name) }
            #expect(none?.description.contains("there is no picture") == true)
        }
    }

    @Test func aSavedFileIsTheOneThatTheDaemonHas() async throws {
        let folder = try TemporaryFolder()
        let server = try daemon(["p1"])
        defer { server.stop() }
        let gallery = PictureGallery(client: DaemonClient(socket: server.path))
        let path = try await gallery.save("p", to: .folder(folder.path), replacing: false)
        #expect(path == folder.path + "/a-fox-42.png")
        #expect(folder.read("a-fox-42.png") == Array("p1".utf8))
    }

    @Test func aFileThatIsThereIsReplacedOnlyByForce() async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write([1], "fox.png")
        let server = try daemon(["p1"])
        defer { server.stop() }
        let gallery = PictureGallery(client: DaemonClient(socket: server.path))
        let error = await #expect(throws: ClientError.self) {
            try await gallery.save("last", to: .file(file), replacing: false)
        }
        #expect(error?.description == "\(file) is there already; --force replaces it")
        #expect(folder.read("fox.png") == [1])
        _ = try await gallery.save("last", to: .file(file), replacing: true)
        #expect(folder.read("fox.png") == Array("p1".utf8))
        #expect(folder.names == ["fox.png"])
    }

    @Test func aNameOfAnotherFormatIsRefused() async throws {
        let folder = try TemporaryFolder()
        let server = try daemon(["p1"])
        defer { server.stop() }
        let gallery = PictureGallery(client: DaemonClient(socket: server.path))
        let error = await #expect(throws: ClientError.self) {
            try await gallery.save("last", to: .file(folder.path + "/fox.webp"), replacing: false)
        }
        #expect(error?.description.contains("a name that ends in .png") == true)
        #expect(folder.names.isEmpty)
    }

    @Test func rowsFitAndCarryNothingHostile() {
        let picture = Self.picture("p1\u{1B}", prompt: "a fox\u{1B}[31m\nin snow")
        #expect(PictureText.row(picture, columns: nil).hasSuffix("     64×48  a fox[31m in snow"))
        for columns in 1...60 {
            let row = PictureText.row(picture, columns: columns)
            #expect(DisplayWidth.of(row) <= columns)
            #expect(!row.contains("\u{1B}"))
        }
    }

    @Test func theRecipeIsListed() {
        let lines = PictureText.recipe(Self.picture("p1")).split(separator: "\n")
        #expect(lines.first == "prompt     a fox")
        #expect(lines.contains("guidance   7.5"))
        #expect(lines.contains("lora       style:1"))
        #expect(lines.contains("file       png, 1.2 kB"))
        #expect(!lines.contains { $0.hasPrefix("negative") || $0.hasPrefix("clip skip") })
    }
}
