public import FoundationEssentials

extension DoctorEvent: WireEvent {
    public var name: String {
        switch self {
        case .finding: "finding"
        case .completed: "completed"
        case .failed: "failed"
        }
    }

    public func data() throws -> Data {
        let encoder = Wire.encoder()
        return switch self {
        case .finding(let value): try encoder.encode(value)
        case .completed(let value): try encoder.encode(value)
        case .failed(let value): try encoder.encode(value)
        }
    }

    public init?(name: String, data: Data) throws {
        let decoder = Wire.decoder()
        switch name {
        case "finding": self = .finding(try decoder.decode(DoctorFinding.self, from: data))
        case "completed": self = .completed(try decoder.decode(Completed.self, from: data))
        case "failed": self = .failed(try decoder.decode(Failure.self, from: data))
        default: return nil
        }
    }
}
