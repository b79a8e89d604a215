import Testing

@testable import Settings

struct LoopbackAddressTests {
    @Test(arguments: [
        ("127.0.0.1:8080", LoopbackAddress(hosts: [.v4], port: 8080)),
        ("[::1]:1", LoopbackAddress(hosts: [.v6], port: 1)),
        ("localhost:0", LoopbackAddress(port: 0)), ("4655", LoopbackAddress(port: 4655)),
    ])
    func ownAddressesAreRead(text: String, address: LoopbackAddress) {
        #expect(LoopbackAddress(text) == address)
    }

    @Test(arguments: [
        "", ":", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:+1", "127.0.0.1:-1",
        "127.0.0.1: 80",
        "0.0.0.0:80", "192.168.0.2:80", "[::]:80", "::1:80", "example.org:80", "127.0.0.2:80", "LOCALHOST:80",
    ])
    func othersAreRefused(text: String) { #expect(LoopbackAddress(text) == nil) }

    @Test func aFlagOrTheFileNamesTheAddress() throws {
        let configuration = try Configuration.load(
            flags: ["server.listen": "127.0.0.1:8080", "server.require_key": "false"],
            environment: ["HOME": "/nowhere"])
        #expect(configuration.server.listen == LoopbackAddress(hosts: [.v4], port: 8080))
        #expect(!configuration.server.requireKey)
        #expect(throws: ConfigurationError.self) {
            try Configuration.load(flags: ["server.listen": "0.0.0.0:80"], environment: ["HOME": "/nowhere"])
        }
    }
}
