import AssistantAPI
import FoundationEssentials
import Testing

@testable import Server

struct ModelManagementRouteTests {
    private static let root = "/inkling/v1/models"

    private func decoded<Value: Decodable>(_ response: TestResponse) throws -> Value {
        try Wire.decoder().decode(Value.self, from: Data(response.body))
    }

    @Test func modelsAreDescribedNamedAnewAndDeleted() async throws {
        try await RunningDaemon.run { daemon in
            let alias = #"{"source":"tiny","destination":"me/fast:v1"}"#
            #expect(try await daemon.post(Self.root + "/copy", alias).status == 200)
            let list = try await daemon.get("/v1/models").json()
            guard case .array(let models) = list["data"] else { return }
            #expect(models.map { $0["id"] } == ["tiny", "me/fast:v1"])
            for name in ["tiny", "me/fast:v1", "me%2Ffast%3Av1", "tiny:latest"] {
                let description: ModelDescription = try decoded(
                    await daemon.get("\(Self.root)/\(name)"))
                #expect(description.model.id == "tiny" && description.model.source == .inkling)
                #expect(description.aliases == ["me/fast:v1"] && description.origin == nil)
            }
            let answer = try await daemon.json(
                "/v1/completions",
                #"{"model":"me/fast:v1","prompt":"a","max_tokens":2,"logit_bias":\#(endless)}"#)
            #expect(answer["usage"]?["completion_tokens"] == 2)
            let gone: DeletedModel = try decoded(
                await daemon.request("DELETE", Self.root + "/me/fast:v1"))
            #expect(gone == DeletedModel(name: "me/fast:v1"))
            let deleted: DeletedModel = try decoded(await daemon.request("DELETE", Self.root + "/tiny"))
            #expect(deleted.path?.hasSuffix("/tiny.gguf") == true && deleted.bytes > 0)
            #expect(try await daemon.get(Self.root + "/tiny").status == 404)
            #expect(try await daemon.request("DELETE", Self.root + "/tiny").status == 404)
        }
    }

    @Test func mistakesNameTheFieldWithASentence() async throws {
        try await RunningDaemon.run { daemon in
            for (body, status, parameter) in [
                ("{}", 400, "source"), (#"{"source":"tiny"}"#, 400, "destination"),
                (#"{"source":"tiny","destination":"/x"}"#, 400, "destination"),
                (#"{"source":"tiny","destination":"TINY"}"#, 409, "destination"),
                (#"{"source":"none","destination":"x"}"#, 404, "model"),
            ] {
                let response = try await daemon.post(Self.root + "/copy", body)
                #expect(response.status == status, "\(response.text)")
                #expect(try response.error().parameter == parameter)
            }
            #expect(try await daemon.request("DELETE", Self.root + "/none").status == 404)
            #expect(try await daemon.request("PUT", Self.root + "/tiny").status == 405)
            let available = try await daemon.get(Self.root + "/available").json()
            #expect(available["models"] == [] && available["budget"] != nil)
        }
    }
}
