import AssistantAPI
import FoundationEssentials

/// What every line of one answer of Ollama's API carries.
struct OllamaFrame: Sendable {
    /// As it was asked for.
    let model: String
    private let start = ContinuousClock.now

    init(model: String) { self.model = model }

    /// An object that names the model and the time.
    func object(_ members: [(String, JSON)], done: Bool = false) -> JSON {
        JSON(
            [("model", .string(model)), ("created_at", .string(Wire.time(Date())))] + members
                + [("done", .bool(done))])
    }

    func line(_ members: [(String, JSON)], done: Bool = false) -> String {
        object(members, done: done).text + "\n"
    }

    /// The line that ends a stream in which something went wrong.
    static func line(_ failure: Failure) -> String { ErrorShape.ollama.body(of: failure).text + "\n" }

    /// The last object's times, in nanoseconds.
    func times(loading: Double) -> [(String, JSON)] {
        [
            ("total_duration", JSON(Self.nanoseconds((ContinuousClock.now - start) / .milliseconds(1)))),
            ("load_duration", JSON(Self.nanoseconds(loading))),
        ]
    }

    static func nanoseconds(_ milliseconds: Double) -> Int { Int(max(0, milliseconds) * 1e6) }
}
