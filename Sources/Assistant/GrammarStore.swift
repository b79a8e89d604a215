import AssistantAPI
import Grammars
import StrictJSON
import Synchronization

/// The grammars that were lately asked for: clients send the same schema with every request.
final class GrammarStore: Sendable {
    private static let limit = 16

    private let kept = Mutex<[(constraint: OutputConstraint, grammar: Grammar)]>([])

    /// The grammar of a constraint.
    ///
    /// - Throws: `invalidRequest` that says what of it cannot be enforced, and where.
    func grammar(of constraint: OutputConstraint) throws(AssistantError) -> Grammar {
        if let known = kept.withLock({ kept in kept.first { $0.constraint == constraint }?.grammar }) {
            return known
        }
        let grammar = try Self.make(constraint)
        kept.withLock { kept in
            kept.removeAll { $0.constraint == constraint }
            if kept.count >= Self.limit { kept.removeFirst() }
            kept.append((constraint, grammar))
        }
        return grammar
    }

    private static func make(_ constraint: OutputConstraint) throws(AssistantError) -> Grammar {
        do throws(GrammarError) {
            switch constraint {
            case .jsonObject: return try .anyObject()
            case .jsonSchema(let text): return try Grammar(jsonSchema: schema(text))
            case .grammar(let text): return try Grammar(gbnf: text)
            case .toolCall(let tools):
                var functions: [(name: String, parameters: JSONValue?)] = []
                for tool in tools { functions.append((tool.name, try tool.parameters.map(schema))) }
                return try Grammar(callsOf: functions)
            }
        } catch {
            throw constraint.error("\(error).")
        }
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
