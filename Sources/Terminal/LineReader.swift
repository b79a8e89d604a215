import Dispatch
import Glibc

/// Reads lines where there is no terminal to edit them in, or where it edits them itself.
enum LineReader {
    static let limit = 32 << 20

    /// Hands each line on, from a thread of its own, and `nil` at the end of the input.
    static func start(_ descriptor: Int32 = 0, _ receive: @escaping @Sendable (String?) -> Void) {
        DispatchQueue(label: "inkling.lines").async { @Sendable in
            var line: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 4096)
            while line.count < limit {
                let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { break }
                for byte in buffer[..<count] {
                    if byte == 0x0A {
                        receive(String(decoding: line, as: UTF8.self))
                        line.removeAll(keepingCapacity: true)
                    } else {
                        line.append(byte)
                    }
                }
            }
            if !line.isEmpty { receive(String(decoding: line, as: UTF8.self)) }
            receive(nil)
        }
    }
}
