internal import CImageCodecs

/// A chunk of a PNG or WebP file that is no picture data.
struct MetadataChunk: Equatable {
    /// Four ASCII letters.
    var name: String
    var contents: [UInt8]
}

extension Bitmap {
    /// A picture whose samples a codec in C fills in.
    init(
        decoding format: ImageFormat, width: Int, height: Int, channels: Int,
        _ decode: (_ samples: UnsafeMutablePointer<UInt8>, _ message: UnsafeMutablePointer<CChar>) -> Bool
    ) throws(ImageCodecError) {
        let count = width * height * channels
        var reason: String?
        // Not filled beforehand: memory that the codec never comes to is never used.
        let samples = [UInt8](unsafeUninitializedCapacity: count) { buffer, initializedCount in
            reason = failureMessage { decode(buffer.baseAddress!, $0) }
            initializedCount = reason == nil ? count : 0
        }
        if let reason { throw .undecodable(format: format, reason: reason) }
        self.init(width: width, height: height, channels: channels, samples: samples)
    }

    /// Decodes a PNG or WebP file, told apart by their first bytes.
    ///
    /// - Throws: ``ImageCodecError`` when it is neither, or damaged, cut off, animated or beyond `limits`.
    public init(decoding file: [UInt8], limits: DecodingLimits = DecodingLimits()) throws(ImageCodecError) {
        switch ImageFormat(sniffing: file) {
        case .png: self = try PNG.decode(file, limits: limits)
        case .webp: self = try WebP.decode(file, limits: limits)
        case nil:
            let start = file.prefix(8).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
            throw .unknownFormat(
                found: file.isEmpty ? "no bytes" : "bytes that start with \(start.joined(separator: " "))")
        }
    }
}

/// The file that an encoder in C makes.
func encoding(
    _ format: ImageFormat, _ chunks: [MetadataChunk],
    _ encode: (
        _ chunks: UnsafeBufferPointer<cic_chunk>, _ output: UnsafeMutablePointer<cic_buffer>,
        _ message: UnsafeMutablePointer<CChar>
    ) -> Bool
) throws(ImageCodecError) -> [UInt8] {
    var output = cic_buffer()
    defer { cic_release(&output) }
    let contents = chunks.flatMap(\.contents)
    let reason = contents.withUnsafeBufferPointer { contents in
        var position = 0
        let pointers = chunks.map { chunk in
            let name = Array(chunk.name.utf8)
            precondition(name.count == 4, "a chunk's name has four letters")
            defer { position += chunk.contents.count }
            return cic_chunk(
                name: (name[0], name[1], name[2], name[3], 0),
                bytes: contents.baseAddress.map { $0 + position }, count: chunk.contents.count)
        }
        return pointers.withUnsafeBufferPointer { pointers in
            failureMessage { encode(pointers, &output, $0) }
        }
    }
    if let reason { throw .unencodable(format: format, reason: reason) }
    return Array(UnsafeBufferPointer(start: output.bytes, count: output.count))
}

/// What `body` says when it returns false.
func failureMessage(_ body: (UnsafeMutablePointer<CChar>) -> Bool) -> String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(CIC_MESSAGE_SIZE)) { message in
        message.initialize(repeating: 0)
        return body(message.baseAddress!) ? nil : String(cString: message.baseAddress!)
    }
}
