import ImageCodecs
import Testing

@testable import Terminal

struct SixelTests {
    @Test func aSmallPictureIsDrawnColourByColour() {
        let picture = Bitmap.painted(5, 7) { x, y in y == 6 ? (0, 0, 255) : x == 0 ? (255, 0, 0) : (0, 255, 0)
        }
        #expect(
            Sixel(colorLimit: 256).text(picture)
                == "\u{1B}P0;1;0q\"1;1;5;7#0;2;100;0;0#1;2;0;100;0#2;2;0;0;100#0~$#1?!4~-#2!5@\u{1B}\\")
    }

    @Test func aPictureOfFewColoursComesBack() throws {
        let picture = Bitmap.painted(40, 33) { x, y in (UInt8(x / 8 * 51), UInt8(y / 7 * 51), 102) }
        let decoded = try #require(SixelDecoder.decode(Sixel(colorLimit: 256).text(picture)))
        #expect((decoded.width, decoded.height) == (40, 33))
        // Samples come in hundredths.
        #expect(zip(decoded.samples, picture.samples).allSatisfy { abs(Int($0) - Int($1)) <= 2 })
    }

    @Test(arguments: [(256, 12.0), (64, 18.0), (16, 32.0), (2, 90.0)])
    func aPictureOfManyColoursComesNear(limit: Int, tolerance: Double) throws {
        let picture = Bitmap.gradient(120, 90)
        let text = Sixel(colorLimit: limit).text(picture)
        let decoded = try #require(SixelDecoder.decode(text))
        #expect(decoded.samples.count == picture.samples.count)
        #expect(decoded.distance(to: picture) < tolerance, "\(decoded.distance(to: picture))")
        #expect(parts(of: text, from: "#", to: ";2;").count <= limit)
        // The pattern spreads the error: no colour is off in the mean.
        let means = [picture, decoded].map { $0.samples.reduce(0) { $0 + Int($1) } / picture.samples.count }
        #expect(abs(means[0] - means[1]) < (limit > 2 ? 3 : 20))
    }

    @Test func picturesFillTheirCells() throws {
        var graphics = TerminalGraphics(graphics: .sixel, cell: PixelSize(width: 7, height: 15))
        let drawing = try #require(graphics.render(.gradient(64, 64), columns: 20, id: 1))
        #expect(drawing.area == CellArea(columns: 19, rows: 9))
        #expect(drawing.text.contains("q\"1;1;133;135#"))
        // A terminal's own limit counts.
        graphics.sixelLimit = PixelSize(width: 100, height: 1000)
        #expect(
            graphics.area(width: 64, height: 64, columns: 20, rows: nil) == CellArea(columns: 14, rows: 7))
    }
}

/// Reads sixel graphics as a terminal does.
struct SixelDecoder {
    static func decode(_ text: String) -> Bitmap? {
        let bytes = Array(text.utf8)
        guard let start = bytes.firstIndex(of: UInt8(ascii: "q")), bytes.suffix(2) == [0x1B, 0x5C] else {
            return nil
        }
        var position = start + 1
        func numbers() -> [Int] {
            var list = [0]
            while position < bytes.count {
                switch bytes[position] {
                case 0x30...0x39:
                    list[list.count - 1] = list[list.count - 1] * 10 + Int(bytes[position] - 0x30)
                case 0x3B: list.append(0)
                default: return list
                }
                position += 1
            }
            return list
        }
        var (width, height, samples): (Int, Int, [UInt8]) = (0, 0, [])
        var colors: [Int: [UInt8]] = [:]
        var (x, y, color, repeats) = (0, 0, 0, 1)
        while position < bytes.count - 2 {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                let list = numbers()
                (width, height) = (list[2], list[3])
                samples = [UInt8](repeating: 0, count: width * height * 3)
            case UInt8(ascii: "#"):
                let list = numbers()
                color = list[0]
                if list.count == 5 { colors[color] = list[2...].map { UInt8(($0 * 255 + 50) / 100) } }
            case UInt8(ascii: "!"): repeats = numbers()[0]
            case UInt8(ascii: "$"): x = 0
            case UInt8(ascii: "-"): (x, y) = (0, y + 6)
            case 0x3F...0x7E:
                for _ in 0..<repeats {
                    for bit in 0..<6 where (byte - 0x3F) >> UInt8(bit) & 1 == 1 {
                        guard x < width, y + bit < height, let value = colors[color] else { return nil }
                        samples.replaceSubrange(
                            ((y + bit) * width + x) * 3..<((y + bit) * width + x) * 3 + 3, with: value)
                    }
                    x += 1
                }
                repeats = 1
            default: return nil
            }
        }
        return width * height > 0 ? Bitmap(width: width, height: height, channels: 3, samples: samples) : nil
    }
}
