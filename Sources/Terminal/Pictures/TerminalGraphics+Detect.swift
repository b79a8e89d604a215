import Glibc

extension TerminalGraphics {
    /// What is to be known about the terminal, and how to learn it.
    struct Surroundings {
        var environment: [String: String]
        /// Whether pictures would be written to a terminal.
        var isTerminal: Bool
        /// A cell in pixels, where the system knows it.
        var cell: PixelSize?
        var askTerminal: (_ asksKitty: Bool) -> TerminalAnswers = { _ in TerminalAnswers() }
        var askTmux: () -> TmuxClient? = { nil }
    }

    /// How standard output's terminal shows pictures: as `preferred`, or by the variable `INKLING_GRAPHICS`, or as it can; `nil`
    /// where it cannot.
    static func ofOutput(preferred: GraphicsProtocol?, environment: [String: String]) -> Self? {
        let named = environment["INKLING_GRAPHICS"].flatMap { GraphicsProtocol(rawValue: $0) }
        let graphics = detect(preferred: preferred ?? named, environment: environment)
        return graphics.graphics == .none ? nil : graphics
    }

    /// Finds out what the terminal of standard output can do; takes at most a third of a second.
    ///
    /// What was asked for (`preferred`) is done wherever there is a terminal.
    static func detect(preferred: GraphicsProtocol? = nil, environment: [String: String]) -> Self {
        choose(
            preferred: preferred,
            Surroundings(
                environment: environment, isTerminal: isatty(1) == 1, cell: TerminalQuestion.cellSize(),
                askTerminal: { TerminalQuestion.ask(asksKitty: $0) }, askTmux: TmuxClient.ask))
    }

    /// Chooses by what was asked for, then by the environment, then by what the terminal answers.
    static func choose(preferred: GraphicsProtocol?, _ surroundings: Surroundings) -> Self {
        let hints = TerminalHints(surroundings.environment)
        var result = Self(graphics: .none, hasTrueColor: hints.hasTrueColor)
        guard surroundings.isTerminal, !hints.isDumb, preferred != GraphicsProtocol.none else {
            return result
        }

        var answers: TerminalAnswers?
        func asked() -> TerminalAnswers {
            let known = answers ?? surroundings.askTerminal(!hints.takesQuestionForTitle)
            answers = known
            return known
        }
        let tmux = hints.isTmux ? surroundings.askTmux() : nil
        if let preferred {
            result.graphics = preferred
        } else if hints.isTmux {
            result.graphics = Self.inTmux(tmux, asked: asked)
        } else {
            result.graphics = hints.graphics ?? Self.answered(asked())
        }
        if result.graphics == .blocks, preferred == nil, !hints.allowsBlocks { result.graphics = .none }
        // tmux draws sixel pictures itself, or not at all.
        result.passesThroughTmux = hints.isTmux && [.kitty, .iterm].contains(result.graphics)
        if result.graphics == .sixel {
            result.sixelColors = asked().sixelColors ?? result.sixelColors
            result.sixelLimit = asked().sixelLimit
        }
        let isShape = [GraphicsProtocol.none, .blocks].contains(result.graphics)
        if let cell = surroundings.cell ?? (isShape ? answers : asked())?.cell { result.cell = cell }
        return result
    }

    private static func answered(_ answers: TerminalAnswers) -> GraphicsProtocol {
        answers.hasKitty ? .kitty : answers.hasSixel ? .sixel : .blocks
    }

    /// Within tmux only what stays where it was put is a picture.
    ///
    /// iTerm2 puts pictures where its own cursor is, which tmux moves when it sees fit: they are shown only by name.
    private static func inTmux(
        _ tmux: TmuxClient?, asked: () -> TerminalAnswers
    ) -> GraphicsProtocol {
        if let tmux, tmux.allowsPassthrough, ["xterm-kitty", "xterm-ghostty"].contains(tmux.term) {
            return .kitty
        }
        return asked().hasSixel ? .sixel : .blocks
    }
}
