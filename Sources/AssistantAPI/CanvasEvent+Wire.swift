public import FoundationEssentials

extension CanvasEvent: WireEvent {
    public var name: String {
        switch self {
        case .canvas: "canvas"
        case .loading: "loading"
        case .notice: "notice"
        case .progress: "progress"
        case .frame: "frame"
        case .superseded: "superseded"
        case .settled: "settled"
        case .committed: "committed"
        case .failed: "failed"
        case .closed: "closed"
        }
    }

    public var isLast: Bool { if case .closed = self { true } else { false } }

    public func data() throws -> Data {
        let encoder = Wire.encoder()
        return switch self {
        case .canvas(let value): try encoder.encode(value)
        case .loading(let value): try encoder.encode(value)
        case .notice(let value): try encoder.encode(value)
        case .progress(let value): try encoder.encode(value)
        case .frame(let value): try encoder.encode(value)
        case .superseded(let value): try encoder.encode(value)
        case .settled(let value): try encoder.encode(value)
        case .committed(let value): try encoder.encode(value)
        case .failed(let value): try encoder.encode(value)
        case .closed(let value): try encoder.encode(value)
        }
    }

    public init?(name: String, data: Data) throws {
        let decoder = Wire.decoder()
        switch name {
        case "canvas": self = .canvas(try decoder.decode(Canvas.self, from: data))
        case "loading": self = .loading(try decoder.decode(ChatEvent.Loading.self, from: data))
        case "notice": self = .notice(try decoder.decode(Notice.self, from: data))
        case "progress": self = .progress(try decoder.decode(Progress.self, from: data))
        case "frame": self = .frame(try decoder.decode(Frame.self, from: data))
        case "superseded": self = .superseded(try decoder.decode(Superseded.self, from: data))
        case "settled": self = .settled(try decoder.decode(Settled.self, from: data))
        case "committed": self = .committed(try decoder.decode(CanvasCommitted.self, from: data))
        case "failed": self = .failed(try decoder.decode(Failure.self, from: data))
        case "closed": self = .closed(try decoder.decode(Closed.self, from: data))
        default: return nil
        }
    }
}
