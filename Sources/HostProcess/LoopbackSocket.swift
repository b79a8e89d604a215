import Glibc

/// A listening TCP socket on this machine's own address.
public struct LoopbackSocket: Sendable {
    public enum Family: Sendable {
        case v4, v6
    }

    public enum Failure: Error, Sendable, Equatable {
        /// Another program listens there.
        case inUse
        /// The machine has no such address, as without IPv6.
        case noSuchAddress
        /// What the system says.
        case other(String)
    }

    public let descriptor: CInt
    public let port: UInt16

    /// Binds 127.0.0.1 or ::1 and listens; port 0 takes a free one.
    public static func bind(_ family: Family, port: UInt16) throws(Failure) -> LoopbackSocket {
        let domain = family == .v4 ? AF_INET : AF_INET6
        let descriptor = socket(domain, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw failure() }
        do throws(Failure) {
            // Connections of a daemon that has just ended keep no new one from its port.
            try set(SOL_SOCKET, SO_REUSEADDR, on: descriptor)
            if family == .v6 { try set(CInt(IPPROTO_IPV6), IPV6_V6ONLY, on: descriptor) }
            let bound =
                switch family {
                case .v4: bindV4(descriptor, port: port)
                case .v6: bindV6(descriptor, port: port)
                }
            guard bound == 0, listen(descriptor, SOMAXCONN) == 0 else { throw failure() }
            return LoopbackSocket(descriptor: descriptor, port: try boundPort(of: descriptor))
        } catch {
            Glibc.close(descriptor)
            throw error
        }
    }

    /// Closes a socket that nobody has taken over.
    public func close() { Glibc.close(descriptor) }

    private static func set(_ level: CInt, _ option: CInt, on descriptor: CInt) throws(Failure) {
        var on: CInt = 1
        guard setsockopt(descriptor, level, option, &on, socklen_t(MemoryLayout<CInt>.size)) == 0 else {
            throw failure()
        }
    }

    private static func bindV4(_ descriptor: CInt, port: UInt16) -> CInt {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return bind(descriptor, &address)
    }

    private static func bindV6(_ descriptor: CInt, port: UInt16) -> CInt {
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        address.sin6_addr = in6addr_loopback
        return bind(descriptor, &address)
    }

    private static func bind<Address>(_ descriptor: CInt, _ address: inout Address) -> CInt {
        let length = socklen_t(MemoryLayout<Address>.size)
        return withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(descriptor, $0, length)
            }
        }
    }

    private static func boundPort(of descriptor: CInt) throws(Failure) -> UInt16 {
        // Both families have the port at the same place.
        var address = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let found = withUnsafeMutablePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(descriptor, $0, &length)
            }
        }
        guard found == 0 else { throw failure() }
        return UInt16(bigEndian: address.sin6_port)
    }

    private static func failure() -> Failure {
        switch errno {
        case EADDRINUSE: .inUse
        case EADDRNOTAVAIL, EAFNOSUPPORT: .noSuchAddress
        default: .other(lastSystemError())
        }
    }
}
