import StrictJSON

@testable import Grammars

extension Grammar {
    /// A grammar of the values that a schema allows.
    init(schema text: String) throws { try self.init(jsonSchema: JSONValue(parsing: Array(text.utf8))) }

    /// Whether a whole text is allowed.
    func accepts(_ text: String) throws -> Bool { try accepts(Array(text.utf8)) }

    func accepts(_ bytes: [UInt8]) throws -> Bool {
        var automaton = try Automaton(self)
        var set: Int32 = 0
        for byte in bytes {
            set = try automaton.step(set, byte)
            if set == Automaton.dead { return false }
        }
        return automaton.isAccepting(set)
    }
}

/// The error of a grammar that must be refused; nil where it isn't.
func refusal(_ make: () throws -> Grammar) -> GrammarError? {
    do {
        _ = try make()
        return nil
    } catch {
        return error as? GrammarError
    }
}

/// Random numbers that a seed repeats.
struct SeededNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
