/// One event of an event stream.
public struct ServerSentEvent: Sendable, Equatable {
    /// The value of `event:`; "message" where there was none.
    public var name: String
    public var data: String
    /// The value of `id:`, where the event has one of its own.
    public var id: String?

    public init(name: String = "message", data: String, id: String? = nil) {
        self.name = name
        self.data = data
        self.id = id
    }
}

/// Reads an event stream (WHATWG HTML, 9.2) from bytes that may be cut anywhere.
///
/// Fields other than `event`, `data` and `id` and comments are skipped, and so is an event that the stream's end cuts off.
public struct ServerSentEventParser: Sendable {
    /// A line or an event of more bytes than this ends the stream with an error.
    public static let limit = 16 << 20

    private let limit: Int

    private var line: [UInt8] = []
    private var name: [UInt8] = []
    private var data: [UInt8] = []
    private var id: String?
    private var hasData = false
    private var isFirstLine = true
    /// The byte before was a carriage return, so a line feed now belongs to it.
    private var endedInReturn = false

    public init(limit: Int = Self.limit) { self.limit = limit }

    /// The events that these bytes complete.
    ///
    /// - Throws: `ClientError.badAnswer` when an event is longer than `limit`.
    public mutating func parse(_ bytes: some Sequence<UInt8>) throws(ClientError) -> [ServerSentEvent] {
        var events: [ServerSentEvent] = []
        for byte in bytes {
            let followsReturn = endedInReturn
            endedInReturn = byte == 0x0D
            switch byte {
            case 0x0A where followsReturn: break
            case 0x0A, 0x0D: endLine(&events)
            default:
                line.append(byte)
                if line.count + data.count > limit {
                    throw .badAnswer("an event of more than \(limit) bytes")
                }
            }
        }
        return events
    }

    private mutating func endLine(_ events: inout [ServerSentEvent]) {
        defer {
            line.removeAll(keepingCapacity: true)
            isFirstLine = false
        }
        if isFirstLine, line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
        guard !line.isEmpty else {
            endEvent(&events)
            return
        }
        let colon = line.firstIndex(of: 0x3A) ?? line.endIndex
        var value = line[min(colon + 1, line.endIndex)...]
        if value.first == 0x20 { value.removeFirst() }
        if line[..<colon].elementsEqual("data".utf8) {
            if hasData { data.append(0x0A) }
            data += value
            hasData = true
        } else if line[..<colon].elementsEqual("event".utf8) {
            name = Array(value)
        } else if line[..<colon].elementsEqual("id".utf8), !value.contains(0) {
            id = String(decoding: value, as: UTF8.self)
        }
    }

    private mutating func endEvent(_ events: inout [ServerSentEvent]) {
        defer {
            name.removeAll()
            data.removeAll()
            id = nil
            hasData = false
        }
        guard hasData else { return }
        let name = name.isEmpty ? "message" : String(decoding: name, as: UTF8.self)
        events.append(ServerSentEvent(name: name, data: String(decoding: data, as: UTF8.self), id: id))
    }
}
