public import FoundationEssentials

extension PictureEvent: WireEvent {
    public var name: String {
        switch self {
        case .queued: "queued"
        case .loading: "loading"
        case .notice: "notice"
        case .started: "started"
        case .progress: "progress"
        case .partial: "partial"
        case .picture: "picture"
        case .completed: "completed"
        case .failed: "failed"
        }
    }

    public func data() throws -> Data {
        let encoder = Wire.encoder()
        return switch self {
        case .queued(let value): try encoder.encode(value)
        case .loading(let value): try encoder.encode(value)
        case .notice(let value): try encoder.encode(value)
        case .started(let value): try encoder.encode(value)
        case .progress(let value): try encoder.encode(value)
        case .partial(let value): try encoder.encode(value)
        case .picture(let value): try encoder.encode(value)
        case .completed(let value): try encoder.encode(value)
        case .failed(let value): try encoder.encode(value)
        }
    }

    public init?(name: String, data: Data) throws {
        let decoder = Wire.decoder()
        switch name {
        case "queued": self = .queued(try decoder.decode(ChatEvent.Queued.self, from: data))
        case "loading": self = .loading(try decoder.decode(ChatEvent.Loading.self, from: data))
        case "notice": self = .notice(try decoder.decode(Notice.self, from: data))
        case "started": self = .started(try decoder.decode(Started.self, from: data))
        case "progress": self = .progress(try decoder.decode(Progress.self, from: data))
        case "partial": self = .partial(try decoder.decode(Partial.self, from: data))
        case "picture": self = .picture(try decoder.decode(Finished.self, from: data))
        case "completed": self = .completed(try decoder.decode(Completed.self, from: data))
        case "failed": self = .failed(try decoder.decode(Failure.self, from: data))
        default: return nil
        }
    }
}
