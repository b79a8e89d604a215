import AssistantAPI
import Digest
import FoundationEssentials
import ImageCodecs
import Testing

@testable import Assistant
@testable import Server

/// `/inkling/v1/canvases` over a real socket, with scripted work in the place of a network.
@Suite(.timeLimit(.minutes(5)))
struct CanvasRouteTests {
    private static let root = "/inkling/v1/canvases"

    private func open(_ daemon: RunningDaemon, _ body: String = "{}") async throws -> Canvas {
        let response = try await daemon.post(Self.root, body)
        guard response.status == 201 else { throw ClientError.status(response.status, response.text) }
        return try Wire.decoder().decode(Canvas.self, from: Data(response.body))
    }

    private func type(
        _ text: String, _ revision: Int, on id: String, _ daemon: RunningDaemon
    ) async throws -> TestResponse {
        try await daemon.request(
            "PUT", "\(Self.root)/\(id)/prompt", body: #"{"text":"\#(text)","revision":\#(revision)}"#)
    }

    /// Reads a canvas's events on a connection of its own until one of them is `last`, and ends with `end`.
    private func events(
        of id: String, after: Int? = nil, until last: String, ending end: String = "", _ daemon: RunningDaemon
    ) async throws -> [(number: Int, event: CanvasEvent)] {
        let connection = try daemon.connect()
        defer { connection.close() }
        let headers = after.map { ["Last-Event-ID": String($0)] } ?? [:]
        try connection.send(TestConnection.text("GET", "\(Self.root)/\(id)/events", headers: headers))
        try await connection.read(until: "event: \(last)\ndata: ")
        let text = try await connection.readWhat(until: end + "\n\n", after: "event: \(last)\ndata: ")
        return try text.replacing("\r\n", with: "\n").components(separatedBy: "\n\n").compactMap { block in
            var fields: [String: String] = [:]
            for line in block.split(separator: "\n") {
                for name in ["id", "event", "data"] where line.hasPrefix(name + ": ") {
                    fields[name] = String(line.dropFirst(name.count + 2))
                }
            }
            guard let number = fields["id"].flatMap({ Int($0) }), let name = fields["event"],
                let data = fields["data"], let event = try CanvasEvent(name: name, data: Data(data.utf8))
            else { return nil }
            return (number, event)
        }
    }

    @Test func aCanvasIsOpenedChangedListedAndClosed() async throws {
        try await RunningDaemon.run(painter: ScriptedPainter()) { daemon in
            let canvas = try await open(daemon, #"{"settings":{"steps":3,"seed":7}}"#)
            #expect(canvas.settings.steps == 3)
            let path = "\(Self.root)/\(canvas.id)"
            let changed = try await daemon.request("PATCH", path, body: #"{"steps":5,"format":"png"}"#)
            #expect(changed.status == 200, "\(changed.text)")
            let read = try await daemon.get(path)
            let settings = try Wire.decoder().decode(Canvas.self, from: Data(read.body)).settings
            #expect(settings.steps == 5 && settings.seed == 7 && settings.format == .png)
            #expect(try await daemon.get(Self.root).text.contains(canvas.id))
            #expect(try await daemon.request("DELETE", path).status == 200)
            #expect(try await daemon.get(path).status == 404)
            #expect(try await daemon.get(Self.root).text == #"{"canvases":[]}"#)
        }
    }

    @Test(arguments: [
        ("POST", "", #"{"steps":0}"#, "steps"),
        ("POST", "", #"{"settings":{"width":"wide"}}"#, "settings.width"),
        ("PUT", "/prompt", #"{"revision":1}"#, "text"), ("PUT", "/prompt", #"{"text":"a"}"#, "revision"),
        ("PUT", "/prompt", #"{"text":"a","revision":0}"#, "revision"),
        ("PATCH", "", #"{"budget":0}"#, "budget"), ("PATCH", "", #"{"init_image":"?"}"#, "init_image"),
        ("PATCH", "", #"{"init_image":"bm9uZQ=="}"#, "init_image"),
        ("POST", "/commit", #"{"frame":0}"#, "frame"),
    ])
    func whatIsWrongIsNamed(method: String, path: String, body: String, parameter: String) async throws {
        try await RunningDaemon.run(painter: ScriptedPainter()) { daemon in
            let canvas = try await open(daemon)
            let whole = path.isEmpty && method == "POST" ? Self.root : "\(Self.root)/\(canvas.id)\(path)"
            let response = try await daemon.request(method, whole, body: body)
            #expect(response.status == 400)
            #expect(try response.error().parameter == parameter)
            let nobody = try await daemon.request(method, "\(Self.root)/nobody\(path)", body: "{}")
            #expect([400, 404, 405].contains(nobody.status))
        }
    }

    @Test func aPromptIsTakenAtOnceAndAnOlderOneIsIgnored() async throws {
        try await RunningDaemon.run(painter: ScriptedPainter()) { daemon in
            let canvas = try await open(daemon)
            #expect(try await type("a fox", 4, on: canvas.id, daemon).status == 202)
            let late = try await type("a f", 3, on: canvas.id, daemon)
            #expect(late.status == 202)
            #expect(
                try Wire.decoder().decode(Canvas.Prompt.self, from: Data(late.body))
                    == Canvas.Prompt(text: "a fox", revision: 4))
            // A text to begin with is the first revision.
            let begun = try await open(daemon, #"{"text":"an owl"}"#)
            #expect(begun.prompt == Canvas.Prompt(text: "an owl", revision: 1))
            #expect(try await type("a", 1, on: begun.id, daemon).text.contains("an owl"))
            #expect(try await type("an owl flies", 2, on: begun.id, daemon).text.contains("flies"))
        }
    }

    @Test func eventsAreNumberedAndResumeAfterTheLastThatWasSeen() async throws {
        try await RunningDaemon.run(painter: ScriptedPainter()) { daemon in
            let canvas = try await open(daemon, #"{"text":"a fox ","format":"png"}"#)
            let first = try await events(of: canvas.id, until: "settled", daemon)
            #expect(first.first?.event.name == "canvas")
            #expect(zip(first, first.dropFirst()).allSatisfy { $0.number < $1.number })
            let frame = first.last { $0.event.name == "frame" }
            guard case .frame(let shown)? = frame?.event else {
                Issue.record("\(first.map(\.event.name))")
                return
            }
            #expect(try Bitmap(decoding: Array(shown.data)).width == shown.width)
            _ = try await type("a fox in snow ", 2, on: canvas.id, daemon)
            let seen = try #require(first.last?.number)
            let later = try await events(of: canvas.id, after: seen, until: "settled", daemon)
            #expect(later.allSatisfy { $0.number > seen && $0.event.name != "canvas" })
            // A number that never was, as after the daemon's restart: it begins anew.
            let anew = try await events(of: canvas.id, after: 1_000_000, until: "frame", daemon)
            #expect(anew.first?.event.name == "canvas")
        }
    }

    @Test func framesAreListedAndHadAgain() async throws {
        try await RunningDaemon.run(painter: ScriptedPainter()) { daemon in
            let canvas = try await open(daemon, #"{"text":"a fox ","format":"png"}"#)
            let events = try await events(of: canvas.id, until: "settled", daemon)
            guard case .frame(let frame)? = events.last(where: { $0.event.name == "frame" })?.event else {
                Issue.record("no frame")
                return
            }
            let path = "\(Self.root)/\(canvas.id)/frames"
            let timeline = try Wire.decoder().decode(
                CanvasTimeline.self, from: Data(try await daemon.get(path).body))
            #expect(timeline.frames.last?.number == frame.number)
            let file = try await daemon.get("\(path)/\(frame.number)")
            #expect(file.headers["content-type"] == "image/png")
            #expect(Data(file.body) == frame.data)
            #expect(try await daemon.get("\(path)/0").status == 400)
            #expect(try await daemon.get("\(path)/4711").status == 404)
        }
    }

    @Test func aFrameIsSavedWithItsRecipeInBothFormatsAndTheSameEachTime() async throws {
        try await RunningDaemon.run(painter: ScriptedPainter()) { daemon in
            let canvas = try await open(daemon, #"{"text":"a fox ","format":"png","seed":7}"#)
            _ = try await events(of: canvas.id, until: "settled", daemon)
            let path = "\(Self.root)/\(canvas.id)/frames"
            let last = try Wire.decoder().decode(
                CanvasTimeline.self, from: Data(try await daemon.get(path).body)
            ).frames.last
            let number = try #require(last?.number)
            let shown = try Bitmap(decoding: try await daemon.get("\(path)/\(number)").body)
            for format in ["png", "webp"] {
                let file = try await daemon.get("\(path)/\(number)?format=\(format)")
                #expect(file.headers["content-type"] == "image/\(format)")
                #expect(try Bitmap(decoding: file.body) == shown)
                #expect(try PictureMetadata(reading: file.body)?.parameters?.contains("Seed: 7") == true)
                #expect(try await daemon.get("\(path)/\(number)?format=\(format)").body == file.body)
            }
            #expect(try await daemon.get("\(path)/\(number)?format=gif").status == 400)
        }
    }

    @Test func aCanvasStartsFromAPictureUntilThatIsTakenAway() async throws {
        try await RunningDaemon.run(painter: ScriptedPainter()) { daemon in
            let canvas = try await open(daemon, #"{"steps":4}"#)
            let path = "\(Self.root)/\(canvas.id)"
            let picture = Data(
                try PNG.encode(
                    Bitmap(width: 8, height: 8, channels: 3, samples: .init(repeating: 9, count: 192))))
            let hash = SHA256.hexadecimal(of: picture)
            let body = #"{"init_image":"\#(picture.base64EncodedString())","strength":0.5}"#
            func change(_ body: String) async throws -> Canvas {
                let response = try await daemon.request("PATCH", path, body: body)
                return try Wire.decoder().decode(Canvas.self, from: Data(response.body))
            }
            func lastRecipe(_ text: String, _ revision: Int) async throws -> Recipe? {
                _ = try await type(text, revision, on: canvas.id, daemon)
                _ = try await events(
                    of: canvas.id, until: "settled", ending: #""revision":\#(revision)}"#, daemon)
                let frames = try await daemon.get(path + "/frames").body
                return try Wire.decoder().decode(CanvasTimeline.self, from: Data(frames)).frames.last?.frame
                    .recipe
            }
            let begun = try await change(body)
            // The bytes stay with the daemon.
            #expect(begun.initImage == hash && begun.settings.initImage == nil)
            let started = try await lastRecipe("a fox ", 1)
            #expect(started?.strength == 0.5 && started?.initImage == hash)
            #expect(try await change(#"{"init_image":""}"#).initImage == nil)
            let free = try await lastRecipe("a hen ", 2)
            #expect(free?.strength == nil && free?.initImage == nil)
        }
    }

    @Test func aCommitKeepsThePictureAndPutsItIntoTheConversation() async throws {
        try await RunningDaemon.run(painter: ScriptedPainter()) { daemon in
            let made = try await daemon.post("/inkling/v1/conversations", "{}")
            let conversation = try Wire.decoder().decode(Conversation.self, from: Data(made.body))
            let canvas = try await open(
                daemon, #"{"text":"a fox ","conversation":"\#(conversation.id)"}"#)
            let response = try await daemon.post("\(Self.root)/\(canvas.id)/commit", "{}")
            #expect(response.status == 200, "\(response.text)")
            let committed = try Wire.decoder().decode(CanvasCommitted.self, from: Data(response.body))
            #expect(committed.messages.map(\.picture) == [nil, committed.picture.id])
            let read = try await daemon.get("/inkling/v1/conversations/\(conversation.id)")
            let transcript = try Wire.decoder().decode(Transcript.self, from: Data(read.body))
            #expect(transcript.messages == committed.messages)
            #expect(try await daemon.get("/inkling/v1/pictures/\(committed.picture.id)").status == 200)
        }
    }

    @Test func aFloodOfTextsStartsFewRendersAndTheLastIsRendered() async throws {
        try await RunningDaemon.run(painter: ScriptedPainter()) { daemon in
            let canvas = try await open(daemon)
            let connection = try daemon.connect()
            let count = 3000
            for start in stride(from: 1, through: count, by: 50) {
                let requests = (start..<start + 50).map {
                    TestConnection.text(
                        "PUT", "\(Self.root)/\(canvas.id)/prompt",
                        body: #"{"text":"a fox number \#($0) ","revision":\#($0)}"#)
                }
                try connection.send(requests.joined())
                for _ in requests { #expect(try await connection.response().status == 202) }
                #expect(try await daemon.get("/health").status == 200)
            }
            // Between two bursts an older text may have settled, too.
            let events = try await events(
                of: canvas.id, until: "settled", ending: #""revision":\#(count)}"#, daemon)
            guard case .settled(let settled)? = events.last?.event else {
                Issue.record("\(events.map(\.event.name))")
                return
            }
            #expect(settled.revision == count)
        }
    }

    @Test func whatIsTypedIntoAConversationIsTakenAtOnce() async throws {
        try await RunningDaemon.run { daemon in
            let made = try await daemon.post("/inkling/v1/conversations", "{}")
            let conversation = try Wire.decoder().decode(Conversation.self, from: Data(made.body))
            let path = "/inkling/v1/conversations/\(conversation.id)"
            #expect(
                try await daemon.request("PUT", path + "/draft", body: #"{"text":"Hello th"}"#).status == 202)
            #expect(try await daemon.request("PUT", path + "/draft", body: "{}").status == 400)
            let first = "/inkling/v1/draft"
            #expect(try await daemon.request("PUT", first, body: #"{"text":"Hi","system":""}"#).status == 202)
            #expect(try await daemon.request("PUT", first, body: #"{"system":"x"}"#).status == 400)
            #expect(
                try await daemon.request(
                    "PUT", "/inkling/v1/conversations/none/draft", body: #"{"text":""}"#
                ).status == 202)
            let answer = try await daemon.post(
                path + "/messages", #"{"content":"Hello there","settings":{"max_tokens":3}}"#)
            #expect(answer.status == 200)
        }
    }

    @Test func requestsAreCountedByTheirRoute() async throws {
        try await RunningDaemon.run(painter: ScriptedPainter()) { daemon in
            _ = try await daemon.get("/inkling/v1/version")
            _ = try await daemon.get("/inkling/v1/version")
            let metrics = try await daemon.get("/metrics").text
            let asked = #"method="GET",route="/inkling/v1/version",status="200""#
            #expect(metrics.contains("inkling_http_requests_total{\(asked)} 2"))
        }
    }

    @Test func metricsAreInPrometheusFormat() async throws {
        try await RunningDaemon.run(painter: ScriptedPainter()) { daemon in
            _ = try await daemon.post("/v1/completions", #"{"prompt":"ink","max_tokens":4}"#)
            let response = try await daemon.get("/metrics")
            #expect(response.headers["content-type"] == MetricsText.mediaType)
            let lines = response.text.split(separator: "\n")
            let samples = lines.filter { !$0.hasPrefix("#") }
            #expect(samples.allSatisfy { $0.hasPrefix("inkling_") || $0.hasPrefix("llamacpp:") })
            #expect(samples.allSatisfy { $0.split(separator: " ").count >= 2 })
            #expect(samples.allSatisfy { Double($0.split(separator: " ").last ?? "") != nil })
            #expect(lines.contains("inkling_chat_answers_total 1"))
            // The answer may end before its last token.
            let made = lines.first { $0.hasPrefix("inkling_chat_completion_tokens_total ") }
            #expect((0...4).contains(made?.split(separator: " ").last.flatMap { Int($0) } ?? -1))
            #expect(lines.contains("inkling_canvas_frames_started_total 0"))
            for owner in ["weights", "prefix_caches"] {
                let line = lines.first { $0.hasPrefix("inkling_memory_bytes{owner=\"\(owner)\"} ") }
                #expect((line?.split(separator: " ").last.flatMap { Int($0) } ?? 0) > 0, "\(owner)")
            }
            #expect(lines.contains(#"inkling_memory_bytes{owner="renders"} 0"#))
            let route = #"method="POST",route="/v1/completions",status="200""#
            #expect(lines.contains("inkling_http_requests_total{\(route)} 1"))
            #expect(lines.contains("llamacpp:requests_processing 0"))
            // "ink" has three tokens, and nothing of it was in a cache.
            #expect(lines.contains("llamacpp:prompt_tokens_total 3"))
            for name in ["inkling_chat_prefill_seconds_total ", "llamacpp:prompt_tokens_seconds "] {
                let line = lines.first { $0.hasPrefix(name) }
                #expect((line?.split(separator: " ").last.flatMap { Double($0) } ?? 0) > 0, "\(name)")
            }
            #expect(
                lines.contains(#"inkling_chat_first_token_seconds_bucket{ahead="false",le="+Inf"} 1"#))
            // Every family is described once, before its samples.
            let described = lines.filter { $0.hasPrefix("# TYPE ") }
            #expect(Set(described).count == described.count)
        }
    }
}
