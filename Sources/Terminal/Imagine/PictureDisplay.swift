import AssistantAPI
import FoundationEssentials

/// Draws picture files in a terminal.
struct PictureDisplay: Sendable {
    /// What is written to draw a picture at the beginning of a row.
    struct Drawing: Sendable, Equatable {
        /// Leaves the cursor at the beginning of the row below the picture.
        var text: String
        /// The rows that the picture takes.
        var rows: Int
    }

    /// How a file is drawn within that many columns and rows; `nil` when it cannot be.
    var draw: @Sendable (_ file: Data, _ room: TerminalOutput.Size) -> Drawing?
}
