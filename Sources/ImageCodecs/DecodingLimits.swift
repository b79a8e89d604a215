/// What a picture's file may claim; checked before anything is allocated for it.
public struct DecodingLimits: Sendable {
    /// In pixels.
    public var width = 4096
    /// In pixels.
    public var height = 4096
    /// Width times height.
    public var pixels = 16 << 20
    /// Of the whole file.
    public var fileBytes = 16 << 20
    /// Of all that is no picture data: metadata, colour profiles, what follows the end.
    public var ancillaryBytes = 1 << 20

    /// Parts that a file is made of.
    public var chunks = 1 << 16

    public init() {}

    func check(width: Int, height: Int, _ format: ImageFormat) throws(ImageCodecError) {
        try check("width", width, self.width, format)
        try check("height", height, self.height, format)
        try check("number of pixels", width * height, pixels, format)
    }

    func check(
        _ what: String, _ found: Int, _ limit: Int, _ format: ImageFormat
    ) throws(ImageCodecError) {
        guard found <= limit else {
            throw .exceedsLimit(format: format, what: what, limit: limit, found: found)
        }
    }
}
