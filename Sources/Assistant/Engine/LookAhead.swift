import AssistantAPI
import Llama
import Tensors

/// Evaluates what is being typed before it is sent, a small piece at a time, into the conversation's cache.
struct LookAhead {
    /// The draft whose beginning is being evaluated.
    private var current: (id: UInt64, tokens: [Int32], reached: Int)?

    /// What a piece of the work came to.
    enum Outcome: Equatable {
        /// So many tokens were evaluated, and there may be more.
        case goesOn(tokens: Int)
        case isDone
    }

    /// Evaluates one piece of a draft's beginning; what cannot be evaluated is given up without a word.
    ///
    /// - Parameters:
    ///   - draft: the newest of a conversation's.
    ///   - model: the draft's, in memory.
    ///   - checkpoint: stops it, which loses one piece at most.
    /// - Returns: whether there may be more to do.
    mutating func advance(
        _ draft: EngineRequest, in model: inout ResidentModel, checkpoint: InterruptionCheck
    ) -> Outcome {
        do {
            let beginning: (id: UInt64, tokens: [Int32], reached: Int)
            if let current, current.id == draft.id {
                beginning = current
            } else {
                beginning = (draft.id, try model.stableBeginning(of: draft), 0)
                current = beginning
            }
            let shared = model.caches.longestShared(with: beginning.tokens)
            // Where there is no memory to keep the pieces, each would be evaluated for ever.
            if shared >= beginning.reached,
                let piece = PromptCut.ahead(
                    shared: shared, count: beginning.tokens.count, chunk: model.chunk)
            {
                let count = try model.prefillAhead(
                    Array(beginning.tokens[..<piece.upperBound]), for: draft, checkpoint: checkpoint)
                current?.reached = piece.upperBound
                return .goesOn(tokens: count)
            }
        } catch is Interrupted {
            return .goesOn(tokens: 0)
        } catch {
            // The message itself, once it is sent, tells what is wrong.
        }
        current = nil
        return .isDone
    }
}

extension ResidentModel {
    /// The tokens of a draft's prompt that what is typed next will not change, as far as that can be known.
    func stableBeginning(of draft: EngineRequest) throws(AssistantError) -> [Int32] {
        guard case .chat(var messages) = draft.prompt, let last = messages.indices.last else { return [] }
        let typed = try fit(messages, plan: draft.plan)
        messages[last].content += " x"
        let longer = try fit(messages, plan: draft.plan)
        return Array(typed.prefix(CacheStore<KVCache>.sharedPrefix(typed, longer)))
    }

    /// Evaluates what no cache has of a prompt's beginning, and keeps it for the conversation.
    ///
    /// - Returns: how many tokens were evaluated.
    mutating func prefillAhead(
        _ tokens: [Int32], for draft: EngineRequest, checkpoint: InterruptionCheck
    ) throws(Interrupted) -> Int {
        var beginning = makeCache(for: tokens, request: draft, reserved: 0)
        var failure: Interrupted?
        let start = beginning.cache.tokens.count
        do throws(Interrupted) {
            _ = try model.prefill(
                Array(tokens[start...]), cache: &beginning.cache, checkpoint: checkpoint)
        } catch {
            failure = error
        }
        keep(beginning.cache, owner: draft.owner, aheadFrom: min(beginning.aheadFrom ?? start, start))
        if let failure { throw failure }
        return tokens.count - start
    }
}
