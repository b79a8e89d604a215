import HubStandIn
import ModelHub
import Testing

@testable import Server

/// Models pulled, copied and deleted as Ollama's clients ask for it.
struct OllamaModelTests {
    /// Runs `body` with a daemon whose hub has one repository.
    private func run(
        fault: @escaping @Sendable (HubStandIn.Request) -> HubStandIn.Fault? = { _ in nil },
        _ body: (RunningDaemon) async throws -> Void
    ) async throws {
        let model = TinyModel.file(contextLength: 512, seed: 9)
        let hub = try HubStandIn(["owner/tiny": ["new-F32.gguf": model]], fault: fault)
        defer { hub.stop() }
        var access = HubAccess()
        access.setEndpoint(hub.endpoint)
        try await RunningDaemon.run(hub: access) { try await body($0) }
    }

    /// The values of the lines' `status`.
    private func statuses(_ response: TestResponse) throws -> [String] {
        try response.text.split(separator: "\n").compactMap { line in
            if case .string(let status)? = try JSONParser.parse(Array(line.utf8))["status"] {
                status
            } else {
                nil
            }
        }
    }

    @Test func aPullTellsOfEachFile() async throws {
        try await run { daemon in
            let response = try await daemon.post("/api/pull", #"{"model":"hf.co/owner/tiny:F32"}"#)
            #expect(response.headers["content-type"] == "application/x-ndjson")
            let lines = try statuses(response)
            #expect(lines.first == "pulling manifest")
            #expect(lines.suffix(3) == ["verifying sha256 digest", "writing manifest", "success"])
            let progress = try response.text.split(separator: "\n").map {
                try JSONParser.parse(Array($0.utf8))
            }
            .last { $0["digest"] != nil }
            #expect(progress?["total"] == progress?["completed"] && progress?["total"] != nil)
            let again = try await daemon.post("/api/pull", #"{"name":"owner/tiny","stream":false}"#)
            #expect(again.status == 200 && again.text == #"{"status":"success"}"#)
            #expect(try await daemon.get("/api/tags").text.contains("new-F32:latest"))
        }
    }

    @Test func failuresAreASentence() async throws {
        try await run(fault: { $0.path.hasPrefix("/content") ? .corrupt : nil }) { daemon in
            let late = try await daemon.post("/api/pull", #"{"model":"owner/tiny"}"#)
            let last = try JSONParser.parse(Array((late.text.split(separator: "\n").last ?? "").utf8))
            guard case .string(let sentence)? = last["error"] else { return #expect(Bool(false)) }
            #expect(sentence.contains("digest"))
            let early = try await daemon.post("/api/pull", #"{"model":"owner/none","stream":false}"#)
            #expect(early.status == 404 && early.text.hasPrefix(#"{"error":""#))
            for path in ["/api/create", "/api/push"] {
                #expect(try await daemon.post(path, #"{"model":"x"}"#).status == 501)
            }
        }
    }

    @Test func aCopyIsAnotherNameAndCanBeDeleted() async throws {
        try await run { daemon in
            let copied = try await daemon.post(
                "/api/copy", #"{"source":"tiny:latest","destination":"mine:v1"}"#)
            #expect(copied.status == 200 && copied.body.isEmpty)
            #expect(try await daemon.get("/api/tags").text.contains(#""name":"mine:v1""#))
            for (body, status) in [
                (#"{"model":"mine:v1"}"#, 200), (#"{"name":"tiny"}"#, 200), (#"{"model":"tiny"}"#, 404),
            ] {
                let deleted = try await daemon.request("DELETE", "/api/delete", body: body)
                #expect(deleted.status == status, "\(deleted.text)")
            }
            #expect(try await daemon.get("/api/tags").text == #"{"models":[]}"#)
        }
    }
}
