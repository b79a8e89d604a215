import FoundationEssentials

/// A picture in kitty's graphics protocol.
struct KittyPicture {
    /// PNG.
    let file: [UInt8]
    /// At most 24 bits; not 0.
    let id: UInt32
    let area: CellArea
    /// Whether the picture shows where placeholders stand, rather than at the cursor.
    let isVirtual: Bool

    /// What one sequence may hold.
    private static let chunkSize = 4096

    /// What removes a picture from the screen and from the terminal's memory.
    static func removal(of id: UInt32) -> String { "\u{1B}_Ga=d,d=I,i=\(id),q=2\u{1B}\\" }

    /// The picture's data and its placement, in as many sequences as are needed.
    ///
    /// With the number of an earlier picture it takes that one's place; the terminal answers nothing.
    var sequences: [String] {
        let data = Array(Data(file).base64EncodedString().utf8)
        let place = isVirtual ? "U=1" : "p=1,C=1"
        return stride(from: 0, to: data.count, by: Self.chunkSize).map { start in
            let end = min(start + Self.chunkSize, data.count)
            let more = end < data.count ? 1 : 0
            let keys =
                start == 0
                ? "a=T,f=100,t=d,i=\(id),\(place),c=\(area.columns),r=\(area.rows),q=2,m=\(more)"
                : "q=2,m=\(more)"
            return "\u{1B}_G\(keys);\(String(decoding: data[start..<end], as: UTF8.self))\u{1B}\\"
        }
    }
}
