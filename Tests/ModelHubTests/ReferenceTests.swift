import Testing

@testable import ModelHub

struct ReferenceTests {
    @Test(arguments: [
        ("owner/name", "owner/name", "main", HubReference.Choice.whole),
        ("hf.co/owner/name:Q4_K_M", "owner/name", "main", .quantization("Q4_K_M")),
        ("https://huggingface.co/owner/na.me-1:latest", "owner/na.me-1", "main", .whole),
        ("owner/name@v1.0:q8_0", "owner/name", "v1.0", .quantization("q8_0")),
        ("owner/name/folder/file.gguf", "owner/name", "main", .file("folder/file.gguf")),
        ("https://hf.co/owner/name/resolve/abc/x.gguf?download=true", "owner/name", "abc", .file("x.gguf")),
        ("https://huggingface.co/owner/name/tree/dev/", "owner/name", "dev", .whole),
        ("HF.co/Owner/Name/", "Owner/Name", "main", .whole),
    ])
    func areRead(_ text: String, _ repository: String, _ revision: String, _ choice: HubReference.Choice)
        throws
    {
        let reference = try #require(HubReference(text))
        #expect(reference.repository == repository)
        #expect(reference.revision == revision)
        #expect(reference.choice == choice)
        #expect(HubReference(reference.description)?.repository == repository)
        #expect(HubReference(reference.description)?.revision == revision)
    }

    @Test(arguments: [
        "", "name", "owner/", "/owner/name", "owner/name/../x", "owner/na me", "../name", "owner/name:",
        "owner/name/a//b", "owner/name@", "owner/name:a/b", "owner/name/a\\b", "owner/\u{1B}name",
    ])
    func whatIsNoneIsRefused(_ text: String) { #expect(HubReference(text) == nil) }

    @Test func proxiesAreChosenByHost() {
        let proxies = Proxies(environment: [
            "HTTPS_PROXY": "http://me:secret@proxy.example:3128", "http_proxy": "plain:8080",
            "NO_PROXY": "localhost, .inside.example,other.example:8443",
        ])
        let server = proxies.server(for: "huggingface.co", port: 443, isSecure: true)
        #expect(server == .init(host: "proxy.example", port: 3128, user: "me", password: "secret"))
        #expect(proxies.server(for: "x.org", port: 80, isSecure: false)?.host == "plain")
        #expect(proxies.server(for: "LOCALHOST", port: 443, isSecure: true) == nil)
        #expect(proxies.server(for: "a.inside.example", port: 443, isSecure: true) == nil)
        #expect(proxies.server(for: "notinside.example", port: 443, isSecure: true) != nil)
        #expect(proxies.server(for: "other.example", port: 8443, isSecure: true) == nil)
        #expect(proxies.server(for: "other.example", port: 443, isSecure: true) != nil)
        #expect(
            Proxies(environment: ["HTTPS_PROXY": "x:1", "NO_PROXY": "*"]).server(
                for: "a.b", port: 443, isSecure: true) == nil)
    }

    @Test func theEnvironmentNamesTheHub() {
        let access = HubAccess(environment: [
            "HF_ENDPOINT": "https://mirror.example/", "HF_TOKEN": "t", "HF_HUB_OFFLINE": "1",
        ])
        #expect(access.endpoint == "https://mirror.example" && access.token == "t" && access.isOffline)
        let plain = HubAccess(environment: ["HF_HUB_OFFLINE": "0"])
        #expect(plain.endpoint == "https://huggingface.co" && plain.token == nil && !plain.isOffline)
    }
}
