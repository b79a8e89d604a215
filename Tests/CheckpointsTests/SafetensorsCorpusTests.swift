import Foundation
import StrictJSON
import Testing

@testable import Checkpoints

/// The same files as Hugging Face's own reader judged, with the same verdicts but for rules that are stricter here.
struct SafetensorsCorpusTests {
    @Test func agreesWithTheReferenceReader() throws {
        let url = try #require(
            Bundle.module.url(forResource: "Fixtures/safetensors-corpus", withExtension: "json"))
        let corpus = try JSONValue(parsing: Array(try Data(contentsOf: url)))
        let cases = try #require(corpus["cases"]?.array)
        #expect(cases.count == 37)
        for entry in cases {
            let name = try #require(entry["name"]?.string)
            let bytes = try #require(entry["hex"]?.string.flatMap(Self.bytes))
            let isAccepted = failure { () throws(CheckpointError) in try parseSafetensors(bytes) } == nil
            let crate = try #require(entry["crate"]).bool == true
            let isStricter = entry["stricter"]?.string != nil
            #expect(isAccepted == (crate && !isStricter), "\(name)")
        }
    }

    private static func bytes(hex: String) -> [UInt8]? {
        let digits = hex.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        guard digits.count == hex.utf8.count, digits.count % 2 == 0 else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }
    }
}
