/// A picture of 8-bit samples, row by row without gaps: red, green, blue (and alpha, not premultiplied).
public struct Bitmap: Sendable, Equatable {
    /// In pixels.
    public let width: Int
    /// In pixels.
    public let height: Int
    /// 3 (RGB) or 4 (RGBA).
    public let channels: Int
    /// `[height, width, channels]`.
    public var samples: [UInt8]

    /// A picture over `samples`, `height * width * channels` of them.
    public init(width: Int, height: Int, channels: Int, samples: [UInt8]) {
        precondition(width > 0 && height > 0 && (channels == 3 || channels == 4), "a picture has pixels")
        precondition(samples.count == width * height * channels, "samples for each pixel")
        (self.width, self.height, self.channels, self.samples) = (width, height, channels, samples)
    }
}
