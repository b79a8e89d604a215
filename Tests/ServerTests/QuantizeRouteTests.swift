import AssistantAPI
import FoundationEssentials
import Testing

@testable import Server

/// `/inkling/v1/models/quantize` over a real socket.
@Suite(.timeLimit(.minutes(5)))
struct QuantizeRouteTests {
    private static let path = "/inkling/v1/models/quantize"

    private static func events(_ text: String) throws -> [QuantizeEvent] {
        try text.split(separator: "\n\n").compactMap { event in
            let lines = event.split(separator: "\n")
            guard let name = lines.first(where: { $0.hasPrefix("event: ") })?.dropFirst(7),
                let data = lines.first(where: { $0.hasPrefix("data: ") })?.dropFirst(6)
            else { return nil }
            return try QuantizeEvent(name: String(name), data: Data(data.utf8))
        }
    }

    private static func models(_ daemon: RunningDaemon) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: daemon.folder + "/data/inkling/models").sorted()
    }

    @Test func aModelIsQuantisedListedAndAnswers() async throws {
        try await RunningDaemon.run { daemon in
            let response = try await daemon.post(Self.path, #"{"source":"tiny","type":"q8_0"}"#)
            #expect(response.status == 200, "\(response.text)")
            let events = try Self.events(response.text)
            guard case .completed(let made)? = events.last, case .started(let started)? = events.first else {
                Issue.record("\(events)")
                return
            }
            #expect(made.model == "tiny-Q8_0" && made.type == "Q8_0")
            #expect(made.bytes < made.sourceBytes && made.bytes == started.bytes)
            #expect(try Self.models(daemon) == ["tiny-Q8_0.gguf", "tiny.gguf"])
            let list = try await daemon.get("/inkling/v1/models").text
            #expect(list.contains(#""quantization":"Q8_0""#))
            let body = #"{"prompt":"Hi","max_tokens":8,"model":"tiny-Q8_0","logit_bias":\#(endless)}"#
            #expect(try await daemon.json("/v1/completions", body)["usage"]?["completion_tokens"] == 8)
            // The same again would write over it.
            let again = try await daemon.post(Self.path, #"{"source":"tiny","type":"Q8_0"}"#)
            #expect(again.status == 400 && again.text.contains("already"), "\(again.text)")
        }
    }

    @Test func theFileGoesWhereItIsWanted() async throws {
        try await RunningDaemon.run { daemon in
            let output = daemon.folder + "/elsewhere.gguf"
            let body = #"{"source":"tiny","type":"Q4_0","output":"\#(output)"}"#
            let events = try Self.events(try await daemon.post(Self.path, body).text)
            #expect(events.last?.name == "completed")
            #expect(FileManager.default.fileExists(atPath: output))
            let named = try await daemon.post(Self.path, #"{"source":"tiny","type":"Q6_K","name":"small"}"#)
            #expect(named.status == 200)
            #expect(try Self.models(daemon) == ["small.gguf", "tiny.gguf"])
        }
    }

    private static let failures: [(body: String, status: Int, parameter: String?)] = [
        ("{}", 400, "source"), (#"{"source":7}"#, 400, "source"),
        (#"{"source":"none"}"#, 404, "source"), (#"{"source":"/none.gguf"}"#, 404, "source"),
        (#"{"source":"tiny","type":"Q3_K"}"#, 400, "type"),
        (#"{"source":"tiny","name":"a/b"}"#, 400, "name"), (#"{"source":"tiny","name":".a"}"#, 400, "name"),
        (#"{"source":"tiny","name":""}"#, 400, "name"),
        (#"{"source":"tiny","output":"relative.gguf"}"#, 400, "output"),
        (#"{"source":"tiny","output":"/tmp/no-ending"}"#, 400, "output"),
        (#"{"source":"tiny","output":"/nowhere/at/all.gguf"}"#, 400, "output"),
        (#"{"source":"tiny","name":"a","output":"/tmp/a.gguf"}"#, 400, "name"),
    ]

    @Test func failuresNameTheFieldWithASentence() async throws {
        try await RunningDaemon.run { daemon in
            for failure in Self.failures {
                let response = try await daemon.post(Self.path, failure.body)
                #expect(response.status == failure.status, "\(failure): \(response.text)")
                #expect(try response.error().parameter == failure.parameter, "\(failure)")
            }
            #expect(try Self.models(daemon) == ["tiny.gguf"])
        }
    }

    @Test func aDamagedModelIsUnusableAndLeavesNothing() async throws {
        try await RunningDaemon.run { daemon in
            let folder = daemon.folder + "/data/inkling/models"
            let whole = try Data(contentsOf: URL(filePath: folder + "/tiny.gguf"))
            try whole.prefix(whole.count / 2).write(to: URL(filePath: folder + "/cut.gguf"))
            let response = try await daemon.post(Self.path, #"{"source":"cut"}"#)
            #expect(response.status == 422, "\(response.text)")
            #expect(try Self.models(daemon) == ["cut.gguf", "tiny.gguf"])
        }
    }
}
