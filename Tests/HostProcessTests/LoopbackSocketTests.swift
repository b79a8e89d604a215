import Glibc
import Testing

@testable import HostProcess

struct LoopbackSocketTests {
    @Test func aFreePortIsTakenAndNobodyElseGetsIt() throws {
        let socket = try LoopbackSocket.bind(.v4, port: 0)
        defer { socket.close() }
        #expect(socket.port > 0)
        #expect(throws: LoopbackSocket.Failure.inUse) { try LoopbackSocket.bind(.v4, port: socket.port) }
    }

    @Test func aPortIsFreeAgainOnceItIsClosed() throws {
        let first = try LoopbackSocket.bind(.v4, port: 0)
        first.close()
        let second = try LoopbackSocket.bind(.v4, port: first.port)
        #expect(second.port == first.port)
        second.close()
    }

    /// The address that a socket is bound to is this machine's own, and no other.
    @Test func itIsBoundToLoopbackAlone() throws {
        let socket = try LoopbackSocket.bind(.v4, port: 0)
        defer { socket.close() }
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let found = withUnsafeMutablePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(socket.descriptor, $0, &length)
            }
        }
        #expect(found == 0)
        #expect(address.sin_addr.s_addr == UInt32(0x7F00_0001).bigEndian)
    }
}
