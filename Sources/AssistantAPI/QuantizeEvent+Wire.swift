public import FoundationEssentials

extension QuantizeEvent {
    /// The value of `event:` in the stream.
    public var name: String {
        switch self {
        case .queued: "queued"
        case .started: "started"
        case .progress: "progress"
        case .completed: "completed"
        case .failed: "failed"
        }
    }

    /// The value of `data:` in the stream.
    public func data() throws -> Data {
        let encoder = Wire.encoder()
        return switch self {
        case .queued(let value): try encoder.encode(value)
        case .started(let value): try encoder.encode(value)
        case .progress(let value): try encoder.encode(value)
        case .completed(let value): try encoder.encode(value)
        case .failed(let value): try encoder.encode(value)
        }
    }

    /// Reads an event back; `nil` for a name that this version does not know, which a client skips.
    public init?(name: String, data: Data) throws {
        let decoder = Wire.decoder()
        switch name {
        case "queued": self = .queued(try decoder.decode(ChatEvent.Queued.self, from: data))
        case "started": self = .started(try decoder.decode(Started.self, from: data))
        case "progress": self = .progress(try decoder.decode(Progress.self, from: data))
        case "completed": self = .completed(try decoder.decode(Completed.self, from: data))
        case "failed": self = .failed(try decoder.decode(Failure.self, from: data))
        default: return nil
        }
    }
}
