import Settings
import Testing

@testable import Server

struct RouteTests {
    @Test func healthNamesStateVersionAndProcess() async throws {
        try await RunningDaemon.run { daemon in
            for path in ["/health", "/v1/health"] {
                let health = try await daemon.get(path)
                #expect(health.status == 200)
                #expect(try health.json()["status"] == "ok")
                #expect(try health.json()["pid"] != nil)
            }
            let version = try await daemon.get("/inkling/v1/version").json()
            #expect(version["version"] == .string(Daemon.version))
        }
    }

    @Test func headHasNoBody() async throws {
        try await RunningDaemon.run { daemon in
            let connection = try daemon.connect()
            try connection.send(TestConnection.text("HEAD", "/health", headers: ["Connection": "close"]))
            let text = try await connection.readToEnd()
            #expect(text.hasPrefix("HTTP/1.1 200"))
            #expect(text.hasSuffix("\r\n\r\n"))
        }
    }

    @Test func unknownPathsAndMethodsAreTold() async throws {
        try await RunningDaemon.run { daemon in
            let unknown = try await daemon.get("/v2/nothing")
            #expect(unknown.status == 404)
            #expect(try unknown.error().message.contains("/v2/nothing"))
            let method = try await daemon.request("DELETE", "/v1/chat/completions")
            #expect(method.status == 405)
            #expect(method.headers["allow"] == "POST")
            #expect(try method.error().message.contains("POST"))
        }
    }

    @Test func modelsAreListedAndFoundByNameOrPath() async throws {
        try await RunningDaemon.run { daemon in
            let list = try await daemon.get("/v1/models").json()
            #expect(list["object"] == "list")
            guard case .array(let models) = list["data"] else { return }
            #expect(models.map { $0["id"]?.text } == ["\"tiny\""])
            #expect(models.first?["meta"]?["n_vocab"] == 259)
            #expect(try await daemon.get("/v1/models/tiny").json()["id"] == "tiny")
            let path = daemon.folder + "/data/inkling/models/tiny.gguf"
            let encoded = path.split(separator: "/").map { "%2F" + $0 }.joined()
            #expect(try await daemon.get("/v1/models/" + encoded).status == 200)
            #expect(try await daemon.get("/v1/models/none").status == 404)
            let native = try await daemon.get("/inkling/v1/models").json()
            guard case .array(let summaries) = native["models"] else { return }
            #expect(summaries.first?["state"] == "unloaded")
        }
    }

