import AssistantAPI
import FoundationEssentials
import Settings
import Testing

@testable import Server

/// The daemon on loopback TCP, as a browser and as other programs meet it.
@Suite(.timeLimit(.minutes(5)))
struct WebListenerTests {
    /// Opens the page's address; returns its port and the link's path.
    private func open(_ daemon: RunningDaemon) async throws -> (port: UInt16, path: String) {
        let response = try await daemon.post("/inkling/v1/page", "{}")
        #expect(response.status == 201)
        let link = try Wire.decoder().decode(PageLink.self, from: Data(response.body)).url
        let parts = link.split(separator: "/", maxSplits: 2)
        let port = try #require(parts[1].split(separator: ":").last.flatMap { UInt16($0) })
        return (port, "/" + parts[2])
    }

    private func request(
        _ port: UInt16, _ method: String, _ path: String, body: String? = nil,
        _ headers: [String: String] = [:]
    ) async throws -> TestResponse {
        let host = ["Host": "127.0.0.1:\(port)"]
        return try await TestConnection(port: port).request(
            method, path, body: body, headers: host.merging(headers) { $1 })
    }

    private func folder(_ files: [String: String]) throws -> String {
        let folder = PageFolder.make()
        for (name, text) in files { try Data(text.utf8).write(to: .init(filePath: folder + "/" + name)) }
        return folder
    }

    @Test func theLinkLetsOneBrowserInOnceAndTheCookieOpensTheRest() async throws {
        try await RunningDaemon.run { daemon in
            let (port, path) = try await open(daemon)
            let entered = try await request(port, "GET", path, ["Sec-Fetch-Site": "none"])
            #expect(entered.status == 303)
            let key = try #require(entered.headers["location"]?.split(separator: "#").last)
            #expect(entered.headers["location"] == "/#\(key)" && key.count == 64)
            let set = try #require(entered.headers["set-cookie"])
            #expect(set.contains("; HttpOnly") && set.contains("; SameSite=Strict"))
            #expect(try await request(port, "GET", path).status == 403)
            let cookie = String(set.prefix { $0 != ";" })
            var own = ["Cookie": cookie, "Authorization": "Bearer \(key)"]
            #expect(try await request(port, "GET", "/health", own).status == 200)
            // A neighbour whom the browser told the cookie gets nothing with it.
            #expect(try await request(port, "GET", "/health", ["Cookie": cookie]).status == 401)
            own["Origin"] = "http://127.0.0.1:\(port)"
            let made = try await request(port, "POST", "/inkling/v1/conversations", body: "{}", own)
            #expect(made.status == 201)
            // The second link leads to the same address, with the same cookie.
            let again = try await open(daemon)
            #expect(again.port == port)
            #expect(try await request(port, "GET", again.path).headers["set-cookie"] == set)
        }
    }

    @Test func nobodyElseGetsInAndEveryAnswerIsArmed() async throws {
        try await RunningDaemon.run { daemon in
            let (port, _) = try await open(daemon)
            let cases: [(String, [String: String], Int)] = [
                ("GET", [:], 401), ("GET", ["Host": "evil.example"], 421), ("GET", ["Host": ""], 421),
                ("GET", ["Origin": "https://evil.example"], 403), ("OPTIONS", [:], 403),
                ("GET", ["Sec-Fetch-Site": "same-site"], 403),
                ("GET", ["Cookie": "inkling-\(port)=guess"], 401),
                ("GET", ["Authorization": "Bearer guess"], 401),
                ("POST", ["Origin": "http://127.0.0.1:\(port)", "Content-Type": "text/plain"], 415),
            ]
            for (method, headers, status) in cases {
                let body = method == "POST" ? "{}" : nil
                let response = try await request(
                    port, method, "/inkling/v1/conversations", body: body, headers)
                #expect(response.status == status, "\(method) \(headers)")
                #expect(response.headers["content-security-policy"]?.hasPrefix("default-src 'none';") == true)
                #expect(response.headers["x-content-type-options"] == "nosniff")
                #expect(!response.headers.keys.contains { $0.hasPrefix("access-control-") })
            }
        }
    }

    @Test func withoutAKeyEveryLocalProgramGetsIn() async throws {
        try await RunningDaemon.run(configure: { $0.server.requireKey = false }) { daemon in
            let (port, _) = try await open(daemon)
            #expect(try await request(port, "GET", "/health").status == 200)
            #expect(try await request(port, "GET", "/health", ["Sec-Fetch-Mode": "cors"]).status == 401)
        }
    }

    @Test func thePagesFilesHaveTheirTypesAndTagsAndComeCompressed() async throws {
        let text = String(repeating: "body { color: black; }\n", count: 100)
        let folder = try folder(["index.html": "<!doctype html>", "style.css": text, "notes.txt": "none"])
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await RunningDaemon.run(page: PageFiles(folder: folder)) { daemon in
            let index = try await daemon.request("GET", "/", headers: ["Accept": "text/html,*/*;q=0.8"])
            #expect(index.text == "<!doctype html>")
            #expect(index.headers["content-type"] == "text/html; charset=utf-8")
            // Programs look there for Ollama.
            #expect(try await daemon.get("/").text == "Ollama is running")
            let style = try await daemon.get("/page/style.css")
            #expect(style.text == text && style.headers["content-type"] == "text/css; charset=utf-8")
            let tag = try #require(style.headers["etag"])
            let same = try await daemon.request("GET", "/page/style.css", headers: ["If-None-Match": tag])
            #expect(same.status == 304 && same.body.isEmpty)
            let packed = try await daemon.request(
                "GET", "/page/style.css", headers: ["Accept-Encoding": "deflate, gzip;q=1.0"])
            #expect(packed.headers["content-encoding"] == "gzip")
            #expect(packed.body.prefix(2) == [0x1F, 0x8B] && packed.body.count < text.utf8.count / 4)
            for name in ["none.css", "notes.txt", ".hidden.css", "..%2Findex.html", "a%2Fb.css", "STYLE.css"]
            {
                #expect(try await daemon.get("/page/" + name).status == 404, "\(name)")
            }
            // A changed file is served as it is now.
            try Data("p {}".utf8).write(to: .init(filePath: folder + "/style.css"))
            let changed = try await daemon.request("GET", "/page/style.css", headers: ["If-None-Match": tag])
            #expect(changed.status == 200 && changed.text == "p {}")
        }
    }
}

/// A folder of a test's own.
private enum PageFolder {
    static func make() -> String {
        let path = "/tmp/ink-page-\(Secret.make().prefix(12))"
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }
}
