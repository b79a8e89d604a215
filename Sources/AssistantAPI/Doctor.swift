/// One thing that was looked at to tell what this machine can run, and how fast.
public struct DoctorFinding: Codable, Sendable, Equatable {
    public enum Grade: String, Codable, Sendable, CaseIterable {
        /// As it should be.
        case ok
        /// It works, but not as well as it could.
        case warn
        /// Something does not work.
        case fail
        /// A guess from what was measured: of models that are not here.
        case estimate
    }

    /// What was looked at: `processor`, `memory`, `bandwidth`, `compute`, `disk`, `history`, `chat`, `pictures`,
    /// `estimates`; a client adds `configuration`, `folders` and `daemon`.
    public var area: String
    public var grade: Grade
    /// For people, without a full stop at its end.
    public var text: String
    /// The same for programs, by name and unit.
    public var figures: [String: Double]

    public init(_ area: String, _ grade: Grade, _ text: String, figures: [String: Double] = [:]) {
        self.area = area
        self.grade = grade
        self.text = text
        self.figures = figures
    }
}

/// What happens while the daemon looks at itself and measures; the last event is `completed` or `failed`.
///
/// On the wire each is a server-sent event whose `event:` is the case's name and whose `data:` is the value as JSON.
public enum DoctorEvent: Sendable, Equatable {
    case finding(DoctorFinding)
    /// Once, last.
    case completed(Completed)
    /// Once, last, instead of `completed`.
    case failed(Failure)

    public struct Completed: Codable, Sendable, Equatable {
        /// How many findings are a `fail`.
        public var failures: Int
        /// How many are a `warn`.
        public var warnings: Int

        public init(failures: Int, warnings: Int) {
            self.failures = failures
            self.warnings = warnings
        }
    }

    public struct Failure: Codable, Sendable, Equatable {
        public var error: AssistantError

        public init(error: AssistantError) { self.error = error }
    }
}
