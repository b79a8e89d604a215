import AssistantAPI

extension ChatSession {
    func run(_ command: ChatCommand) async {
        do {
            switch command {
            case .help: sayHelp()
            case .bye: isDone = true
            case .new: startNew()
            case .model(let name): try await chooseModel(name)
            case .system(let text): try await setSystem(text)
            case .set(let name, let value): try setParameter(name, value)
            case .regenerate: try await regenerate()
            case .imagine(let prompt): try await imagine(prompt)
            case .pictures(let choice): try setPictures(choice)
            case .stats(let choice): try setFigures(choice)
            case .history(let words): try await showHistory(words)
            case .open(let id): await open(id ?? "last", isStart: false)
            case .edit(let text): try await edit(text)
            case .title(let text): try await setTitle(text)
            case .delete: try await delete()
            case .unknown(let name): throw ClientError.usage(ChatCommand.complaint(about: name))
            }
        } catch {
            complain(error)
        }
    }

    private func sayHelp() {
        let width = ChatCommand.catalog.map(\.usage.count).max() ?? 0
        var lines = ChatCommand.catalog.map { Self.pad($0.usage, to: width) + "  " + $0.meaning }
        lines += [
            "",
            "\"\"\" begins and ends a message of several lines; Alt-Enter starts a new line anywhere.",
            "Control-C stops an answer, Control-D leaves.",
            "Control-G opens your editor, Control-R searches what you typed.",
            "A message that starts with a slash: write the slash twice.",
        ]
        say(lines.joined(separator: "\n"))
    }

    private func startNew() {
        forgetConversation()
        confirm("A new conversation.")
    }

    private func forgetConversation() {
        conversation = nil
        lastQuestion = nil
        lastAnswer = nil
        editing = nil
    }

    // MARK: - What answers, and how

    private func chooseModel(_ name: String?, isQuiet: Bool = false) async throws {
        guard let name else {
            let models = try await reconnecting { try await self.client.models() }
            let chosen = conversation?.model ?? options.model
            let current = chosen ?? answeringModel.map { $0 + " (the default)" } ?? "the default one"
            let rows = models.map { "  " + ModelText.row($0) + "\n" }.joined()
            say("Answers come from: \(TextSanitizer.line(current))\n" + rows.dropLast())
            return
        }
        let model = try await reconnecting { try await self.client.model(name) }
        if let id = conversation?.id {
            conversation = try await reconnecting {
                try await self.client.change(id, ConversationChange(model: model))
            }
        }
        options.model = model
        if !isQuiet { confirm("Answers come from \(TextSanitizer.line(model)) from now on.") }
    }

    private func setSystem(_ text: String?) async throws {
        guard let text else {
            let system = (conversation?.system ?? options.system).map { TextSanitizer.sanitize($0) } ?? ""
            say(system.isEmpty ? "There is no system prompt of your own." : system)
            return
        }
        let system = text == "-" ? "" : text
        if let id = conversation?.id {
            conversation = try await reconnecting {
                try await self.client.change(id, ConversationChange(system: system))
            }
        }
        options.system = system.isEmpty ? nil : system
        confirm(system.isEmpty ? "The system prompt is removed." : "The system prompt is set.")
    }

    private func setParameter(_ name: String?, _ value: String?) throws {
        guard let name else {
            let width = ChatParameter.all.map(\.name.count).max() ?? 0
            let lines = ChatParameter.all.map { parameter in
                let value = parameter.value(in: options.settings) ?? "default"
                return Self.pad(parameter.name, to: width) + "  " + Self.pad(value, to: 9) + "  "
                    + parameter.meaning
            }
            say(lines.joined(separator: "\n"))
            return
        }
        let parameter = try ChatParameter.named(name)
        if let value { try ChatParameter.set(name, to: value, in: &options.settings) }
        let now = parameter.value(in: options.settings).map { TextSanitizer.line($0) } ?? "default"
        let sentence = "\(parameter.name) is \(now); it takes \(parameter.expected)."
        if value == nil { say(sentence) } else { confirm(sentence) }
    }

