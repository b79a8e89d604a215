public import FoundationEssentials

/// What happens while a model is pulled; the last event is `completed` or `failed`.
///
/// On the wire each is a server-sent event whose `event:` is the case's name and whose `data:` is the value as JSON.
public enum PullEvent: WireEvent, Sendable, Equatable {
    /// It is known what is to be had; once, before all progress.
    case planned(Planned)
    /// Bytes came. `completed` never falls.
    case progress(Progress)
    /// Bytes of a file that is there were compared with its digest.
    case verifying(Progress)
    /// Something the user should know, such as a hub that asks for patience.
    case notice(Notice)
    /// Once, last.
    case completed(Completed)
    /// Once, last, instead of `completed`; what came so far is kept for the next time.
    case failed(Failure)

    /// What is pulled.
    public struct Planned: Codable, Sendable, Equatable {
        /// The name that the model will have.
        public var name: String
        /// As `owner/name`.
        public var repository: String
        /// The commit, as the hub has it.
        public var revision: String
        public var files: [File]
        /// Of all files.
        public var bytes: Int

        public init(name: String, repository: String, revision: String, files: [File]) {
            self.name = name
            self.repository = repository
            self.revision = revision
            self.files = files
            bytes = files.reduce(0) { $0 + $1.bytes }
        }
    }

    /// A file of a repository.
    public struct File: Codable, Sendable, Equatable {
        /// In the repository.
        public var path: String
        public var bytes: Int
        /// `sha256:…` of large files, `git:…` (the SHA-1 of git's blob) of small ones.
        public var digest: String

        public init(path: String, bytes: Int, digest: String) {
            self.path = path
            self.bytes = bytes
            self.digest = digest
        }
    }

    /// How far the work on a file is, and on all of them.
    public struct Progress: Codable, Sendable, Equatable {
        /// Which of the plan's files, from 0.
        public var file: Int
        /// Bytes of this file that are done.
        public var fileCompleted: Int
        /// Bytes of all files that are done.
        public var completed: Int
        /// Bytes of all files.
        public var total: Int

        public init(file: Int, fileCompleted: Int, completed: Int, total: Int) {
            self.file = file
            self.fileCompleted = fileCompleted
            self.completed = completed
            self.total = total
        }
    }

    public struct Completed: Codable, Sendable, Equatable {
        /// By which requests ask for it.
        public var name: String
        /// Where it lies.
        public var path: String
        public var bytes: Int
        /// Whether it was there already, and nothing was to be done.
        public var wasThere: Bool

        public init(name: String, path: String, bytes: Int, wasThere: Bool) {
            self.name = name
            self.path = path
            self.bytes = bytes
            self.wasThere = wasThere
        }
    }

    public struct Failure: Codable, Sendable, Equatable {
        public var error: AssistantError

        public init(error: AssistantError) { self.error = error }
    }

    public var name: String {
        switch self {
        case .planned: "planned"
        case .progress: "progress"
        case .verifying: "verifying"
        case .notice: "notice"
        case .completed: "completed"
        case .failed: "failed"
        }
    }

    public func data() throws -> Data {
        let encoder = Wire.encoder()
        return switch self {
        case .planned(let value): try encoder.encode(value)
        case .progress(let value), .verifying(let value): try encoder.encode(value)
        case .notice(let value): try encoder.encode(value)
        case .completed(let value): try encoder.encode(value)
        case .failed(let value): try encoder.encode(value)
        }
    }

    public init?(name: String, data: Data) throws {
        let decoder = Wire.decoder()
        switch name {
        case "planned": self = .planned(try decoder.decode(Planned.self, from: data))
        case "progress": self = .progress(try decoder.decode(Progress.self, from: data))
        case "verifying": self = .verifying(try decoder.decode(Progress.self, from: data))
        case "notice": self = .notice(try decoder.decode(Notice.self, from: data))
        case "completed": self = .completed(try decoder.decode(Completed.self, from: data))
        case "failed": self = .failed(try decoder.decode(Failure.self, from: data))
        default: return nil
        }
    }
}
