import AssistantAPI
import FoundationEssentials
import HubStandIn
import Testing

@testable import Server

struct PullRouteTests {
    private static let path = "/inkling/v1/models/pull"

    /// The events of a pull that began.
    private func pull(_ daemon: RunningDaemon, _ body: String) async throws -> [PullEvent] {
        let response = try await daemon.post(Self.path, body)
        #expect(response.status == 200, "\(response.text)")
        let names = response.text.split(separator: "\n").filter { $0.hasPrefix("event: ") }.map {
            String($0.dropFirst(7))
        }
        return try zip(names, response.events).compactMap { try PullEvent(name: $0, data: Data($1.utf8)) }
    }

    @Test func aPulledModelAnswers() async throws {
        let model = TinyModel.file(contextLength: 512, seed: 9)
        let hub = try HubStandIn(["owner/tiny": ["new-F32.gguf": model, "README.md": [1]]])
        defer { hub.stop() }
        try await RunningDaemon.run { daemon in
            let events = try await pull(
                daemon, #"{"model":"owner/tiny","endpoint":"\#(hub.endpoint)"}"#)
            #expect(events.first?.name == "planned" && events.last?.name == "completed")
            let answer = try await daemon.json(
                "/v1/completions",
                #"{"model":"new-F32","prompt":"ink","max_tokens":4,"logit_bias":\#(endless)}"#)
            #expect(answer["usage"]?["completion_tokens"] == 4)
            let again = try await pull(
                daemon, #"{"model":"hf.co/owner/tiny","endpoint":"\#(hub.endpoint)"}"#)
            #expect(again.map(\.name) == ["planned", "completed"])
        }
    }

    @Test func failuresBeforeTheBeginningHaveAStatus() async throws {
        let hub = try HubStandIn(["owner/gated": ["a.gguf": [1]]]) { request in
            request.path.contains("gated") ? .status(403, headers: ["X-Error-Code": "GatedRepo"]) : nil
        }
        defer { hub.stop() }
        try await RunningDaemon.run { daemon in
            for (model, status, code) in [
                ("owner/none", 404, "model_not_found"), ("owner/gated", 403, "hub_refused"),
                ("none", 400, "invalid_request"),
            ] {
                let response = try await daemon.post(
                    Self.path, #"{"model":"\#(model)","endpoint":"\#(hub.endpoint)"}"#)
                #expect(response.status == status, "\(response.text)")
                #expect(try response.error().code == code)
            }
            let offline = try await daemon.post(Self.path, #"{"model":"owner/x","offline":true}"#)
            #expect(offline.status == 502 && offline.text.contains("offline"))
            #expect(try await daemon.post(Self.path, "{}").status == 400)
            #expect(try await daemon.get(Self.path).status == 405)
        }
    }

    @Test func whatGoesWrongLaterIsTheLastEvent() async throws {
        let model = TinyModel.file(contextLength: 512, seed: 9)
        let hub = try HubStandIn(["owner/tiny": ["new-F32.gguf": model]]) { request in
            request.path.hasPrefix("/content") ? .corrupt : nil
        }
        defer { hub.stop() }
        try await RunningDaemon.run { daemon in
            let events = try await pull(
                daemon, #"{"model":"owner/tiny","endpoint":"\#(hub.endpoint)"}"#)
            guard case .failed(let failure)? = events.last else { return #expect(Bool(false)) }
            #expect(failure.error.code == .hubUnavailable && failure.error.message.contains("digest"))
            let listed = try await daemon.get("/v1/models").text
            #expect(!listed.contains("new-F32"))
        }
    }
}
