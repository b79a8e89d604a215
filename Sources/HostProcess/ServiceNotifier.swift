import Glibc

/// Tells the service manager about the daemon's state, as sd_notify(3) does; does nothing without one.
public struct ServiceNotifier: Sendable {
    public enum State: String, Sendable {
        case ready = "READY=1"
        case stopping = "STOPPING=1"
    }

    private let path: String?

    public init(_ environment: [String: String]) { path = environment["NOTIFY_SOCKET"] }

    public func send(_ state: State) {
        guard let path, var address = Self.address(path) else { return }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + path.utf8.count)
        withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = sendto(
                    descriptor, state.rawValue, state.rawValue.utf8.count,
                    Int32(truncatingIfNeeded: MSG_NOSIGNAL), $0, length)
            }
        }
    }

    /// A path, or with a leading `@` a name in the kernel's abstract space.
    private static func address(_ path: String) -> sockaddr_un? {
        guard path.hasPrefix("/") || path.hasPrefix("@"), var address = sockaddr_un(path: path) else {
            return nil
        }
        if path.hasPrefix("@") { withUnsafeMutableBytes(of: &address.sun_path) { $0[0] = 0 } }
        return address
    }
}
