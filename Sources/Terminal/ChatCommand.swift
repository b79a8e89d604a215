/// A line that begins with a slash.
public enum ChatCommand: Sendable, Equatable {
    case help, new, bye, delete
    case model(String?)
    case system(String?)
    case set(name: String?, value: String?)
    case regenerate
    case imagine(String?)
    case pictures(String?)
    case stats(String?)
    case history(String?)
    case open(String?)
    case edit(String?)
    case title(String?)
    case unknown(String)

    /// Names as they are typed, with what follows them and what they do.
    static let catalog: [(usage: String, meaning: String)] = [
        ("/help", "show this"),
        ("/new", "begin another conversation"),
        ("/model [name or path]", "show the models, or answer with this one"),
        ("/system [text]", "show or set the system prompt; - removes it"),
        ("/set [parameter] [value]", "show or change how tokens are chosen; \"default\" resets"),
        ("/imagine [what to paint]", "paint, and see the picture while you type"),
        ("/pictures [on or off]", "whether the model may paint when you ask it for a picture"),
        ("/stats [on or off]", "tell after each answer how quick it was"),
        ("/regenerate", "answer the last message once more"),
        ("/edit [text]", "ask the last message anew, as another branch"),
        ("/history [words]", "list the conversations, or search them"),
        ("/open [id]", "go on with an earlier conversation; without id: the last one"),
        ("/title [text]", "show or set this conversation's title"),
        ("/delete", "delete this conversation"),
        ("/bye", "leave"),
    ]

    static let names = catalog.map { String($0.usage.prefix { $0 != " " }) }

    /// Reads a command; `nil` for a line that is a message.
    ///
    /// A path such as `/usr/bin/env prints what?` is a message: its first word has a second slash.
    public init?(_ line: String) {
        guard line.hasPrefix("/"), !line.hasPrefix("//") else { return nil }
        let parts = line.split(maxSplits: 1, whereSeparator: \.isWhitespace)
        let name = parts.first.map(String.init) ?? "/"
        guard !name.dropFirst().contains("/"), !line.contains("\n") || Self.names.contains(name) else {
            return nil
        }
        let argument = parts.count > 1 ? Self.trimmed(parts[1]) : nil
        switch name {
        case "/help", "/?", "/h": self = .help
        case "/new", "/clear": self = .new
        case "/bye", "/exit", "/quit", "/q": self = .bye
        case "/delete": self = .delete
        case "/model", "/models": self = .model(argument)
        case "/system": self = .system(argument)
        case "/set": self = Self.set(argument)
        case "/regenerate", "/retry": self = .regenerate
        case "/imagine", "/image": self = .imagine(argument)
        case "/pictures": self = .pictures(argument)
        case "/stats": self = .stats(argument)
        case "/history": self = .history(argument)
        case "/open": self = .open(argument)
        case "/edit": self = .edit(argument)
        case "/title": self = .title(argument)
        default: self = .unknown(name)
        }
    }

    /// The line that stands for a message: another slash where it looks like a command, but for the one that pictures are
    /// asked for by.
    static func line(of message: String) -> String {
        ChatCommand(message) == nil || message.hasPrefix("/imagine ") ? message : "/" + message
    }

    /// What to say about a command that does not exist.
    static func complaint(about name: String) -> String {
        let nearest = NearestName.of(name, among: names)
        let suggestion = nearest.map { "did you mean \($0)? " } ?? ""
        return "There is no command \(TextSanitizer.line(name)); \(suggestion)/help lists them."
    }

    private static func set(_ argument: String?) -> Self {
        guard let argument else { return .set(name: nil, value: nil) }
        let parts = argument.split(maxSplits: 1) { $0.isWhitespace || $0 == "=" }
        // As other programs have it: /set parameter temperature 0.5
        if parts.first == "parameter", parts.count > 1 { return set(trimmed(parts[1])) }
        let value = parts.count > 1 ? trimmed(parts[1]) : nil
        return .set(name: parts.first.map(String.init), value: value)
    }

    private static func trimmed(_ text: Substring) -> String? {
        var text = text
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text.isEmpty ? nil : String(text)
    }
}
