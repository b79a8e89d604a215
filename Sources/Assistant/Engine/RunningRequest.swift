import AssistantAPI
import Llama

/// A request that the engine works on, a piece in each turn.
protocol RunningRequest: AnyObject {
    var request: EngineRequest { get }
    /// Prompts take turns with those that make tokens.
    var phase: Generation.Phase { get }
    /// Of what is evaluated before anything is made.
    var promptCount: Int { get }
    /// Tokens whose keys and values are held now.
    var heldCount: Int { get }
    /// How it ended, and what it took.
    var summary: CompletionSummary { get }
    /// Does the next piece of the work; tells whether there is more to do.
    func step() throws(AssistantError) -> Bool
}

extension Generation: RunningRequest {
    var promptCount: Int { prompt.count }
    var heldCount: Int { cache.tokens.count }
}
