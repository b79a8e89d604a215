import Glibc
import Tensors

/// The random numbers of `torch.Generator("cpu").manual_seed(seed)`, so that a seed means the same picture as there.
///
/// A value: a copy goes on with the same numbers.
struct TorchGenerator: Sendable {
    private var engine: MersenneTwister
    /// The second of the last pair that the short way drew; the next short call begins with it.
    private var spare: Double?

    /// Torch takes 64 bits, and its engine keeps the lower 32 of them.
    init(seed: UInt64) {
        engine = MersenneTwister(seed: UInt32(truncatingIfNeeded: seed))
    }

    /// `torch.randn(count)` in f32: the Box-Muller transform (1958), by two different ways for few and for many numbers.
    ///
    /// Logarithm, sine and cosine are rounded once, from f64; torch's own are within a few units in the last place.
    mutating func normals(_ count: Int) -> [Float] {
        guard count >= Self.block else { return (0..<count).map { _ in Float(nextNormal()) } }
        var values = (0..<count).map { _ in nextUniform() }
        for first in stride(from: 0, through: count - Self.block, by: Self.block) {
            Self.transform(&values, from: first)
        }
        // A last block that isn't whole is drawn anew, together with the end of the one before it.
        if count % Self.block != 0 {
            for index in (count - Self.block)..<count { values[index] = nextUniform() }
            Self.transform(&values, from: count - Self.block)
        }
        return values
    }

    /// `torch.randn(1, channels, height, width)`, as a map `[height, width, channels]`.
    mutating func noise(height: Int, width: Int, channels: Int) -> FeatureMap {
        let planes = normals(channels * height * width)  // [C, H, W]
        let pixels = Tensor(rows: height * width, columns: channels)
        let target = pixels.floats
        for c in 0..<channels {
            for p in 0..<height * width { target[p * channels + c] = planes[c * height * width + p] }
        }
        return FeatureMap(height: height, width: width, pixels: pixels)
    }

    // MARK: - Many numbers

    private static let block = 16

    /// Turns 16 uniform numbers into normal ones: each of the first 8 forms a pair with the one 8 places on.
    private static func transform(_ values: inout [Float], from first: Int) {
        for index in first..<first + block / 2 {
            let u1 = 1 - values[index]
            let angle = Float(2 * Double.pi) * values[index + block / 2]
            let radius = (-2 * Float(log(Double(u1)))).squareRoot()
            values[index] = radius * Float(cos(Double(angle)))
            values[index + block / 2] = radius * Float(sin(Double(angle)))
        }
    }

    /// A number in [0, 1) with 24 random bits.
    private mutating func nextUniform() -> Float {
        Float(engine.next() & 0xFF_FFFF) * 0x1p-24
    }

    // MARK: - Few numbers

    private mutating func nextNormal() -> Double {
        if let value = spare {
            spare = nil
            return value
        }
        let (u1, u2) = (nextUniform64(), nextUniform64())
        let radius = (-2 * log1p(-u2)).squareRoot()
        let angle = 2 * Double.pi * u1
        spare = radius * sin(angle)
        return radius * cos(angle)
    }

    /// A number in [0, 1) with 53 random bits.
    private mutating func nextUniform64() -> Double {
        let (high, low) = (UInt64(engine.next()), UInt64(engine.next()))
        return Double((high << 32 | low) & ((1 << 53) - 1)) * 0x1p-53
    }
}
