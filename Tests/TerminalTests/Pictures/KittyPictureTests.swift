import Foundation
import ImageCodecs
import Testing

@testable import Terminal

struct KittyPictureTests {
    private func sequences(_ count: Int, isVirtual: Bool = false) -> [String] {
        KittyPicture(
            file: [UInt8](repeating: 0, count: count), id: 77, area: CellArea(columns: 8, rows: 4),
            isVirtual: isVirtual
        ).sequences
    }

    @Test func aSmallPictureIsOneSequence() {
        #expect(sequences(3) == ["\u{1B}_Ga=T,f=100,t=d,i=77,p=1,C=1,c=8,r=4,q=2,m=0;AAAA\u{1B}\\"])
        #expect(
            sequences(3, isVirtual: true) == ["\u{1B}_Ga=T,f=100,t=d,i=77,U=1,c=8,r=4,q=2,m=0;AAAA\u{1B}\\"])
    }

    @Test(arguments: [(3071, 1), (3072, 1), (3073, 2), (6144, 2), (6145, 3)])
    func biggerOnesComeInChunks(bytes: Int, count: Int) {
        let sequences = sequences(bytes)
        #expect(sequences.count == count)
        for (index, sequence) in sequences.enumerated() {
            let data = parts(of: sequence, from: ";", to: "\u{1B}\\")[0]
            #expect(data.utf8.count <= 4096)
            #expect(data.utf8.count % 4 == 0)
            #expect(sequence.contains("m=\(index + 1 < count ? 1 : 0);"))
            #expect(index == 0 || sequence.hasPrefix("\u{1B}_Gq=2,m="))
        }
    }

    @Test func theFileComesBackAsItWas() throws {
        let picture = Bitmap.gradient(200, 120)
        let graphics = TerminalGraphics(graphics: .kitty)
        let drawing = try #require(graphics.render(picture, columns: 30, id: 5))
        let data = parts(of: drawing.text, from: "\u{1B}_G", to: "\u{1B}\\").map {
            $0.split(separator: ";")[1]
        }
        let file = try #require(Data(base64Encoded: data.joined()))
        #expect(try Bitmap(decoding: Array(file)) == picture)
        #expect(drawing.area == CellArea(columns: 30, rows: 9))
        // Room below, then back up; the cursor ends below, whatever the picture did to it.
        let room = String(repeating: "\r\n", count: 9)
        #expect(drawing.text.hasPrefix("\(room)\u{1B}[9A\u{1B}7\u{1B}_Ga=T"))
        #expect(drawing.text.hasSuffix("\u{1B}\\\u{1B}8\u{1B}[9B\r"))
    }

    @Test func inTmuxPlaceholdersStandForThePicture() throws {
        var graphics = TerminalGraphics(graphics: .kitty)
        graphics.passesThroughTmux = true
        let drawing = try #require(
            graphics.render(.gradient(4, 4), columns: 3, rows: 2, id: 0x123456))
        #expect(drawing.area == CellArea(columns: 3, rows: 2))
        let wrapped = parts(of: drawing.text, from: "\u{1B}Ptmux;", to: "m=0;")
        #expect(wrapped == ["\u{1B}\u{1B}_Ga=T,f=100,t=d,i=1193046,U=1,c=3,r=2,q=2,"])
        #expect(drawing.text.contains("\u{1B}\u{1B}\\\u{1B}\\\u{1B}[38;2;18;52;86m"))
        let cells = parts(of: drawing.text, from: "\u{1B}[38;2;18;52;86m", to: "\u{1B}[39m\u{1B}[K\r\n")
        let marks: [Unicode.Scalar] = ["\u{305}", "\u{30D}", "\u{30E}"]
        let expected = (0..<2).map { row in
            var text = String.UnicodeScalarView()
            for column in 0..<3 { text.append(contentsOf: ["\u{10EEEE}", marks[row], marks[column]]) }
            return Array(text)
        }
        #expect(cells.map { Array($0.unicodeScalars) } == expected)
    }

    @Test func marksAreThoseOfTheProtocol() {
        #expect(KittyPlaceholder.marks.count == 297)
        #expect(KittyPlaceholder.marks[0] == "\u{305}")
        #expect(KittyPlaceholder.marks[17] == "\u{363}")
        #expect(KittyPlaceholder.marks[255] == "\u{A8E5}")
        #expect(KittyPlaceholder.marks[296] == "\u{1D244}")
        for mark in KittyPlaceholder.marks {
            #expect(mark.properties.canonicalCombiningClass == .above)
        }
    }

    @Test func areasInTmuxAreNoLargerThanPlaceholdersCanTell() {
        var graphics = TerminalGraphics(graphics: .kitty)
        graphics.passesThroughTmux = true
        #expect(graphics.area(width: 10, height: 1000, columns: 400, rows: nil).rows == 297)
    }
}
