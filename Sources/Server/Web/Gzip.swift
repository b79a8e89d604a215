import CZlib

/// The gzip format (RFC 1952), by zlib.
enum Gzip {
    /// zlib's flag for gzip's frame in place of its own, beside a window of 2¹⁵ bytes.
    private static let window: CInt = 15 + 16

    /// The bytes as a gzip file at the best level; `nil` when there is no memory for it.
    static func compress(_ bytes: [UInt8]) -> [UInt8]? {
        var stream = z_stream()
        guard
            deflateInit2_(
                &stream, Z_BEST_COMPRESSION, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
                CInt(MemoryLayout<z_stream>.size)) == Z_OK
        else { return nil }
        defer { deflateEnd(&stream) }
        let room = Int(deflateBound(&stream, UInt(bytes.count)))
        // zlib's older interface takes its input as mutable, but leaves it alone.
        var input = bytes
        let output = [UInt8](unsafeUninitializedCapacity: room) { output, count in
            input.withUnsafeMutableBufferPointer { input in
                stream.next_in = input.baseAddress
                stream.avail_in = UInt32(input.count)
                stream.next_out = output.baseAddress
                stream.avail_out = UInt32(output.count)
                let isDone = deflate(&stream, Z_FINISH) == Z_STREAM_END
                count = isDone ? Int(stream.total_out) : 0
            }
        }
        return output.isEmpty ? nil : output
    }
}
