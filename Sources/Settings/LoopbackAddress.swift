/// Where the daemon listens beside its socket: this machine's own addresses, and no others.
public struct LoopbackAddress: Sendable, Equatable, CustomStringConvertible {
    /// An address of the loopback interface, as it stands in a URL.
    public enum Host: String, Sendable, CaseIterable {
        case v4 = "127.0.0.1"
        case v6 = "[::1]"
    }

    /// The addresses to listen on; where there are two, the second one may be missing on the machine.
    public var hosts: [Host]
    /// The port; 0 takes a free one.
    public var port: UInt16

    public init(hosts: [Host] = Host.allCases, port: UInt16) {
        self.hosts = hosts
        self.port = port
    }

    /// Reads `127.0.0.1:PORT`, `[::1]:PORT`, `localhost:PORT` (both), or a port alone (both).
    ///
    /// - Returns: `nil` for any other address, since nobody else's machine shall reach the daemon.
    public init?(_ text: String) {
        let name: Substring
        let digits: Substring
        if let colon = text.lastIndex(of: ":") {
            (name, digits) = (text[..<colon], text[text.index(after: colon)...])
        } else {
            (name, digits) = ("localhost", text[...])
        }
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = UInt16(digits)
        else { return nil }
        switch name {
        case "localhost": self.init(port: port)
        default:
            guard let host = Host(rawValue: String(name)) else { return nil }
            self.init(hosts: [host], port: port)
        }
    }

    public var description: String { (hosts.count == 1 ? hosts[0].rawValue : "localhost") + ":\(port)" }
}
