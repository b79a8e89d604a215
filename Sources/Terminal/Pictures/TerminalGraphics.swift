import ImageCodecs

/// What the terminal can show pictures with, and the bytes that show them.
struct TerminalGraphics: Sendable, Equatable {
    var graphics: GraphicsProtocol
    /// A cell in pixels.
    var cell = PixelSize(width: 10, height: 20)
    /// Whether colours have 24 bits; else they are of the palette of 256.
    var hasTrueColor = true
    /// Whether sequences have to pass through tmux to the terminal that it runs in.
    var passesThroughTmux = false
    /// How many colours a sixel picture may have.
    var sixelColors = 256
    /// The largest sixel picture, where the terminal names one.
    var sixelLimit: PixelSize?

    /// What is written to show a picture, and how much room it takes.
    struct Drawing: Sendable, Equatable {
        var text: String
        var area: CellArea
    }

    /// A number for a picture, unlike those of other programs and earlier pictures as far as chance goes.
    static func makeID() -> UInt32 { UInt32.random(in: 0x10000...0xFFFFFF) }

    /// The cells that a picture takes within `columns` and `rows`, scaled up or down in its proportions.
    func area(width: Int, height: Int, columns: Int, rows: Int?) -> CellArea {
        var (columns, rows) = (columns, rows)
        if graphics == .sixel, let sixelLimit {
            columns = min(columns, max(1, sixelLimit.width / cell.width))
            rows = min(rows ?? Int.max, max(1, sixelLimit.height / cell.height))
        }
        if usesPlaceholders {
            columns = min(columns, KittyPlaceholder.limit)
            rows = min(rows ?? Int.max, KittyPlaceholder.limit)
        }
        return CellArea(
            fitting: PixelSize(width: width, height: height), columns: columns, rows: rows, cell: cell)
    }

    /// Draws a picture at the beginning of an empty row, within `columns` and `rows`; `nil` without graphics.
    ///
    /// The text makes room by scrolling where that is needed, and leaves the cursor at the beginning of the row below
    /// the picture. A picture with the number `id` of an earlier one takes its place where the protocol has numbers.
    func render(_ bitmap: Bitmap, columns: Int, rows: Int? = nil, id: UInt32) -> Drawing? {
        render(
            bitmap, area(width: bitmap.width, height: bitmap.height, columns: columns, rows: rows), id: id)
    }

    /// Draws a picture over an area of cells.
    func render(_ bitmap: Bitmap, _ area: CellArea, id: UInt32) -> Drawing? {
        text(bitmap, area, id).map { Drawing(text: $0, area: area) }
    }

    /// Draws a PNG file as it is, where the terminal takes files.
    func render(png file: [UInt8], _ area: CellArea, id: UInt32) -> Drawing? {
        text(png: file, area, id).map { Drawing(text: $0, area: area) }
    }

    /// Whether pictures consist of characters, which a narrower window wraps.
    var isText: Bool { graphics == .blocks || usesPlaceholders }

    /// What makes the terminal forget a picture, where erasing its cells does not.
    func removal(of id: UInt32) -> String {
        guard graphics == .kitty else { return "" }
        let sequence = KittyPicture.removal(of: id)
        return usesPlaceholders ? Tmux.passingThrough(sequence) : sequence
    }

    /// Draws a picture over the one that ends in the row above the cursor, without a moment in between.
    static func replacing(rows: Int, with drawing: Drawing) -> String {
        // What an earlier picture had below is erased last: to erase first would flicker.
        "\u{1B}[?2026h\u{1B}[\(rows)A\r\(drawing.text)\u{1B}[J\u{1B}[?2026l"
    }

    private var usesPlaceholders: Bool { graphics == .kitty && passesThroughTmux }

    private func text(_ bitmap: Bitmap, _ area: CellArea, _ id: UInt32) -> String? {
        switch graphics {
        case .none: return nil
        case .blocks: return HalfBlocks(hasTrueColor: hasTrueColor).text(bitmap, area)
        case .sixel:
            let size = area.pixels(cell)
            let picture = bitmap.flattened(over: .black).resized(width: size.width, height: size.height)
            return Self.placed(Sixel(colorLimit: sixelColors).text(picture), area)
        case .kitty, .iterm: return (try? PNG.encode(bitmap)).flatMap { text(png: $0, area, id) }
        }
    }

    private func text(png file: [UInt8], _ area: CellArea, _ id: UInt32) -> String? {
        switch graphics {
        case .none, .blocks, .sixel: return nil
        case .kitty:
            if usesPlaceholders {
                let sequences = KittyPicture(file: file, id: id, area: area, isVirtual: true).sequences
                return sequences.map(Tmux.passingThrough).joined() + KittyPlaceholder.text(area, id: id)
            }
            let sequences = KittyPicture(file: file, id: id, area: area, isVirtual: false).sequences
            return Self.placed(sequences.joined(), area)
        case .iterm:
            let picture = InlinePicture(file: file, area: area)
            let text = passesThroughTmux ? picture.parts.map(Tmux.passingThrough).joined() : picture.sequence
            return Self.placed(text, area)
        }
    }

    /// Makes room, draws wherever that leaves the cursor, and goes to the row below.
    private static func placed(_ picture: String, _ area: CellArea) -> String {
        let room = String(repeating: "\r\n", count: area.rows)
        return "\(room)\u{1B}[\(area.rows)A\u{1B}7\(picture)\u{1B}8\u{1B}[\(area.rows)B\r"
    }
}
