import Testing

@testable import Terminal

@Suite struct ServerSentEventTests {
    private static let stream =
        "\u{FEFF}: comment\r\nevent: token\ndata: {\"text\":\"é日\"}\n\ndata: one\r\ndata:two\rdata:  three\n\n"
        + "event: nothing\n\nid: 7\nretry: 5\nbogus\nevent:completed\r\ndata: {}\r\n\r\ndata: cut off"

    private static let expected = [
        ServerSentEvent(name: "token", data: "{\"text\":\"é日\"}"),
        ServerSentEvent(data: "one\ntwo\n three"),
        ServerSentEvent(name: "completed", data: "{}", id: "7"),
    ]

    @Test func everySplitGivesTheSameEvents() throws {
        let bytes = Array(Self.stream.utf8)
        for split in 0...bytes.count {
            var parser = ServerSentEventParser()
            let events = try parser.parse(bytes[..<split]) + parser.parse(bytes[split...])
            #expect(events == Self.expected)
        }
        var parser = ServerSentEventParser()
        #expect(try bytes.flatMap { try parser.parse([$0]) } == Self.expected)
    }

    @Test func endlessEventsAreRefused() {
        var parser = ServerSentEventParser(limit: 1000)
        let piece = [UInt8](repeating: 0x61, count: 100)
        #expect(throws: ClientError.self) {
            for _ in 0..<20 { _ = try parser.parse(piece) }
        }
    }
}
