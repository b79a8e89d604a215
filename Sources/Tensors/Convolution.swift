/// A two-dimensional convolution: weights in the order that the kernels read, and how the kernel moves.
///
/// `Operations.convolution` makes one from the weights of a file.
public struct Convolution: Sendable {
    /// Rows and columns added around the map before the kernel moves over it; they count as zeros.
    public struct Padding: Sendable, Equatable {
        public var top: Int, left: Int, bottom: Int, right: Int

        public init(top: Int, left: Int, bottom: Int, right: Int) {
            (self.top, self.left, self.bottom, self.right) = (top, left, bottom, right)
        }

        /// The same on every side.
        public static func all(_ count: Int) -> Padding {
            Padding(top: count, left: count, bottom: count, right: count)
        }
    }

    /// The weights `[O, I * k * k]`, packed.
    let weight: WeightTensor
    /// `[1, O]`.
    let bias: Tensor?
    public let inputChannels: Int
    public let outputChannels: Int
    /// k: 1 or 3.
    public let kernelSize: Int
    public let stride: Int
    public let padding: Padding

    /// The height or width of the output for one of the input, with that side's padding.
    func outputLength(_ length: Int, padding: Int) -> Int {
        (length + padding - kernelSize) / stride + 1
    }
}
