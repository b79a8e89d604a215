import Testing

@testable import Assistant

struct PromptCutTests {
    private static let chunk = 128

    /// The pieces of a prompt from `start` on.
    private func pieces(from start: Int, count: Int) -> [Range<Int>] {
        var pieces: [Range<Int>] = []
        var start = start
        while start < count {
            let end = min(count, (start / Self.chunk + 1) * Self.chunk)
            pieces.append(start..<end)
            start = end
        }
        return pieces
    }

    @Test func noPieceIsASingleTokenUnlessItIsOneWithoutACache() {
        for count in 1...300 {
            let cold = pieces(from: 0, count: count).filter { $0.count == 1 }
            for shared in 0...count {
                let start = PromptCut.start(shared: shared, count: count, chunk: Self.chunk)
                #expect(start <= shared && start < count && start >= min(shared, count - 1) - 1)
                #expect(
                    pieces(from: start, count: count).filter { $0.count == 1 }
                        == cold.filter { $0.lowerBound >= start })
            }
        }
    }

    @Test func whatIsEvaluatedAheadLeavesNoSingleTokenEither() {
        for count in 1...300 {
            for shared in 0...count {
                guard let piece = PromptCut.ahead(shared: shared, count: count, chunk: Self.chunk) else {
                    #expect(count - shared <= 2)
                    continue
                }
                #expect(piece.count >= 2 && piece.count <= PromptCut.ahead && piece.upperBound <= count)
                #expect(piece.lowerBound <= shared && piece.upperBound > shared)
                #expect(piece.lowerBound / Self.chunk == (piece.upperBound - 1) / Self.chunk)
                #expect(piece.upperBound % Self.chunk != Self.chunk - 1)
            }
        }
    }
}
