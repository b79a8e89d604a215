import Foundation
import Tensors
import Testing

@Suite struct PictureOperationsTests {
    static func definition(_ activation: Activation, _ x: Double) -> Double {
        switch activation {
        case .none: x
        case .silu: x / (1 + exp(-x))
        case .relu: max(x, 0)
        case .gelu: x / 2 * erfc(-x / 2.0.squareRoot())
        case .quickGELU: x / (1 + exp(-1.702 * x))
        }
    }

    @Test(arguments: instructionSets, [Activation.none, .silu, .relu, .gelu, .quickGELU])
    func activationsMatchTheirDefinitions(level: Operations.InstructionSet, activation: Activation) {
        let operations = Operations(pool: WorkerPool(threadCount: 2), instructionSet: level)
        let x = Tensor(rows: 3, columns: 4001)
        for i in x.floats.indices { x.floats[i] = Float(i) / 6001.5 * 40 - 40 + Float(i % 7) * 1e-3 }
        let found = operations.apply(activation, to: x).values
        for (x, found) in zip(x.values, found) {
            let expected = Self.definition(activation, Double(x))
            #expect(
                abs(Double(found) - expected) <= 5e-6 * abs(expected) + 1e-30,
                "\(activation)(\(x)) is \(expected), not \(found)")
        }
    }

    @Test(arguments: instructionSets)
    func activationsOfInfinitiesAreTheirLimits(level: Operations.InstructionSet) {
        let operations = Operations(pool: WorkerPool(threadCount: 1), instructionSet: level)
        let x = Tensor([.infinity, 3e38])
        for activation in [Activation.silu, .relu, .gelu, .quickGELU] {
            #expect(operations.apply(activation, to: x).values == [.infinity, 3e38])
        }
        #expect(operations.apply(.gelu, to: Tensor([.nan]))[0].values[0].isNaN)
        #expect(operations.apply(.silu, to: Tensor([.nan]))[0].values[0].isNaN)
    }

    @Test(arguments: instructionSets, [1, 7, 16, 33, 1000])
    func gegluMultipliesByTheGeluOfTheSecondHalf(level: Operations.InstructionSet, columns: Int) throws {
        let operations = Operations(pool: WorkerPool(threadCount: 2), instructionSet: level)
        let x = Tensor.random(rows: 30, columns: 2 * columns, seed: 1)
        for i in x.floats.indices { x.floats[i] *= 5 }
        let values = x.values
        let expected = (0..<30 * columns).map { i in
            let at = i / columns * 2 * columns + i % columns
            return Float(Double(values[at]) * Self.definition(.gelu, Double(values[at + columns])))
        }
        #expect(relativeError(try operations.geglu(x) {}.values, expected) < 1e-6)
    }

    @Test func resizingRepeatsTheNearestPixel() throws {
        let operations = Operations(pool: WorkerPool(threadCount: 2))
        let x = FeatureMap(height: 3, width: 5, pixels: .random(rows: 15, columns: 700, seed: 1))
        for (height, width) in [(6, 10), (7, 4), (1, 1), (3, 5)] {
            let found = try operations.resizeNearest(x, height: height, width: width) {}
            #expect(found.height == height && found.width == width && found.channels == 700)
            for i in 0..<height {
                for j in 0..<width {
                    #expect(
                        found.pixels[i * width + j].values
                            == x.pixels[i * 3 / height * 5 + j * 5 / width].values)
                }
            }
        }
    }

    @Test func concatenatingPutsChannelsSideBySide() {
        let operations = Operations(pool: WorkerPool(threadCount: 2))
        let a = FeatureMap(height: 30, width: 4, pixels: .random(rows: 120, columns: 321, seed: 1))
        let b = FeatureMap(height: 30, width: 4, pixels: .random(rows: 120, columns: 7, seed: 2))
        let found = operations.concatenate(a, b)
        #expect(found.height == 30 && found.width == 4 && found.channels == 328)
        for row in 0..<120 {
            #expect(found.pixels[row].values == a.pixels[row].values + b.pixels[row].values)
        }
    }
}
