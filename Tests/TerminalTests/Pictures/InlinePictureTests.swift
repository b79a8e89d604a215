import Foundation
import ImageCodecs
import Testing

@testable import Terminal

struct InlinePictureTests {
    private let picture = InlinePicture(file: [0, 0, 0, 1], area: CellArea(columns: 8, rows: 4))

    @Test func aPictureIsOneSequence() {
        #expect(
            picture.sequence
                == "\u{1B}]1337;File=inline=1;size=4;width=8;height=4;preserveAspectRatio=0:AAAAAQ==\u{07}")
    }

    @Test func throughTmuxItComesInParts() {
        #expect(
            picture.parts == [
                "\u{1B}]1337;MultipartFile=inline=1;size=4;width=8;height=4;preserveAspectRatio=0\u{07}",
                "\u{1B}]1337;FilePart=AAAAAQ==\u{07}", "\u{1B}]1337;FileEnd\u{07}",
            ])
        let big = InlinePicture(file: [UInt8](repeating: 7, count: 300_000), area: picture.area).parts
        #expect(big.count == 2 + 7)
        #expect(big.allSatisfy { $0.utf8.count < 66_000 })
        let data = parts(of: big.joined(), from: "FilePart=", to: "\u{07}").joined()
        #expect(Data(base64Encoded: data) == Data(repeating: 7, count: 300_000))
    }

    @Test func everyEscapeIsDoubledForTmux() {
        #expect(Tmux.passingThrough("\u{1B}[c\u{1B}\\") == "\u{1B}Ptmux;\u{1B}\u{1B}[c\u{1B}\u{1B}\\\u{1B}\\")
        var graphics = TerminalGraphics(graphics: .iterm)
        graphics.passesThroughTmux = true
        let drawing = graphics.render(.gradient(4, 4), columns: 3, id: 1)
        #expect(drawing?.text.contains("\u{1B}Ptmux;\u{1B}\u{1B}]1337;FileEnd\u{07}\u{1B}\\") == true)
        #expect(drawing?.text.hasSuffix("\u{1B}8\u{1B}[2B\r") == true)
    }
}
