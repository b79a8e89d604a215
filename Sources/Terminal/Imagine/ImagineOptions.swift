public import AssistantAPI

/// What a person asked `inkling imagine` for.
public struct ImagineOptions: Sendable {
    public var request: PictureRequest
    public var target: PictureTarget
    /// One JSON object at the end, instead of text and pictures.
    public var isJSON = false
    /// Nothing but errors.
    public var isQuiet = false
    /// No cursor movement, colours or pictures.
    public var isPlain = false
    /// How pictures are shown; `nil` as the terminal can.
    public var graphics: GraphicsProtocol?
    /// Pictures on their way are shown; `nil` where finished ones can be shown too.
    public var showsPreview: Bool?

    public init(request: PictureRequest, target: PictureTarget) {
        self.request = request
        self.target = target
    }

    /// Whether pictures are for the eyes of whoever reads standard output.
    var showsPictures: Bool { !isQuiet && !isJSON && !isPlain && target != .standardOutput }

    /// What is to be painted: the words of the command line or, without any, what was piped in.
    ///
    /// - Throws: `ClientError.usage` when there is nothing.
    public static func prompt(words: [String], piped: () throws -> String?) throws -> String {
        let prompt = try words.isEmpty ? piped() ?? "" : words.joined(separator: " ")
        let text = prompt.split(whereSeparator: \.isNewline).joined(separator: " ")
        guard text.contains(where: { !$0.isWhitespace }) else {
            throw ClientError.usage(
                "there is no prompt; give one, as in: inkling imagine \"a fox reading a newspaper\"")
        }
        return text
    }

    /// Settles the files' format and refuses what does not go together, before anything is done.
    ///
    /// - Throws: `ClientError.usage`.
    public mutating func settle() throws(ClientError) {
        let count = request.count ?? 1
        guard count > 0 else { throw .usage("-n takes a number of pictures, at least 1") }
        if target == .standardOutput {
            if count > 1 {
                throw .usage("-o - writes one picture; -n \(count) needs files, such as -o fox.png")
            }
            if isJSON {
                throw .usage("-o - and --json both want standard output; write the picture to a file")
            }
        }
        if let named = try target.format() {
            if let asked = request.format, asked != named {
                throw .usage(
                    "--format \(asked.rawValue) does not go with a file that ends in .\(named.rawValue)")
            }
            request.format = named
        }
        request.format = request.format ?? .png
        if request.quality != nil, request.format != .webp {
            throw .usage("--quality is for WebP files; a PNG file is always lossless")
        }
        if request.initImage == nil {
            if request.strength != nil { throw .usage("--strength needs a start picture: --init FILE") }
            if request.mask != nil { throw .usage("--mask needs the picture that it is for: --init FILE") }
        }
    }
}
