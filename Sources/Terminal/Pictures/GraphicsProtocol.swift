/// A way to show pictures in a terminal.
public enum GraphicsProtocol: String, Sendable, CaseIterable {
    /// Escape sequences of kitty, which others understand too: the picture as a file, placed over cells.
    case kitty
    /// Files inline, as iTerm2 takes them.
    case iterm
    /// Rows of six pixels, in up to 256 colours.
    case sixel
    /// Characters whose halves are two pixels.
    case blocks
    case none
}
