/// A format of picture files that can be read and written.
public enum ImageFormat: String, Sendable, CaseIterable, CustomStringConvertible {
    case png, webp

    /// The format whose first bytes these are.
    public init?(sniffing bytes: [UInt8]) {
        if bytes.starts(with: PNG.signature) {
            self = .png
        } else if bytes.count >= 12, bytes[0..<4].elementsEqual("RIFF".utf8),
            bytes[8..<12].elementsEqual("WEBP".utf8)
        {
            self = .webp
        } else {
            return nil
        }
    }

    public var description: String { self == .png ? "PNG" : "WebP" }

    /// Such as `image/png`.
    public var mediaType: String { "image/\(rawValue)" }
}
