import ImageCodecs
import Testing

@testable import Terminal

struct HalfBlocksTests {
    private let graphics = TerminalGraphics(graphics: .blocks)

    @Test func aCharacterIsTwoPixels() {
        let picture = Bitmap.painted(2, 4) { x, y in (UInt8(x * 10), UInt8(y * 10), 7) }
        let text = HalfBlocks(hasTrueColor: true).text(picture, CellArea(columns: 2, rows: 2))
        #expect(
            text == "\u{1B}[38;2;0;0;7;48;2;0;10;7m\u{2580}\u{1B}[38;2;10;0;7;48;2;10;10;7m\u{2580}"
                + "\u{1B}[0m\u{1B}[K\r\n"
                + "\u{1B}[38;2;0;20;7;48;2;0;30;7m\u{2580}\u{1B}[38;2;10;20;7;48;2;10;30;7m\u{2580}"
                + "\u{1B}[0m\u{1B}[K\r\n")
    }

    @Test func coloursThatStayAreNotTold() {
        let picture = Bitmap.painted(4, 2) { x, y in y == 0 ? (1, 2, 3) : x < 2 ? (4, 5, 6) : (7, 8, 9) }
        let text = HalfBlocks(hasTrueColor: true).text(picture, CellArea(columns: 4, rows: 1))
        #expect(
            text == "\u{1B}[38;2;1;2;3;48;2;4;5;6m\u{2580}\u{2580}\u{1B}[48;2;7;8;9m\u{2580}\u{2580}"
                + "\u{1B}[0m\u{1B}[K\r\n")
    }

    @Test func thePictureIsSeenOnTheScreen() throws {
        let picture = Bitmap.gradient(48, 32)
        let drawing = try #require(graphics.render(picture, columns: 48, id: 1))
        #expect(drawing.area == CellArea(columns: 48, rows: 16))
        var screen = TerminalModel(columns: 60, rows: 20)
        screen.write(drawing.text)
        #expect(screen.lines == Array(repeating: String(repeating: "\u{2580}", count: 48), count: 16))
        #expect((screen.row, screen.column) == (16, 0))
        #expect(screen.unknown.isEmpty)
        #expect(Self.pixels(drawing.text) == picture)
    }

    @Test func theLastColumnOfAFullWindowIsNotErased() throws {
        var screen = TerminalModel(columns: 30, rows: 40)
        let file = try PNG.encode(.gradient(64, 64))
        let drawing = try #require(
            PictureDisplay(graphics).draw(
                file, PictureSize(width: 64, height: 64), .init(columns: 30, rows: 39), 1))
        screen.write(drawing.text)
        #expect(drawing.area == CellArea(columns: 29, rows: 15))
        #expect(
            screen.lines
                == Array(repeating: String(repeating: "\u{2580}", count: 29), count: 15))
    }

    @Test func aPictureReplacesTheOneAboveTheCursor() throws {
        var screen = TerminalModel(columns: 30, rows: 10)
        screen.write("first\r\n")
        let drawing = try #require(graphics.render(.gradient(16, 16), columns: 8, id: 1))
        #expect(drawing.area.rows == 4)
        screen.write(drawing.text)
        screen.write("progress")
        screen.write(TerminalGraphics.replacing(rows: 4, with: drawing))
        let blocks = String(repeating: "\u{2580}", count: 8)
        #expect(screen.lines == ["first"] + Array(repeating: blocks, count: 4))
        #expect((screen.row, screen.column) == (5, 0))
    }

    @Test func withoutTrueColourTheNearestOfThePaletteIsTaken() throws {
        let colors: [((UInt8, UInt8, UInt8), Int)] = [
            ((0, 0, 0), 16), ((255, 255, 255), 231), ((255, 0, 0), 196), ((0, 135, 255), 33),
            ((128, 128, 128), 244),
        ]
        for (color, index) in colors {
            let picture = Bitmap.painted(8, 8) { _, _ in color }
            let text = HalfBlocks(hasTrueColor: false).text(picture, CellArea(columns: 8, rows: 4))
            #expect(!text.contains("38;2;"))
            let count = parts(of: text.replacing("48;5;", with: "38;5;"), from: "38;5;", to: "m").count
            #expect(text.contains("38;5;\(index)"), "\(index), \(count)")
        }
    }

    @Test func transparentPixelsAreBlack() {
        let picture = Bitmap(width: 1, height: 2, channels: 4, samples: [200, 100, 50, 0, 200, 100, 50, 255])
        let text = HalfBlocks(hasTrueColor: true).text(picture, CellArea(columns: 1, rows: 1))
        #expect(text.hasPrefix("\u{1B}[38;2;0;0;0;48;2;200;100;50m"))
    }

    /// What the eye sees: the colours of the characters' halves.
    private static func pixels(_ text: String) -> Bitmap? {
        var rows: [[UInt8]] = []
        var width = 0
        for line in text.split(separator: "\r\n") {
            var (upper, lower): ([UInt8], [UInt8]) = ([], [])
            var (front, ground): ([UInt8], [UInt8]) = ([0, 0, 0], [0, 0, 0])
            var rest = line[...]
            while let character = rest.popFirst() {
                if character == "\u{2580}" {
                    upper += front
                    lower += ground
                    continue
                }
                guard character == "\u{1B}", rest.popFirst() == "[",
                    let end = rest.firstIndex(where: \.isLetter)
                else { return nil }
                let numbers = rest[..<end].split(separator: ";").compactMap { UInt8($0) }
                rest = rest[rest.index(after: end)...]
                for start in stride(from: 0, to: numbers.count - 4, by: 5) {
                    if numbers[start] == 38 { front = Array(numbers[start + 2..<start + 5]) }
                    if numbers[start] == 48 { ground = Array(numbers[start + 2..<start + 5]) }
                }
            }
            width = upper.count / 3
            rows += [upper, lower]
        }
        return Bitmap(width: width, height: rows.count, channels: 3, samples: rows.flatMap { $0 })
    }
}
