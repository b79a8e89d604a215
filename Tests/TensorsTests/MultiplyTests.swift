import CKernels
import Tensors
import Testing

@Suite struct MultiplyTests {
    struct Size: CustomTestStringConvertible {
        let rows: Int
        let columns: Int
        let tokens: Int
        var testDescription: String { "[\(tokens), \(columns)] x [\(rows), \(columns)]" }
    }

    /// Remainders of panels (16, 32), register tiles (3, 4, 6, 12), chunks (256) and blocks (32).
    static let sizes = [
        Size(rows: 1, columns: 256, tokens: 1), Size(rows: 7, columns: 512, tokens: 2),
        Size(rows: 33, columns: 256, tokens: 5), Size(rows: 47, columns: 768, tokens: 13),
        Size(rows: 64, columns: 512, tokens: 3), Size(rows: 40, columns: 1024, tokens: 19),
    ]
    static let oddSizes = [
        Size(rows: 3, columns: 32, tokens: 1), Size(rows: 17, columns: 96, tokens: 4),
        Size(rows: 35, columns: 576, tokens: 7), Size(rows: 19, columns: 352, tokens: 25),
    ]
    static let floatSizes = [
        Size(rows: 3, columns: 1, tokens: 1), Size(rows: 5, columns: 7, tokens: 3),
        Size(rows: 31, columns: 33, tokens: 6), Size(rows: 34, columns: 300, tokens: 13),
    ]

    static func sizes(of type: ElementType) -> [Size] {
        switch type.blockLength {
        case 1: sizes + oddSizes + floatSizes
        case 32: sizes + oddSizes
        default: sizes
        }
    }

    /// What `ck_ref_multiply` gives for the same 8-bit activations.
    static func reference(_ x: Tensor, _ w: WeightTensor) -> [Float] {
        let count = x.rows * x.columns
        var quants = [Int8](repeating: 0, count: count)
        var scales = [Float](repeating: 0, count: count / 32 + 1)
        var sums = scales
        var halfSums = [Float](repeating: 0, count: count / 16 + 1)
        var y = [Float](repeating: 0, count: x.rows * w.rows)
        quants.withUnsafeMutableBufferPointer { quants in
            scales.withUnsafeMutableBufferPointer { scales in
                sums.withUnsafeMutableBufferPointer { sums in
                    halfSums.withUnsafeMutableBufferPointer { halfSums in
                        var activations = ck_activations(
                            rows: Int64(x.rows), columns: Int64(x.columns), stride: Int64(x.columns),
                            values: x.floats.baseAddress!, quants: quants.baseAddress,
                            scales: scales.baseAddress,
                            sums: sums.baseAddress, half_sums: halfSums.baseAddress, remainders: nil)
                        var matrix = ck_matrix(
                            type: ck_type(UInt32(ElementType.allCases.firstIndex(of: w.type)!)),
                            rows: Int64(w.rows), columns: Int64(w.columns), bytes: w.bytes.baseAddress!,
                            packed: false)
                        if w.type.blockLength > 1 { ck_ref_quantize(&activations, 0, Int64(x.rows)) }
                        ck_ref_multiply(&matrix, 0, Int64(w.rows), &activations, &y, Int64(w.rows), false)
                    }
                }
            }
        }
        return y
    }

