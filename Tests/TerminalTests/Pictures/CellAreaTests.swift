import Testing

@testable import Terminal

struct CellAreaTests {
    private func area(_ width: Int, _ height: Int, _ columns: Int, _ rows: Int?) -> CellArea {
        CellArea(
            fitting: PixelSize(width: width, height: height), columns: columns, rows: rows,
            cell: PixelSize(width: 10, height: 20))
    }

    @Test func picturesKeepTheirProportions() {
        #expect(area(512, 512, 40, nil) == CellArea(columns: 40, rows: 20))
        #expect(area(64, 64, 40, nil) == CellArea(columns: 40, rows: 20))
        #expect(area(512, 768, 40, nil) == CellArea(columns: 40, rows: 30))
        #expect(area(768, 512, 60, 40) == CellArea(columns: 60, rows: 20))
    }

    @Test func rowsLimitThemToo() {
        #expect(area(512, 512, 200, 22) == CellArea(columns: 44, rows: 22))
        #expect(area(512, 1024, 80, 10) == CellArea(columns: 10, rows: 10))
    }

    @Test func columnsMendWhatRoundedRowsDid() {
        // 41 columns would need 20.5 rows.
        #expect(area(512, 512, 41, nil) == CellArea(columns: 41, rows: 21))
        #expect(area(512, 512, 43, 21) == CellArea(columns: 42, rows: 21))
    }

    @Test func somethingIsAlwaysSeen() {
        #expect(area(4096, 1, 80, nil) == CellArea(columns: 80, rows: 1))
        #expect(area(1, 4096, 80, 24) == CellArea(columns: 1, rows: 24))
        #expect(area(10, 10, 0, 0) == CellArea(columns: 1, rows: 1))
        #expect(area(1, 4096, 10_000, nil).rows == 10_000)
    }
}
