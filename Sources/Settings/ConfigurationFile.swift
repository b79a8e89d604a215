import Glibc
import TOMLKit

/// The entries of a configuration file, each with its place.
struct ConfigurationFile {
    struct Entry {
        /// Section and name, as in "chat.top_k".
        var key: String
        var value: SettingValue
        var source: ConfigurationError.Source
    }

    /// No configuration is longer; the bound keeps a wrong path from filling the memory.
    static let byteLimit = 1 << 20

    let entries: [Entry]

    init(path: String) throws(ConfigurationError) {
        try self.init(text: Self.read(path), path: path)
    }

    init(text: String, path: String) throws(ConfigurationError) {
        let table: TOMLTable
        do {
            table = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            let place = error.source.begin
            throw .syntax(
                .file(path: path, line: place.line, column: place.column), finding: error.description)
        } catch {
            throw .syntax(.file(path: path, line: 0, column: 0), finding: "\(error)")
        }
        let places = KeyPlaces(text)
        entries = Self.entries(of: table, in: nil).map { key, value in
            let place = places[key]
            return Entry(
                key: key, value: value,
                source: .file(path: path, line: place?.line ?? 0, column: place?.column ?? 0))
        }
    }

    private static func entries(of table: TOMLTable, in section: String?) -> [(String, SettingValue)] {
        table.keys.sorted().flatMap { name -> [(String, SettingValue)] in
            let key = section.map { "\($0).\(name)" } ?? name
            guard let value = table[name] else { return [] }
            if let inner = value.table {
                // A section without entries is still a key that must be known.
                let entries = entries(of: inner, in: key)
                let isSection = ConfigurationKey.all.contains { $0.name.hasPrefix(key + ".") }
                return entries.isEmpty && !isSection ? [(key, .other("table"))] : entries
            }
            return [(key, settingValue(value))]
        }
    }

    private static func settingValue(_ value: any TOMLValueConvertible) -> SettingValue {
        switch value.type {
        case .string: value.string.map(SettingValue.string) ?? .other("string")
        case .int: value.int.map(SettingValue.integer) ?? .other("number")
        case .double: value.double.map(SettingValue.number) ?? .other("number")
        case .bool: value.bool.map(SettingValue.boolean) ?? .other("boolean")
        case .array: .list(value.array?.map(settingValue) ?? [])
        default: .other("\(value.type)")
        }
    }

    /// Reads a regular file of a sane size; anything else is refused before a byte is read.
    private static func read(_ path: String) throws(ConfigurationError) -> String {
        // Not blocking: a named pipe in the file's place must not hang the start.
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw .unreadableFile(path: path, finding: String(cString: strerror(errno))) }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw .unreadableFile(path: path, finding: "not a regular file")
        }
        guard status.st_size <= byteLimit else {
            throw .unreadableFile(path: path, finding: "larger than \(byteLimit) bytes")
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var count = 0
        while count < bytes.count {
            let read = bytes.withUnsafeMutableBytes {
                Glibc.read(file, $0.baseAddress! + count, $0.count - count)
            }
            guard read >= 0 else {
                throw .unreadableFile(path: path, finding: String(cString: strerror(errno)))
            }
            if read == 0 { break }
            count += read
        }
        guard let text = String(validating: bytes.prefix(count), as: UTF8.self) else {
            throw .unreadableFile(path: path, finding: "not UTF-8")
        }
        return text
    }
}

/// Where each key of a TOML text is written, since the parser keeps no places.
///
/// It knows headers and `key = value` lines, which is how people write configurations; a key written in
/// another way (an inline table, say) has no known place.
struct KeyPlaces {
    private var places: [String: (line: Int, column: Int)] = [:]

    init(_ text: String) {
        var section = ""
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let indent = line.prefix { $0 == " " || $0 == "\t" }.count
            let content = line.dropFirst(indent)
            if content.hasPrefix("["), let end = content.firstIndex(of: "]") {
                section = Self.plain(content[content.index(after: content.startIndex)..<end])
                record(section, line: index, column: indent)
            } else if let equals = content.firstIndex(of: "="), !content.hasPrefix("#") {
                let name = Self.plain(content[..<equals])
                record(section.isEmpty ? name : "\(section).\(name)", line: index, column: indent)
            }
        }
    }

    subscript(key: String) -> (line: Int, column: Int)? { places[key] }

    private mutating func record(_ key: String, line: Int, column: Int) {
        if places[key] == nil { places[key] = (line + 1, column + 1) }
    }

    /// A key without the blanks and quotes that TOML allows around its parts.
    private static func plain(_ key: Substring) -> String {
        String(key.filter { !" \t\"'\r".contains($0) })
    }
}
