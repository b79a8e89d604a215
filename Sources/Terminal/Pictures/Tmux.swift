/// Sequences for the terminal that tmux runs in.
enum Tmux {
    /// The sequence wrapped so that tmux hands it on.
    static func passingThrough(_ sequence: String) -> String {
        var bytes = Array("\u{1B}Ptmux;".utf8)
        bytes.reserveCapacity(sequence.utf8.count + 32)
        for byte in sequence.utf8 {
            if byte == 0x1B { bytes.append(byte) }
            bytes.append(byte)
        }
        return String(decoding: bytes, as: UTF8.self) + "\u{1B}\\"
    }
}