    @Test func modelsInMemoryAreListedAndLetGo() async throws {
        try await RunningDaemon.run { daemon in
            let before = try await daemon.get("/inkling/v1/models/loaded").json()
            guard case .array(let none) = before["models"] else { return }
            #expect(none.isEmpty && before["used"] == 0)
            _ = try await daemon.post(
                "/v1/completions", #"{"prompt":"ink","max_tokens":2,"keep_alive":"1h"}"#)
            let after = try await daemon.get("/inkling/v1/models/loaded").json()
            guard case .array(let models) = after["models"], let model = models.first else { return }
            #expect(models.count == 1 && model["id"] == "tiny" && model["kind"] == "chat")
            #expect(model["state"] == "loaded" && model["expires_at"] != nil)
            #expect(after["used"] == model["bytes"] && after["budget"] != nil)
            #expect(try await daemon.post("/inkling/v1/models/unload", #"{"model":"tiny"}"#).status == 200)
            let gone = try await daemon.post("/inkling/v1/models/unload", #"{"model":"tiny"}"#)
            #expect(gone.status == 404)
            #expect(try gone.error().message.contains("not in memory"))
        }
    }

    @Test func aStayThatIsNoTimeIsRefused() async throws {
        try await RunningDaemon.run { daemon in
            for value in [#""soon""#, "true", "[]"] {
                let answer = try await daemon.post(
                    "/v1/completions", #"{"prompt":"ink","max_tokens":2,"keep_alive":\#(value)}"#)
                #expect(answer.status == 400)
                #expect(try answer.error().parameter == "keep_alive")
            }
        }
    }

    @Test func textBecomesTokensAndBack() async throws {
        try await RunningDaemon.run { daemon in
            let tokens = try await daemon.json("/tokenize", #"{"content":"hé<|im_end|>"}"#)
            #expect(tokens.text == #"{"tokens":[104,195,169,258]}"#)
            let text = try await daemon.json("/tokenize", #"{"content":"<|im_end|>","parse_special":false}"#)
            guard case .array(let letters) = text["tokens"] else { return }
            #expect(letters.count == 10)
            let pieces = try await daemon.json("/tokenize", #"{"content":"hé","with_pieces":true}"#)
            #expect(
                pieces.text
                    == #"{"tokens":[{"id":104,"piece":"h"},{"id":195,"piece":[195]},"#
                    + #"{"id":169,"piece":[169]}]}"#
            )
            let back = try await daemon.json("/detokenize", #"{"tokens":[104,195,169]}"#)
            #expect(back.text == #"{"content":"hé"}"#)
            #expect(try await daemon.json("/detokenize", #"{"tokens":[]}"#).text == #"{"content":""}"#)
            let missing = try await daemon.post("/tokenize", "{}")
            #expect(missing.status == 400)
            #expect(try missing.json()["error"]?["code"] == 400)
            #expect(try missing.json()["error"]?["param"] == "content")
        }
    }

    @Test func shutdownEndsTheDaemon() async throws {
        try await RunningDaemon.run { daemon in
            let response = try await daemon.post("/inkling/v1/shutdown", "{}")
            #expect(response.status == 202)
            try await daemon.ended()
        }
    }
}

struct RequestBodyTests {
    private static let badBodies = [
        ("", "invalid_request"), ("{", "invalid_json"), ("[]", "invalid_request"),
        ("\"x\"", "invalid_request"),
        (#"{"content":"a","content":"b"}"#, "invalid_json"), (#"{"content":"\ud800"}"#, "invalid_json"),
        (#"{"content":"a"}}"#, "invalid_json"), (#"{"content":nul}"#, "invalid_json"),
    ]

    @Test func badBodiesAreExplained() async throws {
        try await RunningDaemon.run { daemon in
            for (body, code) in Self.badBodies {
                let response = try await daemon.post("/v1/completions", body)
                #expect(response.status == 400)
                let error = try response.error()
                #expect(error.code == code, "\(body)")
                if code == "invalid_json" { #expect(error.message.contains("line 1, column")) }
            }
        }
    }

    @Test func contentTypeMustBeJSONOrMissingOrWhatCurlSays() async throws {
        try await RunningDaemon.run { daemon in
            for type in ["text/plain", "multipart/form-data; boundary=x"] {
                let response = try await daemon.request(
                    "POST", "/v1/completions", body: #"{"prompt":"a"}"#, headers: ["Content-Type": type])
                #expect(response.status == 415)
                #expect(try response.error().code == "unsupported_media_type")
            }
            for type in [
                "", "application/json; charset=utf-8", "Application/JSON", "application/ld+json",
                "application/x-www-form-urlencoded",
            ] {
                let response = try await daemon.request(
                    "POST", "/tokenize", body: #"{"content":"a"}"#, headers: ["Content-Type": type])
                #expect(response.status == 200)
            }
        }
    }

    @Test func largeBodiesAreRefusedByLengthAndByCount() async throws {
        try await RunningDaemon.run(configure: { $0.server.maxBodyBytes = 10_000 }) { daemon in
            let body = #"{"content":""# + String(repeating: "x", count: 20_000) + #""}"#
            let response = try await daemon.post("/v1/completions", body)
            #expect(response.status == 413)
            #expect(try response.error().code == "request_too_large")
            let chunked = try daemon.connect()
            try chunked.send(
                TestConnection.text(
                    "POST", "/tokenize",
                    headers: ["Transfer-Encoding": "chunked", "Content-Type": "application/json"]))
            let chunk = String(repeating: "x", count: 4096)
            for _ in 0..<4 { try chunked.send("1000\r\n\(chunk)\r\n") }
            try chunked.send("0\r\n\r\n")
            #expect(try await chunked.response().status == 413)
        }
    }

    @Test func chunkedBodyIsRead() async throws {
        try await RunningDaemon.run { daemon in
            let connection = try daemon.connect()
            try connection.send(
                TestConnection.text(
                    "POST", "/tokenize",
                    headers: ["Transfer-Encoding": "chunked", "Content-Type": "application/json"]))
            try connection.send("b\r\n{\"content\":\r\n4\r\n\"a\"}\r\n0\r\n\r\n")
            #expect(try await connection.response().text == #"{"tokens":[97]}"#)
        }
    }
}
