public import FoundationEssentials
import Glibc
import ImageCodecs

/// Picture files that go with a request.
public enum PictureInput {
    /// Longest file that is sent, in bytes.
    public static let limit = 16 << 20

    /// The bytes of a PNG or WebP file, or of a pipe that carries one; `-` is standard input.
    ///
    /// - Throws: `ClientError.failed`, with what is wrong with the file.
    public static func read(_ argument: String, limit: Int = Self.limit) throws(ClientError) -> Data {
        let path = argument == "-" ? "/dev/stdin" : argument
        let shown = TextSanitizer.line(path)
        var status = stat()
        guard stat(path, &status) == 0 else {
            if errno == ENOENT { throw .failed("there is no file \(shown)") }
            throw .failed("\(shown) cannot be read: \(ClientError.system(errno))")
        }
        let kind = status.st_mode & S_IFMT
        guard kind == S_IFREG || kind == S_IFIFO else { throw .failed("\(shown) is no file") }
        guard status.st_size <= limit else {
            throw .failed(
                "\(shown) has \(ConversationText.size(Int(status.st_size))); at most \(limit >> 20) MiB are sent"
            )
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw .failed("\(shown) cannot be read: \(ClientError.system(errno))")
        }
        defer { close(descriptor) }
        guard let bytes = FileBytes.read(descriptor, limit: limit) else {
            throw .failed("\(shown) cannot be read, or has more than \(limit >> 20) MiB")
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
