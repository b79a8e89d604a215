import AssistantAPI

extension ToolUse {
    /// What the answer must be where it has to be a call.
    var constraint: OutputConstraint? {
        switch choice {
        case .auto: nil
        case .required: .toolCall(tools)
        case .function(let name): .toolCall(tools.filter { $0.name == name })
        }
    }
}

/// Finds calls of functions in an answer while it is written: `{"name": "…", "parameters": {…}}`, from its beginning on.
///
/// The arguments are passed on as they come. What turns out to be no call of a known function is text. Llama 3.1 at times
/// writes a mark before a call, mostly as a control token, which is no text, else by its letters.
struct ToolCallParser {
    private enum State {
        /// Before the answer, or between two calls.
        case beginning
        /// Within what may become a call, up to its arguments.
        case header
        /// Within the arguments' braces.
        case arguments(depth: Int, inText: Bool, isEscaped: Bool)
        /// After the arguments, before the call's own brace.
        case closing
        /// No call, or none any more.
        case text
    }

    private static let mark = "<|python_tag|>"

    private let names: Set<String>
    private let isParallel: Bool
    private var state = State.beginning
    private var held = ""
    private var count = 0
    private var result: (text: String, calls: [ToolCallPiece]) = ("", [])

    init(_ use: ToolUse) {
        names = Set(use.tools.map(\.name))
        isParallel = use.isParallel
    }

    /// What became certain with more of the answer.
    mutating func append(_ text: String, isLast: Bool = false) -> (text: String, calls: [ToolCallPiece]) {
        result = ("", [])
        for scalar in text.unicodeScalars { take(scalar) }
        if isLast {
            // What was held back is no call; behind a call it is nothing.
            if count == 0 { result.text += held }
            held = ""
        }
        return result
    }

    /// Whether there will be no call any more.
    var isOver: Bool { if case .text = state { true } else { false } }

    /// What has been written of a call whose arguments begin within more of the answer; nil where none do.
    func header(before text: String) -> String? {
        guard case .header = state else { return nil }
        var next = self
        guard next.append(text).calls.contains(where: { $0.index == count }) else { return nil }
        return String(held.drop { $0 != "{" })
    }

    private mutating func take(_ scalar: Unicode.Scalar) {
        switch state {
        case .text: if count == 0 { result.text.unicodeScalars.append(scalar) }
        case .beginning: begin(scalar)
        case .header:
            held.unicodeScalars.append(scalar)
            readHeader()
        case .arguments(let depth, let inText, let isEscaped):
            add(scalar)
            readArguments(scalar, depth, inText, isEscaped)
        case .closing: if scalar == "}" { state = isParallel ? .beginning : .text }
        }
    }

    private mutating func begin(_ scalar: Unicode.Scalar) {
        held.unicodeScalars.append(scalar)
        var rest = held.drop { $0.isWhitespace || count > 0 && ";,[]".contains($0) }
        if rest.hasPrefix(Self.mark) {
            rest = rest.dropFirst(Self.mark.count).drop(while: \.isWhitespace)
        } else if Self.mark.hasPrefix(rest) {
            return
        }
        switch rest {
        case "": break
        case "{": state = .header
        default: giveUp()
        }
    }

    private mutating func giveUp() {
        state = .text
        if count == 0 { result.text += held }
        held = ""
    }

    /// Looks whether what is held is a call up to the first brace of its arguments, or can still become one.
    private mutating func readHeader() {
        var rest = held.drop { $0 != "{" }.dropFirst().drop(while: \.isWhitespace)
        func skip(_ words: [String]) -> Bool? {
            for word in words {
                if rest.hasPrefix(word) {
                    rest = rest.dropFirst(word.count).drop(while: \.isWhitespace)
                    return true
                }
            }
            return words.contains { $0.hasPrefix(rest) } ? nil : false
        }
        for word in [[#""name""#], [":"], ["\""]] {
            guard let isThere = skip(word) else { return }
            guard isThere else { return giveUp() }
        }
        guard let end = rest.firstIndex(of: "\"") else {
            if !names.contains(where: { $0.hasPrefix(rest) }) { giveUp() }
            return
        }
        let name = String(rest[..<end])
        guard names.contains(name) else { return giveUp() }
        rest = rest[rest.index(after: end)...].drop(while: \.isWhitespace)
        for word in [[","], [#""parameters""#, #""arguments""#], [":"], ["{"]] {
            guard let isThere = skip(word) else { return }
            guard isThere else { return giveUp() }
        }
        held = ""
        result.calls.append(ToolCallPiece(index: count, name: name))
        count += 1
        state = .arguments(depth: 1, inText: false, isEscaped: false)
        add("{")
    }

    private mutating func readArguments(
        _ scalar: Unicode.Scalar, _ depth: Int, _ inText: Bool, _ isEscaped: Bool
    ) {
        switch (scalar, inText) {
        case (_, true) where isEscaped: state = .arguments(depth: depth, inText: true, isEscaped: false)
        case ("\\", true): state = .arguments(depth: depth, inText: true, isEscaped: true)
        case ("\"", _): state = .arguments(depth: depth, inText: !inText, isEscaped: false)
        case ("{", false), ("[", false):
            state = .arguments(depth: depth + 1, inText: false, isEscaped: false)
        case ("}", false), ("]", false):
            state = depth == 1 ? .closing : .arguments(depth: depth - 1, inText: false, isEscaped: false)
        default: break
        }
    }

    /// Adds to the arguments of the call that is being written.
    private mutating func add(_ scalar: Unicode.Scalar) {
        if result.calls.last?.index != count - 1 { result.calls.append(ToolCallPiece(index: count - 1)) }
        result.calls[result.calls.count - 1].arguments.unicodeScalars.append(scalar)
    }
}
