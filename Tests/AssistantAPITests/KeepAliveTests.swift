import AssistantAPI
import FoundationEssentials
import Testing

struct KeepAliveTests {
    @Test(arguments: [
        ("0", KeepAlive.seconds(0)), ("90", .seconds(90)), ("5m", .seconds(300)), ("1h30m", .seconds(5400)),
        ("250ms", .seconds(0.25)), ("-1", .forever), ("-1m", .forever), ("forever", .forever),
        ("2d", .seconds(172_800)),
    ])
    func textsAreRead(text: String, expected: KeepAlive) {
        #expect(KeepAlive(text: text) == expected)
    }

    @Test(arguments: ["", "m", "5 parsecs", "5m3", "nan", "1e99", "--1m"])
    func whatIsNoTimeIsNone(text: String) {
        #expect(KeepAlive(text: text) == nil)
    }

    @Test func theWireTakesNumbersAndTexts() throws {
        let decoded = try Wire.decoder().decode([KeepAlive].self, from: Data(#"[0, 12.5, -1, "5m"]"#.utf8))
        #expect(decoded == [.seconds(0), .seconds(12.5), .forever, .seconds(300)])
        let text = String(decoding: try Wire.encoder().encode(decoded), as: UTF8.self)
        #expect(text == "[0,12.5,-1,300]")
        #expect(throws: DecodingError.self) {
            try Wire.decoder().decode(KeepAlive.self, from: Data(#""soon""#.utf8))
        }
    }
}
