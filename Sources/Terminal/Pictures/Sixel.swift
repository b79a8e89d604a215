import ImageCodecs

/// Pictures in DEC's sixel graphics: bands of six rows, each drawn once for every colour in it.
struct Sixel {
    /// 2 to 256.
    let colorLimit: Int

    /// An RGB picture from where the cursor is.
    func text(_ picture: Bitmap) -> String {
        let palette = SixelPalette(picture, limit: min(max(colorLimit, 2), 256))
        var output = Array("\u{1B}P0;1;0q\"1;1;\(picture.width);\(picture.height)".utf8)
        for (index, color) in palette.colors.enumerated() {
            let (red, green, blue) = (percent(color.red), percent(color.green), percent(color.blue))
            output += "#\(index);2;\(red);\(green);\(blue)".utf8
        }
        let indices = indices(of: picture, palette)
        var bands = SixelBands(width: picture.width, colorCount: palette.colors.count)
        for top in stride(from: 0, to: picture.height, by: 6) {
            if top > 0 { output.append(UInt8(ascii: "-")) }
            let rows = min(6, picture.height - top)
            bands.write(indices[top * picture.width..<(top + rows) * picture.width], to: &output)
        }
        output += "\u{1B}\\".utf8
        return String(decoding: output, as: UTF8.self)
    }

    private func percent(_ sample: UInt8) -> Int { (Int(sample) * 100 + 127) / 255 }

    /// The palette's colour of each pixel.
    private func indices(of picture: Bitmap, _ palette: SixelPalette) -> [UInt8] {
        var nearest = palette.lookup()
        // From one of the adaptive colours to the next.
        let step = palette.isExact ? 0 : 10
        return [UInt8](unsafeUninitializedCapacity: picture.width * picture.height) { output, count in
            count = picture.width * picture.height
            for y in 0..<picture.height {
                for x in 0..<picture.width {
                    let pixel = y * picture.width + x
                    let shift = (OrderedPattern.value(x: x, y: y) * 2 - 63) * step / 128
                    output[pixel] = nearest.index(
                        Int(picture.samples[3 * pixel]) + shift, Int(picture.samples[3 * pixel + 1]) + shift,
                        Int(picture.samples[3 * pixel + 2]) + shift)
                }
            }
        }
    }
}

/// Writes bands of six rows.
private struct SixelBands {
    private let width: Int
    /// For each colour, a byte of six pixels for each column.
    private var columns: [UInt8]
    private var isUsed: [Bool]

    init(width: Int, colorCount: Int) {
        self.width = width
        columns = [UInt8](repeating: 0, count: width * colorCount)
        isUsed = [Bool](repeating: false, count: colorCount)
    }

    /// Writes up to six rows of palette indices.
    mutating func write(_ indices: ArraySlice<UInt8>, to output: inout [UInt8]) {
        for (offset, index) in indices.enumerated() {
            columns[Int(index) * width + offset % width] |= 1 << UInt8(offset / width)
            isUsed[Int(index)] = true
        }
        var isFirst = true
        for color in isUsed.indices where isUsed[color] {
            if !isFirst { output.append(UInt8(ascii: "$")) }
            isFirst = false
            output += "#\(color)".utf8
            write(columns: color * width..<(color + 1) * width, to: &output)
            isUsed[color] = false
        }
    }

    /// Writes one colour's columns as runs, but the empty ones at the end, and empties them.
    private mutating func write(columns range: Range<Int>, to output: inout [UInt8]) {
        var start = range.lowerBound
        while start < range.upperBound {
            let value = columns[start]
            var end = start
            while end < range.upperBound, columns[end] == value {
                columns[end] = 0
                end += 1
            }
            if value == 0, end == range.upperBound { return }
            let character = 0x3F + value
            if end - start > 3 {
                output += "!\(end - start)".utf8
                output.append(character)
            } else {
                output += repeatElement(character, count: end - start)
            }
            start = end
        }
    }
}
