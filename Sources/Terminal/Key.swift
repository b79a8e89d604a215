/// One key, as far as a terminal tells keys apart.
public struct Key: Sendable, Equatable {
    public enum Name: Sendable, Equatable {
        /// A typed character; several make up one cluster when the terminal sends them one by one.
        case scalar(Unicode.Scalar)
        /// Text that was pasted, with line feeds for its line ends.
        case paste(String)
        case enter, tab, backspace, delete, escape
        case up, down, left, right, home, end, pageUp, pageDown
        /// Something that has no meaning here: a function key, an answer of the terminal.
        case unknown
    }

    public struct Modifiers: OptionSet, Sendable {
        public let rawValue: Int

        public init(rawValue: Int) { self.rawValue = rawValue }

        public static let shift = Modifiers(rawValue: 1)
        public static let alt = Modifiers(rawValue: 2)
        public static let control = Modifiers(rawValue: 4)
    }

    public var name: Name
    public var modifiers: Modifiers

    public init(_ name: Name, _ modifiers: Modifiers = []) {
        self.name = name
        self.modifiers = modifiers
    }

    /// A character with Control held, such as `.control("c")`.
    public static func control(_ scalar: Unicode.Scalar) -> Key { Key(.scalar(scalar), .control) }

    /// A character with Alt held.
    public static func alt(_ scalar: Unicode.Scalar) -> Key { Key(.scalar(scalar), .alt) }
}
