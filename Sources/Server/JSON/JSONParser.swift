import StrictJSON

/// Where and why a text is no JSON.
struct JSONSyntaxError: Error, Equatable, CustomStringConvertible {
    let line: Int
    /// In bytes, from 1.
    let column: Int
    let problem: String

    /// The place of an error in `bytes` as a person counts it.
    init(_ error: JSONError, in bytes: [UInt8]) {
        let read = bytes.prefix(error.offset)
        line = read.count { $0 == 0x0A } + 1
        column = read.count - (read.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0) + 1
        problem = error.problem.description
    }

    var description: String { "line \(line), column \(column): \(problem)" }
}

/// Reads what clients send: strict JSON of bounded depth.
enum JSONParser {
    static let maximumDepth = 64

    /// Parses one whole text, whose length the caller has bounded.
    static func parse(_ bytes: [UInt8]) throws(JSONSyntaxError) -> JSON {
        let limits = JSONLimits(byteCount: bytes.count, depth: maximumDepth)
        do {
            return JSON(try JSONValue(parsing: bytes, limits: limits))
        } catch {
            throw JSONSyntaxError(error, in: bytes)
        }
    }
}

extension JSON {
    /// A value that was parsed; the recursion is as deep as the parser allowed.
    init(_ value: JSONValue) {
        self =
            switch value {
            case .null: .null
            case .bool(let bool): .bool(bool)
            case .integer(let integer): .number(JSONNumber(integer))
            case .unsigned(let integer): .number(JSONNumber(integer))
            case .number(let number): .number(JSONNumber(number))
            case .string(let string): .string(string)
            case .array(let elements): .array(elements.map { JSON($0) })
            case .object(let object):
                .object(object.members.map { Member(name: $0.name, value: JSON($0.value)) })
            }
    }
}
