import AssistantAPI
import Grammars
import StrictJSON
import Synchronization

/// The grammars that were lately asked for: clients send the same schema with every request.
final class GrammarStore: Sendable {
    private static let limit = 16

    /// What is asked for.
    private enum Key: Hashable {
        case whole(OutputConstraint)
        case begunCalls([Tool])
    }

    private let kept = Mutex<[(key: Key, grammar: Grammar?)]>([])

    /// The grammar of a constraint.
    ///
    /// - Throws: `invalidRequest` that says what of it cannot be enforced, and where.
    func grammar(of constraint: OutputConstraint) throws(AssistantError) -> Grammar {
        let key = Key.whole(constraint)
        if let known = known(key), let grammar = known { return grammar }
        let grammar = try Self.make(constraint)
        keep(grammar, of: key)
        return grammar
    }

    /// The grammar of a call that a model begins by itself; nil where no function has a schema that can be enforced.
    ///
    /// Functions whose schema cannot be enforced are not in it: a model may call them all the same.
    func grammar(ofBegunCalls tools: [Tool]) -> Grammar? {
        let key = Key.begunCalls(tools)
        if let known = known(key) { return known }
        let grammar = Self.make(begunCallsOf: tools)
        keep(grammar, of: key)
        return grammar
    }

    private func known(_ key: Key) -> Grammar?? {
        kept.withLock { kept in kept.first { $0.key == key }.map { $0.grammar } }
    }

    private func keep(_ grammar: Grammar?, of key: Key) {
        kept.withLock { kept in
            kept.removeAll { $0.key == key }
            if kept.count >= Self.limit { kept.removeFirst() }
            kept.append((key, grammar))
        }
    }

    private static func make(_ constraint: OutputConstraint) throws(AssistantError) -> Grammar {
        do throws(GrammarError) {
            switch constraint {
            case .jsonObject: return try .anyObject()
            case .jsonSchema(let text): return try Grammar(jsonSchema: schema(text))
            case .grammar(let text): return try Grammar(gbnf: text)
            case .toolCall(let tools): return try calls(tools)
            }
        } catch {
            throw constraint.error("\(error).")
        }
    }

    private static func make(begunCallsOf tools: [Tool]) -> Grammar? {
        if let all = try? calls(tools, isBegun: true) { return all }
        let followed = tools.filter { (try? calls([$0], isBegun: true)) != nil }
        guard !followed.isEmpty else { return nil }
        return try? calls(followed, isBegun: true)
    }

    private static func calls(_ tools: [Tool], isBegun: Bool = false) throws(GrammarError) -> Grammar {
        var functions: [(name: String, parameters: JSONValue?)] = []
        for tool in tools {
            var parameters: JSONValue?
            if let text = tool.parameters { parameters = try schema(text) }
            functions.append((tool.name, parameters))
        }
        return try Grammar(callsOf: functions, isBegun: isBegun)
    }

    private static func schema(_ text: String) throws(GrammarError) -> JSONValue {
        do throws(JSONError) {
            return try JSONValue(parsing: Array(text.utf8), limits: JSONLimits(byteCount: 1 << 20, depth: 64))
        } catch {
            throw .invalidSchema(path: "", problem: "it is no JSON: \(error)")
        }
    }
}

extension OutputConstraint {
    /// An error about this constraint, which names the field that it is in.
    func error(_ problem: String) -> AssistantError {
        switch self {
        case .jsonObject, .jsonSchema:
            AssistantError(
                .invalidRequest, "The JSON schema cannot be used: \(problem)", parameter: "response_format")
        case .toolCall:
            AssistantError(
                .invalidRequest, "The parameters of a tool cannot be used: \(problem)", parameter: "tools")
        case .grammar:
            AssistantError(.invalidRequest, "The grammar cannot be used: \(problem)", parameter: "grammar")
        }
    }
}
