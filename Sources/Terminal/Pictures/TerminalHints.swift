/// What the environment's variables say about the terminal.
struct TerminalHints: Sendable {
    private let environment: [String: String]

    init(_ environment: [String: String]) { self.environment = environment }

    private func variable(_ name: String) -> String { environment[name] ?? "" }

    private var term: String { variable("TERM") }

    /// Can move the cursor at all.
    var isDumb: Bool { term == "dumb" }

    /// Runs in tmux, whose own variables say nothing about the terminal around it.
    var isTmux: Bool { !variable("TMUX").isEmpty }

    /// Whether kitty's question would be taken for a title: tmux and screen, also those of another machine.
    var takesQuestionForTitle: Bool {
        isTmux || !variable("STY").isEmpty || ["tmux", "screen"].contains(where: term.hasPrefix)
    }

    /// Runs in screen or zellij, which hand on the variables of the terminal that they were started from.
    private var inheritsNames: Bool { !variable("STY").isEmpty || !variable("ZELLIJ").isEmpty }

    /// The protocol of a terminal that names itself; `nil` when it has to be asked.
    var graphics: GraphicsProtocol? {
        guard !inheritsNames else { return nil }
        let program = variable("TERM_PROGRAM")
        if ["xterm-kitty", "xterm-ghostty"].contains(term) || program == "ghostty" { return .kitty }
        // LC_TERMINAL is the one of them that reaches other machines, too.
        if ["iTerm.app", "WezTerm", "mintty"].contains(program) || variable("LC_TERMINAL") == "iTerm2" {
            return .iterm
        }
        if ["foot", "mlterm", "contour"].contains(where: term.hasPrefix) { return .sixel }
        // These answer no question about pictures, or show it.
        if program == "Apple_Terminal" || ["alacritty", "linux", "screen"].contains(where: term.hasPrefix) {
            return .blocks
        }
        return nil
    }

    /// Whether colours have 24 bits.
    var hasTrueColor: Bool {
        if ["truecolor", "24bit"].contains(variable("COLORTERM")) { return true }
        let program = variable("TERM_PROGRAM")
        return term.hasSuffix("-direct") || !variable("WT_SESSION").isEmpty
            || ["iTerm.app", "WezTerm", "ghostty", "mintty", "vscode"].contains(program)
            || ["xterm-kitty", "xterm-ghostty", "foot", "alacritty", "contour"].contains(
                where: term.hasPrefix)
    }

    /// Whether characters may have colours and come in UTF-8, which half blocks need.
    var allowsBlocks: Bool {
        guard variable("NO_COLOR").isEmpty else { return false }
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].map(variable).first { !$0.isEmpty } ?? ""
        guard let dot = locale.firstIndex(of: ".") else { return true }
        return locale[dot...].lowercased().contains("utf")
    }
}
