public import FoundationEssentials
import Glibc
import ImageCodecs

/// Picture files that go with a request.
public enum PictureInput {
    /// Longest file that is sent, in bytes.
    public static let limit = 16 << 20

    /// The bytes of a PNG or WebP file.
    ///
    /// - Throws: `ClientError.failed`, with what is wrong with the file.
    public static func read(_ path: String, limit: Int = Self.limit) throws(ClientError) -> Data {
        let shown = TextSanitizer.line(path)
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT { throw .failed("there is no file \(shown)") }
            throw .failed("\(shown) cannot be read: \(ClientError.system(errno))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw .failed("\(shown) cannot be read: \(ClientError.system(errno))")
        }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .failed("\(shown) is no file") }
        guard status.st_size <= limit else {
            throw .failed(
                "\(shown) has \(ConversationText.size(Int(status.st_size))); at most \(limit >> 20) MiB are sent"
            )
        }
        guard let bytes = FileBytes.read(descriptor, limit: limit) else {
            throw .failed("\(shown) cannot be read: \(ClientError.system(errno))")
        }
        try check(bytes, shown)
        return Data(bytes)
    }

    private static func check(_ bytes: [UInt8], _ shown: String) throws(ClientError) {
        if ImageFormat(sniffing: bytes) != nil { return }
        if bytes.isEmpty { throw .failed("\(shown) is empty") }
        let kinds: [(beginning: [UInt8], name: String)] = [
            ([0xFF, 0xD8, 0xFF], "a JPEG picture"), (Array("GIF8".utf8), "a GIF picture"),
            (Array("BM".utf8), "a BMP picture"),
        ]
        let kind = kinds.first { bytes.starts(with: $0.beginning) }?.name ?? "no picture of a known kind"
        throw .failed("\(shown) is \(kind); PNG and WebP can be read")
    }
}
