import ImageCodecs

/// The palette of 256 colours, but its first 16, which everybody sets as they like.
enum TerminalPalette {
    private static let levels = [0, 95, 135, 175, 215, 255]

    /// The cube of 6 x 6 x 6, then the greys from 8 to 238.
    private static let colors: [(red: Int, green: Int, blue: Int)] =
        (0..<216).map { (levels[$0 / 36], levels[$0 / 6 % 6], levels[$0 % 6]) }
        + (0..<24).map { (8 + 10 * $0, 8 + 10 * $0, 8 + 10 * $0) }

    /// The index of the colour that looks most like a pixel's; neighbours differ a little by a pattern.
    static func index(_ color: Bitmap.Color, x: Int, y: Int) -> Int {
        let shift = (OrderedPattern.value(x: x, y: y) * 2 - 63) * 20 / 128
        let (red, green, blue) = (Int(color.red) + shift, Int(color.green) + shift, Int(color.blue) + shift)
        return colors.withUnsafeBufferPointer { colors in
            var best = (index: 0, distance: Int.max)
            for index in colors.indices {
                let candidate = colors[index]
                let distance = distance(red - candidate.red, green - candidate.green, blue - candidate.blue)
                if distance < best.distance { best = (index, distance) }
            }
            return 16 + best.index
        }
    }

    /// How different colours look: a wrong hue is worse than a wrong lightness, or dark colours would all be grey.
    private static func distance(_ red: Int, _ green: Int, _ blue: Int) -> Int {
        let mean = (red + green + blue) / 3
        let hue = (red - mean, green - mean, blue - mean)
        return 2 * red * red + 4 * green * green + blue * blue
            + 6 * (hue.0 * hue.0 + hue.1 * hue.1 + hue.2 * hue.2)
    }
}
