/// What goes out to the terminal.
extension ChatSession {
    /// Takes the terminal back after a stop; after one of our own, that is done already.
    func resume() {
        guard surroundings.inputStyle == .keys else { return }
        if !expectsContinue {
            RawMode.renew()
            renderer.forget()
        }
        expectsContinue = false
    }

    /// Leaves the line as it is typed, without the hint, and goes below it.
    func finishLine() {
        guard renderer.isDrawn else { return }
        drawLine(text: nil, isFinal: true)
        output.write(renderer.finish())
    }

    func redrawAfterResize() {
        if answer?.wrapper.columns != nil { answer?.wrapper.resize(to: output.size().columns) }
        surroundings.display = surroundings.display?.remeasured()
        live?.resize(to: room, display: surroundings.display)
        guard answer == nil, renderer.isDrawn else { return }
        output.write(renderer.erase(afterResizeTo: output.size().columns))
    }

    func showPrompt() {
        switch surroundings.inputStyle {
        case .keys: drawLine(text: nil, isFinal: false)
        case .lines:
            if !isPromptShown { output.write(editor.isEmpty ? Self.prompt : Self.continuation) }
            isPromptShown = true
        case .pipe: break
        }
    }

    static let prompt = ">>> "
    static let continuation = "... "
    private static let hint = "Send a message (/help for help)"

    /// Draws what is typed or, with `text`, a line as it was submitted.
    func drawLine(text: String?, isFinal: Bool, keepsPicture: Bool = false) {
        let size = output.size()
        var prompt = editing == nil ? Self.prompt : "edit> "
        if let search = editor.search {
            prompt = "(\(search.hasFailed ? "no match" : "search") '\(search.query)') "
        }
        let characters = text.map { Array($0) } ?? editor.characters
        let layout = LineLayout(
            prompt: prompt, continuation: Self.continuation, text: characters,
            cursor: text == nil ? editor.cursor : characters.count,
            hint: isFinal || !output.usesColor || editor.search != nil ? "" : Self.hint, columns: size.columns
        )
        let shown = isFinal ? nil : shownPicture
        let picture = keepsPicture ? live?.picture : shown?.picture
        output.write(
            renderer.draw(
                layout, status: shown?.status ?? "", dims: output.usesColor, picture: picture, size: size))
    }

    /// Shows a line that was typed ahead, as if it had been typed now.
    func show(_ text: String) {
        guard surroundings.inputStyle == .keys else { return }
        drawLine(text: text, isFinal: true)
        output.write(renderer.finish())
    }

    /// Writes lines above the prompt, broken between words unless they have styles in them.
    func say(_ text: String, isStyled: Bool = false) {
        output.write(renderer.erase())
        var wrapper = AnswerWrapper(columns: output.isTerminal && !isStyled ? output.size().columns : nil)
        output.write(wrapper.add(text) + "\n")
        isPromptShown = false
    }

    /// Says that something was done, to a person; a pipe's output is answers alone.
    func confirm(_ text: String) { if surroundings.inputStyle != .pipe { say(text) } }

    /// Says what went wrong; in a pipe on standard error.
    func complain(_ error: any Error) {
        exitCode = surroundings.inputStyle == .pipe ? 1 : 0
        let sentence = ClientError.sentence(for: error)
        if surroundings.inputStyle == .pipe {
            StandardStreams.complain(sentence)
        } else {
            say("inkling: " + sentence)
        }
    }
}
