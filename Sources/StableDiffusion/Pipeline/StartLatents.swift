public import Tensors

/// Latents that a render starts from instead of from noise alone, `[h, w, C]` in half precision.
///
/// Such as those of a finished picture of nearly the same prompt. Noise of the render's own seed is added to them,
/// as much as there is at the first of the steps that `strength` leaves: the last n of m steps start at the level
/// of step m - n, so 1 of 2 steps starts half-way. They are rounded, so that what a recipe can hold gives the same picture
/// again, to the last bit.
public struct StartLatents: Sendable, Equatable {
    public let height: Int
    public let width: Int
    public let channels: Int
    private let numbers: [Float16]

    /// `latents` `[h, w, C]`, rounded; what half precision can't hold becomes infinite, and is then refused.
    public init(_ latents: FeatureMap) {
        (height, width, channels) = (latents.height, latents.width, latents.channels)
        numbers = latents.pixels.floats.map { Float16($0) }
        extendLifetime(latents)
    }

    /// Reads what `bytes` gave: `[h, w, C]` as little-endian F16.
    ///
    /// - Throws: `invalidSetting` for another number of bytes.
    public init(
        height: Int, width: Int, channels: Int, bytes: some Collection<UInt8>
    ) throws(StableDiffusionError) {
        let (pixels, overflow) = height.multipliedReportingOverflow(by: width)
        let (count, overflows) = pixels.multipliedReportingOverflow(by: channels)
        guard height > 0, width > 0, channels > 0, !overflow, !overflows, bytes.count / 2 == count,
            bytes.count.isMultiple(of: 2)
        else {
            throw .invalidSetting(
                name: Self.name, expected: "F16 numbers [\(height), \(width), \(channels)]",
                found: "\(bytes.count) bytes")
        }
        (self.height, self.width, self.channels) = (height, width, channels)
        let bytes = Array(bytes)
        numbers = (0..<count).map { index in
            Float16(bitPattern: UInt16(bytes[2 * index]) | UInt16(bytes[2 * index + 1]) << 8)
        }
    }

    /// `[h, w, C]` as little-endian F16.
    public var bytes: [UInt8] {
        numbers.flatMap { number in
            [UInt8(truncatingIfNeeded: number.bitPattern), UInt8(truncatingIfNeeded: number.bitPattern >> 8)]
        }
    }

    /// What errors call it.
    static let name = "start latents"

    var isFinite: Bool { numbers.allSatisfy(\.isFinite) }

    var latents: Latents { Latents(numbers.map { Float($0) }) }
}
