import FoundationEssentials

/// A picture's file inline, as iTerm2 takes it.
struct InlinePicture {
    /// PNG.
    let file: [UInt8]
    let area: CellArea

    /// tmux drops longer sequences than a mebibyte, with what it wraps them in.
    private static let partSize = 64 << 10

    private var base64: String { Data(file).base64EncodedString() }

    private var keys: String {
        "inline=1;size=\(file.count);width=\(area.columns);height=\(area.rows);preserveAspectRatio=0"
    }

    /// All in one sequence.
    var sequence: String { "\u{1B}]1337;File=\(keys):\(base64)\u{07}" }

    /// The same in several sequences, for what limits their length.
    var parts: [String] {
        let data = Array(base64.utf8)
        let parts = stride(from: 0, to: data.count, by: Self.partSize).map { start in
            let part = data[start..<min(start + Self.partSize, data.count)]
            return "\u{1B}]1337;FilePart=\(String(decoding: part, as: UTF8.self))\u{07}"
        }
        return ["\u{1B}]1337;MultipartFile=\(keys)\u{07}"] + parts + ["\u{1B}]1337;FileEnd\u{07}"]
    }
}
