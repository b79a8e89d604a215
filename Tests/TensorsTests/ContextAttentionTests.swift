import Foundation
import Tensors
import Testing

@Suite struct ContextAttentionTests {
    struct Size: CustomTestStringConvertible {
        let rows: Int
        let context: Int
        let heads: Int
        let dim: Int
        var isCausal = false
        var testDescription: String { "S \(rows), T \(context), H \(heads), D \(dim), causal \(isCausal)" }
    }

    static let sizes = [
        Size(rows: 1, context: 1, heads: 1, dim: 1), Size(rows: 5, context: 3, heads: 2, dim: 2),
        Size(rows: 49, context: 77, heads: 3, dim: 40), Size(rows: 130, context: 130, heads: 1, dim: 64),
        Size(rows: 64, context: 64, heads: 2, dim: 80), Size(rows: 97, context: 65, heads: 2, dim: 7),
        Size(rows: 30, context: 129, heads: 1, dim: 512), Size(rows: 3, context: 200, heads: 1, dim: 600),
        Size(rows: 77, context: 77, heads: 4, dim: 8, isCausal: true),
        Size(rows: 77, context: 77, heads: 2, dim: 64, isCausal: true),
        Size(rows: 150, context: 150, heads: 1, dim: 5, isCausal: true),
        // The last rows of a text, at any place in the tiles.
        Size(rows: 5, context: 9, heads: 1, dim: 3, isCausal: true),
        Size(rows: 64, context: 77, heads: 2, dim: 64, isCausal: true),
        Size(rows: 1, context: 150, heads: 1, dim: 40, isCausal: true),
    ]

    /// Attention by its definition, in f64. [S, H, D]
    static func naive(_ q: Tensor, _ k: Tensor, _ v: Tensor, _ size: Size, scale: Float) -> [Float] {
        var out: [Float] = []
        let width = size.heads * size.dim
        let (queries, keys, values) = (q.values, k.values, v.values)
        for s in 0..<size.rows {
            for offset in stride(from: 0, to: width, by: size.dim) {
                let seen = size.isCausal ? size.context - size.rows + s + 1 : size.context
                let scores = (0..<seen).map { t in
                    var sum = 0.0
                    for d in offset..<offset + size.dim {
                        sum += Double(queries[s * width + d]) * Double(keys[t * width + d])
                    }
                    return sum * Double(scale)
                }
                let top = scores.max()!
                let weights = scores.map { exp($0 - top) }
                let total = weights.reduce(0, +)
                for d in offset..<offset + size.dim {
                    var sum = 0.0
                    for t in 0..<seen { sum += weights[t] * Double(values[t * width + d]) }
                    out.append(Float(sum / total))
                }
            }
        }
        return out
    }

    static func run(
        _ size: Size, spread: Float = 1, _ operations: Operations, checkpoint: InterruptionCheck = {}
    ) throws(Interrupted) -> (found: [Float], expected: [Float]) {
        let width = size.heads * size.dim
        let q = Tensor.random(rows: size.rows, columns: width, seed: 1)
        let k = Tensor.random(rows: size.context, columns: width, seed: 2)
        let v = Tensor.random(rows: size.context, columns: width, seed: 3)
        let scale = spread * 3 / Float(size.dim).squareRoot()
        let out = try operations.attention(
            q, keys: k, values: v, headCount: size.heads, scale: scale, isCausal: size.isCausal,
            checkpoint: checkpoint)
        return (out.values, naive(q, k, v, size, scale: scale))
    }

    @Test(arguments: sizes, instructionSets)
    func attentionOverAContextMatchesItsDefinition(size: Size, level: Operations.InstructionSet) throws {
        let operations = Operations(pool: WorkerPool(threadCount: 2), instructionSet: level)
        let (found, expected) = try Self.run(size, operations)
        #expect(relativeError(found, expected) < 2e-6)
    }

    @Test(arguments: instructionSets)
    func scoresFarApartNeitherOverflowNorVanish(level: Operations.InstructionSet) throws {
        let operations = Operations(pool: WorkerPool(threadCount: 1), instructionSet: level)
        let size = Size(rows: 20, context: 300, heads: 2, dim: 16)
        let (found, expected) = try Self.run(size, spread: 300, operations)
        #expect(relativeError(found, expected) < 1e-3)
    }

    @Test func resultsAreTheSameBitsAtAnyThreadCount() throws {
        for size in Self.sizes {
            let results = try [1, 2, 4].map {
                try Self.run(size, Operations(pool: WorkerPool(threadCount: $0))).found
            }
            #expect(results[0] == results[1] && results[1] == results[2])
        }
    }

    @Test func aRowDependsOnlyOnItself() throws {
        let operations = Operations(pool: WorkerPool(threadCount: 2))
        let q = Tensor.random(rows: 100, columns: 80, seed: 1)
        let k = Tensor.random(rows: 90, columns: 80, seed: 2)
        func attend(_ q: Tensor) throws -> [Float] {
            try operations.attention(q, keys: k, values: k, headCount: 2, scale: 1) {}.values
        }
        #expect(try attend(q.suffix(from: 63)) == Array(attend(q)[(63 * 80)...]))
    }

    @Test func attentionStopsBetweenParts() {
        let operations = Operations(pool: WorkerPool(threadCount: 1))
        var calls = 0
        #expect(throws: Interrupted.self) {
            try Self.run(Self.sizes[2], operations) { () throws(Interrupted) in
                calls += 1
                if calls == 4 { throw Interrupted() }
            }
        }
        #expect(calls == 4)
    }
}
