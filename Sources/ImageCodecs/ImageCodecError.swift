/// Why a picture could not be read or written: each case says what was expected and what was found.
public enum ImageCodecError: Error, Equatable {
    /// The first bytes are those of no format that can be read.
    case unknownFormat(found: String)
    /// The file ends before what it announces.
    case truncated(format: ImageFormat, expected: Int, found: Int)
    /// A size above what is accepted.
    case exceedsLimit(format: ImageFormat, what: String, limit: Int, found: Int)
    /// More than one picture in a file.
    case animated(format: ImageFormat)
    /// The file's structure or contents are wrong.
    case damaged(format: ImageFormat, expected: String, found: String)
    /// The codec refused the file.
    case undecodable(format: ImageFormat, reason: String)
    /// The codec refused the picture.
    case unencodable(format: ImageFormat, reason: String)
}

extension ImageCodecError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unknownFormat(let found):
            "This is no picture that can be read: expected a PNG or WebP file, found \(found)."
        case .truncated(let format, let expected, let found):
            "The \(format) file ends too early: expected \(expected) bytes, found \(found)."
        case .exceedsLimit(let format, let what, let limit, let found):
            "The \(format) file is refused: its \(what) is \(found), and at most \(limit) is accepted."
        case .animated(let format):
            "The \(format) file is animated: expected a single picture."
        case .damaged(let format, let expected, let found):
            "The \(format) file is damaged: expected \(expected), found \(found)."
        case .undecodable(let format, let reason):
            "The \(format) file is damaged: \(reason)."
        case .unencodable(let format, let reason):
            "The picture cannot be written as \(format): \(reason)."
        }
    }
}
