import Tensors
import Testing

struct ActivationPrecisionTests {
    /// The products with unrounded activations, in f64.
    private static func exact(_ x: Tensor, _ w: WeightTensor) -> [Float] {
        let weights = w.floats()
        return (0..<x.rows).flatMap { row in
            (0..<w.rows).map { output in
                var sum = 0.0
                for k in 0..<x.columns {
                    sum += Double(x.floats[row * x.columns + k]) * Double(weights[output * x.columns + k])
                }
                return Float(sum)
            }
        }
    }

    @Test(arguments: ElementType.allCases.filter { $0.blockLength > 1 }, [1, 3, 40])
    func sixteenBitsAreFarNearerToUnroundedActivations(type: ElementType, rows: Int) throws {
        let w = type.randomWeights(rows: 48, columns: 512, seed: 1)
        let x = Tensor.random(rows: rows, columns: 512, seed: 2)
        let expected = Self.exact(x, w)
        func error(
            _ precision: ActivationPrecision, packed: Bool, _ level: Operations.InstructionSet
        ) throws -> Float {
            let y = Tensor(rows: rows, columns: 48)
            let pool = WorkerPool(threadCount: 2)
            let operations = Operations(pool: pool, instructionSet: level).rounding(to: precision)
            try operations.multiply(x, by: [packed ? operations.packed(w) : w], into: [y]) {}
            return relativeError(y.values, expected)
        }
        for level in instructionSets {
            for packed in [false, true] {
                let coarse = try error(.bits8, packed: packed, level)
                let fine = try error(.bits16, packed: packed, level)
                #expect(
                    coarse > 1e-4 && fine < coarse / 50, "\(level): \(coarse) with 8 bits, \(fine) with 16")
            }
        }
    }

    @Test func floatWeightsAreMultipliedOnce() throws {
        let w = ElementType.f16.randomWeights(rows: 48, columns: 64, seed: 1)
        let quantised = ElementType.q80.randomWeights(rows: 48, columns: 64, seed: 1)
        let x = Tensor.random(rows: 3, columns: 64, seed: 2)
        let (y, z) = (Tensor(rows: 3, columns: 48), Tensor(rows: 3, columns: 48))
        let operations = Operations(pool: WorkerPool(threadCount: 2)).rounding(to: .bits16)
        try operations.multiply(x, by: [w, quantised], into: [y, z]) {}
        #expect(relativeError(y.values, Self.exact(x, w)) < 1e-5)
        #expect(relativeError(z.values, Self.exact(x, quantised)) < 1e-4)
    }
}
