/// A picture-shaped activation `[H, W, C]`: channels last, one row of its tensor for each pixel.
///
/// So a 1 × 1 convolution and a projection of attention are plain products over the rows, without transposes.
public struct FeatureMap: Sendable {
    /// Rows of pixels.
    public let height: Int
    /// Pixels of a row.
    public let width: Int
    /// The activations, `[H * W, C]`.
    public let pixels: Tensor

    /// A map over `pixels`, whose rows must be `height * width`.
    public init(height: Int, width: Int, pixels: Tensor) {
        precondition(height >= 0 && width >= 0 && pixels.rows == height * width, "a row for each pixel")
        self.height = height
        self.width = width
        self.pixels = pixels
    }

    /// Channels of a pixel.
    public var channels: Int { pixels.columns }
}