    @Test(arguments: ElementType.allCases, instructionSets)
    func kernelsMatchTheirScalarTwin(type: ElementType, level: Operations.InstructionSet) throws {
        let operations = Operations(pool: WorkerPool(threadCount: 1), instructionSet: level)
        for (index, size) in Self.sizes(of: type).enumerated() {
            let w = type.randomWeights(rows: size.rows, columns: size.columns, seed: UInt64(index))
            let x = Tensor.random(rows: size.tokens, columns: size.columns, seed: UInt64(100 + index))
            let y = Tensor(rows: size.tokens, columns: size.rows)
            try operations.multiply(x, by: [w], into: [y], accumulate: false) {}
            let expected = Self.reference(x, w)
            #expect(relativeError(y.values, expected) < 5e-6, "\(size.testDescription)")
            try operations.multiply(x, by: [w], into: [y], accumulate: true) {}
            #expect(
                relativeError(y.values, expected.map { 2 * $0 }) < 5e-6,
                "\(size.testDescription), accumulated")
        }
    }

    @Test(arguments: ElementType.allCases, instructionSets)
    func packedWeightsMatchTheScalarTwin(type: ElementType, level: Operations.InstructionSet) throws {
        let operations = Operations(pool: WorkerPool(threadCount: 2), instructionSet: level)
        for (index, size) in Self.sizes(of: type).enumerated() {
            let w = type.randomWeights(rows: size.rows, columns: size.columns, seed: UInt64(index))
            let packed = operations.packed(w)
            #expect(packed.floats() == w.floats())
            let x = Tensor.random(rows: size.tokens, columns: size.columns, seed: UInt64(100 + index))
            let y = Tensor(rows: size.tokens, columns: size.rows)
            try operations.multiply(x, by: [packed], into: [y], accumulate: false) {}
            let expected = Self.reference(x, w)
            #expect(relativeError(y.values, expected) < 5e-6, "\(size.testDescription)")
            try operations.multiply(x, by: [packed], into: [y], accumulate: true) {}
            #expect(
                relativeError(y.values, expected.map { 2 * $0 }) < 5e-6,
                "\(size.testDescription), accumulated")
        }
    }

    @Test func commonTypesHaveAPackedForm() {
        let operations = Operations(pool: WorkerPool(threadCount: 1))
        guard operations.packed(ElementType.q40.randomWeights(rows: 1, columns: 32, seed: 0)).isPacked else {
            return #expect(
                Operations.InstructionSet.best == .scalar || Operations.InstructionSet.best == .neon)
        }
        for type: ElementType in [.q40, .q41, .q80, .q4K, .q5K, .q6K] {
            #expect(operations.packed(type.randomWeights(rows: 5, columns: 256, seed: 0)).isPacked)
        }
    }

    @Test(arguments: instructionSets, [1, 4, 29])
    func severalWeightsGiveTheSameBitsAtAnyThreadCount(level: Operations.InstructionSet, tokens: Int) throws {
        let types: [ElementType] = [.q4K, .q6K, .q80, .f16]
        var weights = types.enumerated().map {
            $1.randomWeights(rows: 300 + 16 * $0, columns: 512, seed: UInt64($0))
        }
        let packer = Operations(pool: WorkerPool(threadCount: 1), instructionSet: level)
        weights.append(packer.packed(weights[0]))
        let x = Tensor.random(rows: tokens, columns: 512, seed: 7)
        let results = try [1, 2, 3, 5].map { threads in
            let operations = Operations(pool: WorkerPool(threadCount: threads), instructionSet: level)
            let outputs = weights.map { Tensor(rows: tokens, columns: $0.rows) }
            try operations.multiply(x, by: weights, into: outputs, accumulate: false) {}
            return outputs.flatMap(\.values)
        }
        for other in results.dropFirst() { #expect(other == results[0]) }
        #expect(results[0].contains { $0 != 0 })
    }

    @Test func extremeQuantsDoNotOverflow() throws {
        // All quants and activations at their greatest magnitude: the sums of 16 bits are at their limit. (What is
        // left after the offset cancels is small, so f32 keeps fewer digits of it.)
        for level in instructionSets {
            for type in ElementType.allCases where type.blockLength > 1 {
                for sign: Float in [1, -1] {
                    let w = type.randomWeights(rows: 16, columns: 256, seed: 3).filled(
                        with: sign > 0 ? 0xFF : 0x80)
                    let x = Tensor(rows: 6, columns: 256)
                    x.floats.update(repeating: sign)
                    let y = Tensor(rows: 6, columns: 16)
                    let z = Tensor(rows: 6, columns: 16)
                    let operations = Operations(pool: WorkerPool(threadCount: 1), instructionSet: level)
                    for tokens in [1, 6] {
                        try operations.multiply(
                            x.prefix(tokens), by: [w, operations.packed(w)], into: [y, z], accumulate: false
                        ) {}
                        let expected = Self.reference(x.prefix(tokens), w)
                        #expect(relativeError(y.prefix(tokens).values, expected) < 5e-5, "\(type) \(level)")
                        #expect(relativeError(z.prefix(tokens).values, expected) < 5e-5, "\(type) \(level)")
                    }
                }
            }
        }
    }

    @Test func interruptionStopsBetweenParts() {
        let operations = Operations(pool: WorkerPool(threadCount: 1))
        let w = ElementType.q40.randomWeights(rows: 4096, columns: 1024, seed: 1)
        let x = Tensor.random(rows: 8, columns: 1024, seed: 2)
        let y = Tensor(rows: 8, columns: 4096)
        var calls = 0
        #expect(throws: Interrupted.self) {
            try operations.multiply(x, by: [w], into: [y], accumulate: false) { () throws(Interrupted) in
                calls += 1
                if calls == 2 { throw Interrupted() }
            }
        }
        #expect(calls == 2)
    }
}

extension WeightTensor {
    /// The same weights with every byte that is no f16 scale replaced.
    fileprivate func filled(with byte: UInt8) -> WeightTensor {
        var copy = Array(bytes)
        for index in copy.indices where !type.isScaleByte(index % type.blockBytes) { copy[index] = byte }
        let owner = Bytes(copy)
        return WeightTensor(
            type: type, shape: shape, bytes: UnsafeRawBufferPointer(owner.buffer), owner: owner)
    }
}
