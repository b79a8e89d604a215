extension LineEditor {
    /// Changes the line as a key asks for.
    public mutating func handle(_ key: Key) -> Action {
        if search != nil {
            if let action = handleSearch(key) { return action }
        }
        switch key.name {
        case .scalar(let scalar): return handleCharacter(scalar, key.modifiers)
        case .paste(let text):
            undoStack.record(snapshot, as: .other)
            insert(text)
        case .enter: return enter(key.modifiers)
        case .tab: complete()
        case .escape, .unknown: break
        case .backspace:
            key.modifiers.isDisjoint(with: [.alt, .control])
                ? delete(max(0, cursor - 1)..<cursor) : kill(previousWordStart..<cursor)
        case .delete:
            key.modifiers.isDisjoint(with: [.alt, .control])
                ? delete(cursor..<min(cursor + 1, characters.count)) : kill(cursor..<nextWordEnd)
        default: move(key)
        }
        return .redraw
    }

    private mutating func handleCharacter(_ scalar: Unicode.Scalar, _ modifiers: Key.Modifiers) -> Action {
        if modifiers.contains(.control) { return handleControl(scalar) }
        if modifiers.contains(.alt) {
            handleAlt(scalar)
            return .redraw
        }
        undoStack.record(snapshot, as: scalar.properties.isWhitespace ? .space : .typing)
        insert(String(scalar))
        return .redraw
    }

    private mutating func handleControl(_ scalar: Unicode.Scalar) -> Action {
        switch scalar {
        case "c":
            if isEmpty { return .interrupt }
            clear()
        case "d":
            if isEmpty { return .end }
            delete(cursor..<min(cursor + 1, characters.count))
        case "z": return .suspend
        case "g": return .openEditor
        case "l": return .clearScreen
        case "j", "m": return enter([])
        case "a": cursor = currentLine.lowerBound
        case "e": cursor = currentLine.upperBound
        case "b": cursor = max(0, cursor - 1)
        case "f": cursor = min(characters.count, cursor + 1)
        case "p": recallOlder()
        case "n": recallNewer()
        case "h": delete(max(0, cursor - 1)..<cursor)
        case "k": killToLineEnd()
        case "u": kill(currentLine.lowerBound..<cursor)
        case "w": kill(previousBlankStart..<cursor)
        case "y": yank()
        case "t": transpose()
        case "r": beginSearch()
        case "_", "/": undo()
        default: break
        }
        return .redraw
    }

    private mutating func handleAlt(_ scalar: Unicode.Scalar) {
        switch scalar {
        case "b", "B": cursor = previousWordStart
        case "f", "F": cursor = nextWordEnd
        case "d", "D": kill(cursor..<nextWordEnd)
        case "y", "Y": yankOlder()
        case "<": recall(history.entries.isEmpty ? nil : 0)
        case ">": recall(nil)
        default: break
        }
    }

    private mutating func move(_ key: Key) {
        let byWord = !key.modifiers.isDisjoint(with: [.control, .alt])
        switch key.name {
        case .left: cursor = byWord ? previousWordStart : max(0, cursor - 1)
        case .right: cursor = byWord ? nextWordEnd : min(characters.count, cursor + 1)
        case .home: cursor = byWord ? 0 : currentLine.lowerBound
        case .end: cursor = byWord ? characters.count : currentLine.upperBound
        case .up: if !moveUp() { recallOlder() }
        case .down: if !moveDown() { recallNewer() }
        case .pageUp: recallOlder()
        case .pageDown: recallNewer()
        default: break
        }
    }

    /// To the same place in the line above; false on the first line.
    private mutating func moveUp() -> Bool {
        let line = currentLine
        guard line.lowerBound > 0 else { return false }
        let column = cursor - line.lowerBound
        cursor = line.lowerBound - 1
        cursor = min(currentLine.lowerBound + column, currentLine.upperBound)
        return true
    }

    private mutating func moveDown() -> Bool {
        let line = currentLine
        guard line.upperBound < characters.count else { return false }
        let column = cursor - line.lowerBound
        cursor = line.upperBound + 1
        cursor = min(currentLine.lowerBound + column, currentLine.upperBound)
        return true
    }

    // MARK: - Ending a line

    private static let quotes = "\"\"\""

    private mutating func enter(_ modifiers: Key.Modifiers) -> Action {
        let text = self.text
        let isOpen =
            text.hasPrefix(Self.quotes) && !(text.hasSuffix(Self.quotes) && characters.count >= 6)
        if isOpen || !modifiers.isEmpty {
            undoStack.record(snapshot, as: .other)
            insert("\n")
            return .redraw
        }
        let submitted = text.hasPrefix(Self.quotes) ? Self.unquoted(text) : text
        history.add(submitted)
        clear()
        return .submit(submitted)
    }

    /// The text between the quotes, without the line feeds beside them.
    private static func unquoted(_ text: String) -> String {
        var inner = text.dropFirst(3).dropLast(3)
        if inner.first == "\n" { inner.removeFirst() }
        if inner.last == "\n" { inner.removeLast() }
        return String(inner)
    }

    private mutating func complete() {
        guard characters.first == "/" else {
            if text.hasPrefix(Self.quotes) || characters.contains("\n") { insert("\t") }
            return
        }
        let typed = String(characters[..<cursor])
        let matches = completions.filter { $0.hasPrefix(typed) }
        guard let first = matches.first else { return }
        let common = matches.dropFirst().reduce(first) { String(zip($0, $1).prefix { $0 == $1 }.map(\.0)) }
        let addition = common.dropFirst(typed.count) + (matches.count == 1 ? " " : "")
        guard !addition.isEmpty, cursor == characters.count else { return }
        undoStack.record(snapshot, as: .other)
        insert(String(addition))
    }

    // MARK: - Changes

    private mutating func delete(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        undoStack.record(snapshot, as: .deletion)
        remove(range)
    }

    /// Takes a range out into the kill ring; kills in a row become one.
    private mutating func kill(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        let isBackward = range.upperBound == cursor
        killRing.add(String(characters[range]), before: isBackward, joining: undoStack.last == .kill)
        undoStack.record(snapshot, as: .kill)
        remove(range)
    }

    private mutating func killToLineEnd() {
        let end = currentLine.upperBound
        // At the end of a line, its line feed.
        kill(cursor..<(cursor == end ? min(end + 1, characters.count) : end))
    }

    private mutating func yank() {
        guard let text = killRing.current else { return }
        undoStack.record(snapshot, as: .yank)
        insert(text)
    }

    private mutating func yankOlder() {
        guard undoStack.last == .yank, let text = killRing.rotate(), let before = undoStack.undo() else {
            return
        }
        restore(before)
        undoStack.record(snapshot, as: .yank)
        insert(text)
    }

    private mutating func transpose() {
        guard characters.count > 1, cursor > 0 else { return }
        undoStack.record(snapshot, as: .other)
        let right = min(cursor, characters.count - 1)
        cursor = right + 1
        swap(right - 1)
    }

    private mutating func undo() {
        if let before = undoStack.undo() { restore(before) }
    }

    private mutating func restore(_ snapshot: UndoStack.Snapshot) {
        characters = snapshot.characters
        cursor = snapshot.cursor
    }
}
