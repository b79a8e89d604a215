import AssistantAPI
import Llama
import Tensors

/// Evaluates what is being typed before it is sent, a small piece at a time, into the conversation's cache.
struct LookAhead {
    /// The draft whose beginning is being evaluated.
    private var current: (id: UInt64, tokens: [Int32])?

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
            let tokens: [Int32]
            if let current, current.id == draft.id {
                tokens = current.tokens
            } else {
                tokens = try model.stableBeginning(of: draft)
                current = (draft.id, tokens)
            }
            let count = try model.prefillAhead(tokens, for: draft, checkpoint: checkpoint)
            if count > 0 { return .goesOn(tokens: count) }
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

    /// Evaluates the next piece of a prompt's beginning that no cache has, and keeps it for the conversation.
    ///
    /// - Returns: how many tokens; 0 when there are none left that are worth it.
    mutating func prefillAhead(
        _ tokens: [Int32], for draft: EngineRequest, checkpoint: InterruptionCheck
    ) throws(Interrupted) -> Int {
        let shared = caches.longestShared(with: tokens)
        guard let piece = PromptCut.ahead(shared: shared, count: tokens.count, chunk: chunk) else { return 0 }
        var beginning = makeCache(for: Array(tokens[..<piece.upperBound]), request: draft, reserved: 0)
        var failure: Interrupted?
        let start = beginning.cache.tokens.count
        do throws(Interrupted) {
            _ = try model.prefill(
                Array(tokens[start..<piece.upperBound]), cache: &beginning.cache, checkpoint: checkpoint)
        } catch {
            failure = error
        }
        keep(beginning.cache, owner: draft.owner, aheadFrom: min(beginning.aheadFrom ?? start, start))
        if let failure { throw failure }
        return piece.upperBound - start
    }
}
