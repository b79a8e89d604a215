import Foundation
import Tensors
import Testing

@Suite struct AttentionTests {
    struct Size: CustomTestStringConvertible {
        let heads: Int
        let kvHeads: Int
        let dim: Int
        let past: Int
        let tokens: Int
        var testDescription: String { "H \(heads), K \(kvHeads), D \(dim), past \(past), S \(tokens)" }
    }

    static let sizes = [
        Size(heads: 1, kvHeads: 1, dim: 4, past: 0, tokens: 1),
        Size(heads: 9, kvHeads: 3, dim: 64, past: 70, tokens: 1),
        Size(heads: 8, kvHeads: 2, dim: 80, past: 0, tokens: 37),
        Size(heads: 4, kvHeads: 1, dim: 128, past: 5, tokens: 70),
        Size(heads: 6, kvHeads: 2, dim: 33, past: 700, tokens: 2),
        Size(heads: 2, kvHeads: 2, dim: 16, past: 300, tokens: 130),
    ]

    /// Attention by its definition, in f64. [S, H, D]
    static func naive(_ q: Tensor, _ k: Tensor, _ v: Tensor, _ size: Size, scale: Float) -> [Float] {
        var out: [Float] = []
        let width = size.kvHeads * size.dim
        for s in 0..<size.tokens {
            for h in 0..<size.heads {
                let kv = h / (size.heads / size.kvHeads) * size.dim
                let seen = size.past + s + 1
                let scores = (0..<seen).map { p in
                    (0..<size.dim).reduce(0.0) {
                        $0 + Double(q.floats[(s * size.heads + h) * size.dim + $1])
                            * Double(k.floats[p * width + kv + $1])
                    } * Double(scale)
                }
                let top = scores.max()!
                let weights = scores.map { exp($0 - top) }
                let total = weights.reduce(0, +)
                for d in 0..<size.dim {
                    out.append(
                        Float(
                            (0..<seen).reduce(0.0) {
                                $0 + weights[$1] * Double(v.floats[$1 * width + kv + d])
                            } / total))
                }
            }
        }
        return out
    }

    static func run(
        _ size: Size, _ precision: AttentionCache.Precision, _ operations: Operations
    ) throws -> (found: [Float], expected: [Float]) {
        let count = size.past + size.tokens
        let k = Tensor.random(rows: count, columns: size.kvHeads * size.dim, seed: 1)
        let v = Tensor.random(rows: count, columns: size.kvHeads * size.dim, seed: 2)
        let q = Tensor.random(rows: size.tokens, columns: size.heads * size.dim, seed: 3)
        let cache = AttentionCache(
            capacity: count + 3, kvHeadCount: size.kvHeads, headDim: size.dim, precision: precision)
        let out = Tensor(rows: size.tokens, columns: size.heads * size.dim)
        let scale: Float = 1.5 / Float(size.dim).squareRoot()
        operations.store(keys: k, values: v, at: 0, in: cache)
        try operations.attention(
            q, over: cache, from: size.past, headCount: size.heads, scale: scale, into: out
        ) {}
        return (out.values, naive(q, k, v, size, scale: scale))
    }

    @Test(arguments: sizes, instructionSets)
    func attentionMatchesItsDefinition(size: Size, level: Operations.InstructionSet) throws {
        let operations = Operations(pool: WorkerPool(threadCount: 2), instructionSet: level)
        let half = try Self.run(size, .f16, operations)
        #expect(relativeError(half.found, half.expected) < 1e-3)
        let int8 = try Self.run(size, .q80, operations)
        #expect(relativeError(int8.found, int8.expected) < 2e-2)
    }

    @Test func resultsAreTheSameBitsAtAnyThreadCount() throws {
        for size in Self.sizes {
            let results = try [1, 2, 4].map {
                try Self.run(size, .f16, Operations(pool: WorkerPool(threadCount: $0))).found
            }
            #expect(results[0] == results[1] && results[1] == results[2])
        }
    }

    @Test(arguments: [AttentionCache.Precision.f16, .q80])
    func copiedAndDiscardedRowsBehaveAsStored(precision: AttentionCache.Precision) throws {
        let operations = Operations(pool: WorkerPool(threadCount: 1))
        let k = Tensor.random(rows: 400, columns: 128, seed: 1)
        let q = Tensor.random(rows: 1, columns: 256, seed: 2)
        let cache = AttentionCache(capacity: 400, kvHeadCount: 2, headDim: 64, precision: precision)
        operations.store(keys: k, values: k, at: 0, in: cache)
        func attend(_ cache: AttentionCache) throws -> [Float] {
            let out = Tensor(rows: 1, columns: 256)
            try operations.attention(q, over: cache, from: 99, headCount: 4, scale: 0.125, into: out) {}
            return out.values
        }
        let before = try attend(cache)
        let other = AttentionCache(capacity: 120, kvHeadCount: 2, headDim: 64, precision: precision)
        other.copyRows(from: cache, count: 100)
        #expect(try attend(other) == before)
        cache.discardRows(from: 100)
        #expect(try attend(cache) == before)
        operations.store(keys: k, values: k, at: 0, in: cache)
        #expect(try attend(cache) == before)
        #expect(cache.bytesInUse(rows: 16) < cache.bytesInUse(rows: 400) / 20)
    }
}
