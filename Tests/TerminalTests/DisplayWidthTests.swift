import Foundation
import Testing

@testable import Terminal

/// Fixtures/generate.py (wcwidth 0.9.4, Unicode 17).
@Suite struct DisplayWidthTests {
    private struct Golden: Decodable {
        struct Text: Decodable {
            var text: String
            var width: Int

            init(from decoder: any Decoder) throws {
                var container = try decoder.unkeyedContainer()
                text = try container.decode(String.self)
                width = try container.decode(Int.self)
            }
        }

        var scalars: [[Int]]
        var strings: [Text]
    }

    private func golden() throws -> Golden {
        let url = try #require(
            Bundle.module.url(forResource: "widths", withExtension: "json", subdirectory: "Fixtures"))
        return try JSONDecoder().decode(Golden.self, from: Data(contentsOf: url))
    }

    @Test func scalarsAreAsWideAsTheReferenceSays() throws {
        let golden = try golden()
        #expect(golden.scalars.count > 2000)
        for pair in golden.scalars {
            let scalar = try #require(Unicode.Scalar(UInt32(pair[0])))
            #expect(DisplayWidth.of(scalar) == pair[1], "U+\(String(pair[0], radix: 16))")
        }
    }

    @Test func textsAreAsWideAsTheReferenceSays() throws {
        for sample in try golden().strings {
            #expect(DisplayWidth.of(sample.text) == sample.width, "\(sample.text)")
        }
    }

    @Test func textsAreCutAtWholeCharacters() {
        #expect(DisplayWidth.truncate("hello", to: 5) == "hello")
        #expect(DisplayWidth.truncate("hello!", to: 5) == "hell…")
        #expect(DisplayWidth.truncate("日本語", to: 4) == "日…")
        #expect(DisplayWidth.truncate("日本語", to: 1) == "…")
        #expect(DisplayWidth.truncate("日本語", to: 0) == "")
    }
}
