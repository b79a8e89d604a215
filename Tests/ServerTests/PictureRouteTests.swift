import AssistantAPI
import FoundationEssentials
import ImageCodecs
import Settings
import Testing

@testable import Assistant
@testable import Server

/// `/inkling/v1/pictures` over a real socket, with scripted work in the place of a network.
@Suite(.timeLimit(.minutes(5)))
struct PictureRouteTests {
    private static let root = "/inkling/v1/pictures"

    private static func events(_ text: String) throws -> [PictureEvent] {
        try text.split(separator: "\n\n").compactMap { event in
            let lines = event.split(separator: "\n")
            guard let name = lines.first(where: { $0.hasPrefix("event: ") })?.dropFirst(7),
                let data = lines.first(where: { $0.hasPrefix("data: ") })?.dropFirst(6)
            else { return nil }
            return try PictureEvent(name: String(name), data: Data(data.utf8))
        }
    }

    private static func paint(
        _ daemon: RunningDaemon, _ body: String = #"{"prompt":"a fox","seed":5}"#
    ) async throws -> (events: [PictureEvent], finished: PictureEvent.Finished) {
        let response = try await daemon.post(root, body)
        #expect(response.status == 200, "\(response.text)")
        let events = try events(response.text)
        let finished = events.compactMap { if case .picture(let value) = $0 { value } else { nil } }
        return (events, try #require(finished.first))
    }

    @Test func aPictureIsMadeKeptListedHadAgainAndDeleted() async throws {
        try await RunningDaemon.run(painter: ScriptedPainter()) { daemon in
            let (events, finished) = try await Self.paint(daemon)
            #expect(events.last?.name == "completed")
            let path = "\(Self.root)/\(finished.picture.id)"
            let file = try await daemon.get(path)
            #expect(file.status == 200)
            #expect(file.headers["content-type"] == "image/png")
            #expect(file.headers["cache-control"]?.contains("immutable") == true)
            #expect(Data(file.body) == finished.data)
            #expect(try Bitmap(decoding: file.body).width == 64)
            for record in [
                try await daemon.get(path + "?recipe"),
                try await daemon.request("GET", path, headers: ["Accept": "application/json"]),
            ] {
                let picture = try Wire.decoder().decode(Picture.self, from: Data(record.body))
                #expect(picture.recipe == finished.picture.recipe)
                #expect(picture.sha256 == finished.picture.sha256)
            }
            let second = try await Self.paint(daemon, #"{"prompt":"b","format":"webp","quality":50}"#)
                .finished
            #expect(second.picture.format == .webp)
            #expect(
                try await daemon.get("\(Self.root)/\(second.picture.id)").headers["content-type"]
                    == "image/webp")
            let list = try Wire.decoder().decode(
                PictureList.self, from: Data(try await daemon.get(Self.root + "?limit=1").body))
            #expect(list.pictures.map(\.id) == [second.picture.id])
            let next = try #require(list.next)
            #expect(try await daemon.get("\(Self.root)?before=\(next)").text.contains(finished.picture.id))
            #expect(try await daemon.request("DELETE", path).status == 200)
            #expect(try await daemon.get(path).status == 404)
            #expect(try await daemon.request("DELETE", path).status == 404)
        }
    }

    @Test func aPrivatePictureIsHadAgainAndNeverListed() async throws {
        try await RunningDaemon.run(painter: ScriptedPainter()) { daemon in
            let finished = try await Self.paint(daemon, #"{"prompt":"p","is_private":true}"#).finished
            #expect(try await daemon.get("\(Self.root)/\(finished.picture.id)").status == 200)
            #expect(try await daemon.get(Self.root).text == #"{"pictures":[]}"#)
            #expect(!FileManager.default.fileExists(atPath: daemon.folder + "/history.db-pictures"))
        }
    }

    @Test func aPictureThatCannotBeSavedIsDeliveredWithANotice() async throws {
        try await RunningDaemon.run(painter: ScriptedPainter()) { daemon in
            try Data().write(to: URL(filePath: daemon.folder + "/history.db-pictures"))
            let (events, finished) = try await Self.paint(daemon)
            #expect(
                events.contains {
                    if case .notice(let notice) = $0 { notice.code == "not_saved" } else { false }
                })
            #expect(try await daemon.get("\(Self.root)/\(finished.picture.id)").status == 200)
        }
    }

    @Test func theLeavingOfAClientStopsTheWork() async throws {
        let gate = StepGate()
        let painter = ScriptedPainter { step, pass in if step == 1 { try gate.pass(step, pass) } }
        try await RunningDaemon.run(painter: painter) { daemon in
            for path in [Self.root, "/v1/images/generations"] {
                let connection = try daemon.connect()
                try connection.send(TestConnection.text("POST", path, body: #"{"prompt":"p"}"#))
                #expect(await gate.reached() == 1)
                connection.close()
            }
            // The gate is still shut: a picture can be painted only because the others were given up.
            gate.open()
            _ = try await Self.paint(daemon)
        }
    }

    @Test func aQuestionIsAnsweredWhileAPictureIsPainted() async throws {
        let gate = StepGate()
        let painter = ScriptedPainter { step, pass in if step == 0 { try gate.pass(step, pass) } }
        try await RunningDaemon.run(painter: painter) { daemon in
            async let painted = Self.paint(daemon)
            #expect(await gate.reached() == 0)
            let body = #"{"prompt":"Hi","max_tokens":8,"logit_bias":\#(endless)}"#
            let answer = try await daemon.json("/v1/completions", body)
            #expect(answer["usage"]?["completion_tokens"] == 8)
            #expect(try await daemon.get("/health").text.contains(#""id":"paint","state":"loaded""#))
            gate.open()
            #expect(try await painted.events.last?.name == "completed")
        }
    }

    private static let failures: [(body: String, status: Int, parameter: String?)] = [
        ("{}", 400, "prompt"), (#"{"prompt":7}"#, 400, "prompt"),
        (#"{"prompt":"p","width":100}"#, 400, "width"), (#"{"prompt":"p","width":-8}"#, 400, "width"),
        (#"{"prompt":"p","steps":1e9}"#, 400, "steps"), (#"{"prompt":"p","count":0}"#, 400, "count"),
        (#"{"prompt":"p","format":"jpeg"}"#, 400, "format"),
        (#"{"prompt":"p","init_image":"%%%"}"#, 400, "init_image"),
        (#"{"prompt":"p","init_image":"AAAA"}"#, 400, "init_image"),
        (#"{"prompt":"p","mask":"AAAA"}"#, 400, "mask"), (#"{"prompt":"p","loras":[7]}"#, 400, "loras[0]"),
        (#"{"prompt":"p","loras":["none"]}"#, 400, "loras"),
        (#"{"prompt":"p","scheduler":"heun"}"#, 400, "scheduler"),
        (#"{"prompt":"p","model":"none"}"#, 404, "model"), (#"{"prompt":"p","model":"tiny"}"#, 400, "model"),
    ]

    @Test func failuresNameTheFieldWithASentence() async throws {
        try await RunningDaemon.run(painter: ScriptedPainter()) { daemon in
            for failure in Self.failures {
                let response = try await daemon.post(Self.root, failure.body)
                #expect(response.status == failure.status, "\(failure): \(response.text)")
                let error = try response.error()
                #expect(error.parameter == failure.parameter, "\(failure)")
                #expect(!error.message.isEmpty)
            }
            for path in ["/none", "/none?recipe", "/%FF"] {
                #expect([400, 404].contains(try await daemon.get(Self.root + path).status))
            }
            #expect(try await daemon.get(Self.root + "?before=x").status == 400)
            #expect(try await daemon.get(Self.root + "?limit=0").status == 400)
        }
    }

    @Test func bodiesMayBeAsLargeAsPicturesAre() async throws {
        try await RunningDaemon.run(
            painter: ScriptedPainter(),
            configure: { ($0.server.maxBodyBytes, $0.server.maxPictureBodyBytes) = (2000, 400_000) }
        ) { daemon in
            let noise = (0..<3 * 100 * 100).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
            let file = try PNG.encode(Bitmap(width: 100, height: 100, channels: 3, samples: noise))
            let picture = Data(file).base64EncodedString()
            #expect(picture.utf8.count > 2000)
            let body = #"{"prompt":"p","strength":0.5,"init_image":"data:image/png;base64,\#(picture)"}"#
            let recipe = try await Self.paint(daemon, body).finished.picture.recipe
            #expect(recipe.initImage?.count == 64 && recipe.strength == 0.5)
            let large = #"{"prompt":"\#(String(repeating: "x", count: 500_000))"}"#
            #expect(try await daemon.post(Self.root, large).status == 413)
        }
    }
}
