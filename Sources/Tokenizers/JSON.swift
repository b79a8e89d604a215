/// A JSON document of a vocabulary file; objects keep their order.
///
/// The target depends on nothing, so it reads its own JSON.
enum JSON: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case array([JSON])
    case object([Member])

    struct Member: Sendable, Equatable {
        let key: String
        let value: JSON
    }

    /// The member with this key; look-ups are linear, for objects of a few members.
    subscript(key: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }

    var string: String? { if case .string(let value) = self { value } else { nil } }
    var integer: Int? { if case .integer(let value) = self { value } else { nil } }
    var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    var array: [JSON]? { if case .array(let value) = self { value } else { nil } }
    var members: [Member]? { if case .object(let value) = self { value } else { nil } }

    /// Parses a whole document.
    ///
    /// - Throws: ``TokenizerError`` for anything but strict JSON: also for duplicate keys, lone surrogates,
    ///   nesting deeper than 32 and files beyond 64 MiB.
    static func parse(_ bytes: [UInt8], name: String) throws(TokenizerError) -> JSON {
        guard bytes.count <= Vocabulary.Limit.totalBytes else {
            throw .tooLarge(what: name, limit: Vocabulary.Limit.totalBytes, found: bytes.count)
        }
        var parser = JSONParser(bytes, name: name)
        return try parser.document()
    }
}
