/// Sequences for the terminal that tmux runs in.
enum Tmux {
    /// The sequence wrapped so that tmux hands it on.
    static func passingThrough(_ sequence: String) -> String {
        "\u{1B}Ptmux;\(sequence.replacing("\u{1B}", with: "\u{1B}\u{1B}"))\u{1B}\\"
    }
}
