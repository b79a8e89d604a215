extension Bitmap {
    /// A colour without transparency.
    public struct Color: Sendable, Equatable {
        public var red: UInt8
        public var green: UInt8
        public var blue: UInt8

        public init(red: UInt8, green: UInt8, blue: UInt8) {
            (self.red, self.green, self.blue) = (red, green, blue)
        }

        public static let black = Color(red: 0, green: 0, blue: 0)
        public static let white = Color(red: 255, green: 255, blue: 255)
    }

    /// The colours alone, as if every pixel were opaque: Pillow's `convert("RGB")`.
    public func withoutAlpha() -> Bitmap {
        guard channels == 4 else { return self }
        return opaque { pixel, _ in pixel }
    }

    /// The picture as it looks on a ground of one colour.
    public func flattened(over ground: Color) -> Bitmap {
        guard channels == 4 else { return self }
        return opaque { pixel, alpha in
            func mixed(_ sample: UInt8, _ ground: UInt8) -> UInt8 {
                UInt8((Int(sample) * alpha + Int(ground) * (255 - alpha) + 127) / 255)
            }
            return Color(
                red: mixed(pixel.red, ground.red), green: mixed(pixel.green, ground.green),
                blue: mixed(pixel.blue, ground.blue))
        }
    }

    /// `[height, width]`: how light each pixel is, alpha left out; Pillow's `convert("L")`.
    public func luminance() -> [UInt8] {
        stride(from: 0, to: samples.count, by: channels).map { start in
            let (red, green, blue) = (Int(samples[start]), Int(samples[start + 1]), Int(samples[start + 2]))
            return UInt8((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16)
        }
    }

    /// White where the picture is fully transparent and black elsewhere; `nil` where it is so nowhere.
    public func transparentPixels() -> Bitmap? {
        guard channels == 4 else { return nil }
        let isAnywhere = stride(from: 3, to: samples.count, by: 4).contains { samples[$0] == 0 }
        return isAnywhere ? opaque { _, alpha in alpha == 0 ? .white : .black } : nil
    }

    private func opaque(_ color: (_ pixel: Color, _ alpha: Int) -> Color) -> Bitmap {
        var result: [UInt8] = []
        result.reserveCapacity(3 * width * height)
        for start in stride(from: 0, to: samples.count, by: 4) {
            let pixel = Color(red: samples[start], green: samples[start + 1], blue: samples[start + 2])
            let made = color(pixel, Int(samples[start + 3]))
            result.append(made.red)
            result.append(made.green)
            result.append(made.blue)
        }
        return Bitmap(width: width, height: height, channels: 3, samples: result)
    }
}
