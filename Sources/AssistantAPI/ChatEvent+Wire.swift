public import FoundationEssentials

extension ChatEvent: WireEvent {
    public var name: String {
        switch self {
        case .accepted: "accepted"
        case .queued: "queued"
        case .loading: "loading"
        case .prefill: "prefill"
        case .notice: "notice"
        case .token: "token"
        case .painting: "painting"
        case .picture: "picture"
        case .completed: "completed"
        case .failed: "failed"
        }
    }

    public func data() throws -> Data {
        let encoder = Wire.encoder()
        return switch self {
        case .accepted(let value): try encoder.encode(value)
        case .queued(let value): try encoder.encode(value)
        case .loading(let value): try encoder.encode(value)
        case .prefill(let value): try encoder.encode(value)
        case .notice(let value): try encoder.encode(value)
        case .token(let value): try encoder.encode(value)
        case .painting(let value): try encoder.encode(value)
        case .picture(let value): try encoder.encode(value)
        case .completed(let value): try encoder.encode(value)
        case .failed(let value): try encoder.encode(value)
        }
    }

    public init?(name: String, data: Data) throws {
        let decoder = Wire.decoder()
        switch name {
        case "accepted": self = .accepted(try decoder.decode(Accepted.self, from: data))
        case "queued": self = .queued(try decoder.decode(Queued.self, from: data))
        case "loading": self = .loading(try decoder.decode(Loading.self, from: data))
        case "prefill": self = .prefill(try decoder.decode(PrefillProgress.self, from: data))
        case "notice": self = .notice(try decoder.decode(Notice.self, from: data))
        case "token": self = .token(try decoder.decode(Token.self, from: data))
        case "painting": self = .painting(try decoder.decode(Painting.self, from: data))
        case "picture": self = .picture(try decoder.decode(PictureEvent.Finished.self, from: data))
        case "completed": self = .completed(try decoder.decode(Completed.self, from: data))
        case "failed": self = .failed(try decoder.decode(Failure.self, from: data))
        default: return nil
        }
    }
}
