import AssistantAPI
import Foundation
import ImageCodecs
import Synchronization

@testable import Terminal

/// A daemon whose canvases do what a test says.
final class CanvasServer: Sendable {
    let server: SocketServer
    private let script: Script

    /// What the routes share.
    final class Script: Sendable {
        let opened = Mutex(0)
        /// The texts in the order in which they came.
        let texts = Mutex<[String]>([])
        /// Each stream's way to send events, by its number from 1.
        let follow: @Sendable (SocketServer.Connection, _ stream: Int) -> Void
        let type: @Sendable (Canvas.Prompt) -> Void
        let streams = Mutex(0)

        init(
            _ follow: @escaping @Sendable (SocketServer.Connection, Int) -> Void,
            _ type: @escaping @Sendable (Canvas.Prompt) -> Void
        ) { (self.follow, self.type) = (follow, type) }
    }

    static let date = Date(timeIntervalSince1970: 1e9)

    static func canvas(_ id: String = "v1") -> Canvas {
        var settings = CanvasSettings()
        settings.seed = 0
        return Canvas(id: id, settings: settings, createdAt: date)
    }

    static let picture = Picture(
        id: "p1", format: .png, width: 64, height: 48, bytes: 1234, sha256: "00",
        recipe: Recipe(
            model: "m", prompt: "a fox", width: 64, height: 48, steps: 4, seed: 7, scheduler: "ddim",
            guidanceScale: 1, decoder: "full"), createdAt: date)

    /// A small frame; `color` is what all of it shows.
    static func frame(_ number: Int, revision: Int, _ stage: CanvasStage.Name = .draft) -> CanvasEvent {
        let bitmap = Bitmap.painted(4, 4) { _, _ in (UInt8(truncatingIfNeeded: 40 * number), 0, 0) }
        let file = (try? PNG.encode(bitmap)) ?? []
        return .frame(
            .init(
                number: number, revision: revision, stage: stage, step: 1, steps: 4,
                isSettled: stage == .settled, width: 4, height: 4, format: .png, data: Data(file),
                timings: FrameTimings(sinceKey: 1, waited: 0, encode: 0, denoise: 1, decode: 0)))
    }

    static func text(_ value: some Encodable) -> String {
        String(decoding: (try? Wire.encoder().encode(value)) ?? Data(), as: UTF8.self)
    }

    func stop() { server.stop() }

    /// A daemon that gives each stream to `follow` and each text to `type`; other requests to `other`.
    init(
        follow: @escaping @Sendable (SocketServer.Connection, _ stream: Int) -> Void,
        type: @escaping @Sendable (Canvas.Prompt) -> Void = { _ in },
        messages: [Message] = [],
        other: @escaping @Sendable (SocketServer.Connection) -> Bool = { _ in false }
    ) throws {
        let script = Script(follow, type)
        self.script = script
        server = try SocketServer { connection in
            guard !other(connection) else { return }
            let request = connection.request
            let parts = request.target.split(separator: "/").dropFirst(2).map(String.init)
            switch (request.method, parts.first, parts.last) {
            case ("POST", "canvases"?, "canvases"?):
                let number = script.opened.withLock { count in
                    count += 1
                    return count
                }
                connection.answer(Self.text(Self.canvas("v\(number)")), status: "201 Created")
            case ("PUT", "canvases"?, "prompt"?):
                let prompt = try? Wire.decoder().decode(Canvas.Prompt.self, from: Data(request.body.utf8))
                script.texts.withLock { $0.append(prompt?.text ?? "?") }
                script.type(prompt ?? Canvas.Prompt())
                connection.answer(Self.text(prompt ?? Canvas.Prompt()), status: "202 Accepted")
            case ("GET", "canvases"?, "events"?):
                connection.beginStream()
                let stream = script.streams.withLock { count in
                    count += 1
                    return count
                }
                script.follow(connection, stream)
            case ("POST", "canvases"?, "commit"?):
                connection.answer(Self.text(CanvasCommitted(picture: Self.picture, messages: messages)))
            case ("PATCH", "canvases"?, _): connection.answer(Self.text(Self.canvas()))
            case ("GET", "pictures"?, "p1"?): connection.answer("FILE")
            case ("DELETE", _, _): connection.answer("{}")
            default:
                connection.answer(#"{"error":{"message":"there is no such thing"}}"#, status: "404 Not Found")
            }
        }
    }

    var texts: [String] { script.texts.withLock { $0 } }
    var opened: Int { script.opened.withLock { $0 } }
    var client: DaemonClient { DaemonClient(socket: server.path) }
}

extension SocketServer.Connection {
    func event(_ event: CanvasEvent, id: Int) {
        let data = (try? event.data()) ?? Data()
        self.event(event.name, String(decoding: data, as: UTF8.self), id: id)
    }
}

/// Waits for what is written or told, without sleeping for it.
final class Log: Sendable {
    private let entries = Mutex("")
    private let (changes, change) = AsyncStream.makeStream(of: Void.self)

    var text: String { entries.withLock { $0 } }

    func add(_ text: String) {
        entries.withLock { $0 += text }
        change.yield()
    }

    /// Returns once `part` was added.
    func wait(for part: String) async {
        if text.contains(part) { return }
        for await _ in changes where text.contains(part) { return }
    }

    /// Returns once `part` was added behind the first `mark`.
    func wait(for part: String, after mark: String) async {
        func isThere() -> Bool {
            let text = text
            guard let place = text.range(of: mark) else { return false }
            return text[place.upperBound...].contains(part)
        }
        if isThere() { return }
        for await _ in changes where isThere() { return }
    }
}
