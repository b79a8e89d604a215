import Testing

@testable import Terminal

struct FrameDisplayTests {
    private let size = PictureSize(width: 512, height: 512)
    private let room = TerminalOutput.Size(columns: 200, rows: 60)

    @Test func aPictureFitsTheCellsThatTheWindowHasNow() {
        let cell = PixelSize(width: 10, height: 20)
        let display = FrameDisplay(TerminalGraphics(graphics: .sixel, cell: cell))
        #expect(display.area(of: size, in: room) == CellArea(columns: 52, rows: 26))
        let enlarged = display.remeasured(PixelSize(width: 20, height: 40))
        #expect(enlarged.area(of: size, in: room) == CellArea(columns: 26, rows: 13))
        #expect(enlarged.graphics.graphics == .sixel)
    }

    @Test func whereTheSystemDoesNotKnowTheSizeOfACellItStays() {
        let cell = PixelSize(width: 7, height: 15)
        let display = FrameDisplay(TerminalGraphics(graphics: .kitty, cell: cell))
        #expect(display.remeasured(nil).graphics == display.graphics)
    }

    @Test func smallPicturesAreEnlargedToBeSeenButNotByMuch() {
        let display = FrameDisplay(TerminalGraphics(graphics: .kitty))
        // 64 pixels four times, of cells that are 20 pixels high.
        let small = display.area(of: PictureSize(width: 64, height: 64), in: room)
        #expect(small == CellArea(columns: 26, rows: 13))
        let comfortable = display.area(of: PictureSize(width: 128, height: 128), in: room)
        #expect(comfortable == CellArea(columns: 40, rows: 20))
    }
}