    private func setPictures(_ choice: String?) throws {
        switch choice {
        case "on": options.pictures = true
        case "off": options.pictures = false
        case "default": options.pictures = nil
        case let word?:
            throw ClientError.usage("/pictures takes on, off or default, not \"\(TextSanitizer.line(word))\"")
        case nil: break
        }
        switch options.pictures {
        case true?: confirm("The model may paint when you ask it for a picture.")
        case false?: confirm("The model answers with words only.")
        case nil: confirm("Whether the model may paint is up to the daemon's configuration (chat.pictures).")
        }
    }

    private func setFigures(_ choice: String?) throws {
        switch choice {
        case "on": options.showsFigures = true
        case "off": options.showsFigures = false
        case let word?:
            throw ClientError.usage("/stats takes on or off, not \"\(TextSanitizer.line(word))\"")
        case nil: break
        }
        confirm(
            options.showsFigures
                ? "Each answer is followed by how quick it was." : "Answers come without figures.")
    }

    // MARK: - Messages

    private func regenerate() async throws {
        guard let last = lastAnswer ?? lastQuestion?.id else {
            throw ClientError.usage("there is no answer yet to make anew")
        }
        await send(MessageDraft(regenerates: last))
    }

    private func edit(_ text: String?) async throws {
        guard let question = lastQuestion else { throw ClientError.usage("there is no message yet to edit") }
        editing = question.id
        if let text {
            await ask(text)
        } else {
            editor.replace(with: ChatCommand.line(of: question.content))
        }
    }

    // MARK: - Conversations

    private func showHistory(_ words: String?) async throws {
        let width = output.isTerminal ? output.size().columns : nil
        if let words {
            let matches = try await reconnecting { try await self.client.search(words, limit: 15) }
            let marks = output.usesColor ? ("\u{1B}[1m", "\u{1B}[0m") : ("*", "*")
            let text = ConversationText.matches(matches, marks: marks)
            say(text.isEmpty ? "Nothing matches." : String(text.dropLast()), isStyled: true)
        } else {
            let list = try await reconnecting { try await self.client.conversations(limit: 15) }
            let rows = list.conversations.map { ConversationText.row($0, columns: width) }
            say(rows.isEmpty ? "There is no conversation yet." : rows.joined(separator: "\n"))
        }
    }

    /// Goes on with an earlier conversation, and shows where it stood.
    func open(_ name: String, isStart: Bool) async {
        do {
            let transcript = try await reconnecting {
                try await self.client.transcript(try await self.client.find(name))
            }
            forgetConversation()
            conversation = transcript.conversation
            if isStart, let model = options.model { try await chooseModel(model, isQuiet: true) }
            lastQuestion = transcript.messages.last { $0.role == .user }
            lastAnswer = transcript.messages.last { $0.role == .assistant }?.id
            guard surroundings.inputStyle != .pipe else { return }
            let title = ConversationText.title(of: transcript.conversation)
            say(
                output.styled("\(title) (\(transcript.messages.count) messages)", .bold) + "\n",
                isStyled: true)
            let start = transcript.messages.lastIndex { $0.role == .user } ?? 0
            await TranscriptPrinter(client: client, output: output, display: surroundings.display)
                .write(transcript, from: start)
            output.write("\n")
        } catch {
            complain(error)
            if isStart {
                isDone = true
                exitCode = (error as? ClientError)?.exitCode ?? 1
            }
        }
    }

    private func setTitle(_ text: String?) async throws {
        guard let id = conversation?.id else {
            throw ClientError.usage("nothing was said yet in this conversation")
        }
        guard let text else {
            say(ConversationText.title(of: try await client.transcript(id).conversation))
            return
        }
        conversation = try await reconnecting {
            try await self.client.change(id, ConversationChange(title: text))
        }
        confirm("The title is set.")
    }

    private func delete() async throws {
        guard let id = conversation?.id else {
            throw ClientError.usage("nothing was said yet in this conversation")
        }
        let deleted = try await reconnecting { try await self.client.delete(id) }
        forgetConversation()
        let end = deleted?.erasedAt.map { " until \(LocalTime.second($0))" } ?? ""
        say(
            "The conversation is deleted. To undo it\(end):\ninkling history restore \(TextSanitizer.line(id))"
        )
    }

    private static func pad(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - DisplayWidth.of(text)))
    }
}
