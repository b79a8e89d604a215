import Foundation
import Tensors
import Testing

@Suite struct NormTests {
    struct Size: CustomTestStringConvertible {
        let height: Int
        let width: Int
        let channels: Int
        let groups: Int
        var testDescription: String { "\(height) x \(width) x \(channels), \(groups) groups" }
    }

    static let sizes = [
        Size(height: 1, width: 1, channels: 4, groups: 2),
        Size(height: 3, width: 5, channels: 32, groups: 32),
        Size(height: 7, width: 3, channels: 30, groups: 3),
        Size(height: 9, width: 11, channels: 320, groups: 32),
        Size(height: 40, width: 33, channels: 10, groups: 1),
        Size(height: 5, width: 4, channels: 1029, groups: 3),
        Size(height: 2, width: 2, channels: 70, groups: 70),
    ]

    /// Group norm and silu by their definitions, in f64. [H * W, C]
    static func naive(_ x: [Float], _ weight: [Float], _ bias: [Float], _ size: Size) -> [Float] {
        var out = x
        let length = size.channels / size.groups
        for group in 0..<size.groups {
            let indices = (0..<size.height * size.width).flatMap { row in
                (group * length..<(group + 1) * length).map { row * size.channels + $0 }
            }
            let mean = indices.reduce(0.0) { $0 + Double(x[$1]) } / Double(indices.count)
            let variance =
                indices.reduce(0.0) { $0 + (Double(x[$1]) - mean) * (Double(x[$1]) - mean) }
                / Double(indices.count)
            for index in indices {
                let channel = index % size.channels
                let value =
                    (Double(x[index]) - mean) / (variance + 1e-5).squareRoot() * Double(weight[channel])
                    + Double(bias[channel])
                out[index] = Float(value / (1 + exp(-value)))
            }
        }
        return out
    }

    static func run(
        _ size: Size, mean: Float = 0, _ operations: Operations, checkpoint: InterruptionCheck = {}
    ) throws(Interrupted) -> (found: [Float], expected: [Float]) {
        let pixels = Tensor.random(rows: size.height * size.width, columns: size.channels, seed: 1)
        for i in pixels.floats.indices { pixels.floats[i] += mean }
        let weight = Tensor.random(rows: 1, columns: size.channels, seed: 2)
        let bias = Tensor.random(rows: 1, columns: size.channels, seed: 3)
        let out = try operations.groupNorm(
            FeatureMap(height: size.height, width: size.width, pixels: pixels), groupCount: size.groups,
            weight: weight, bias: bias, epsilon: 1e-5, activation: .silu, checkpoint: checkpoint)
        return (out.pixels.values, naive(pixels.values, weight.values, bias.values, size))
    }

    @Test(arguments: sizes, instructionSets)
    func groupNormMatchesItsDefinition(size: Size, level: Operations.InstructionSet) throws {
        let operations = Operations(pool: WorkerPool(threadCount: 2), instructionSet: level)
        let (found, expected) = try Self.run(size, operations)
        #expect(relativeError(found, expected) < 2e-6)
    }

    @Test(arguments: instructionSets)
    func groupNormKeepsItsPrecisionFarFromZero(level: Operations.InstructionSet) throws {
        let operations = Operations(pool: WorkerPool(threadCount: 2), instructionSet: level)
        let (found, expected) = try Self.run(
            Size(height: 60, width: 50, channels: 16, groups: 4), mean: 1000, operations)
        // x * scale + shift has the rounding of 1000; moments by sums of squares would have that of a million.
        #expect(relativeError(found, expected) < 2e-4)
    }

    @Test func resultsAreTheSameBitsAtAnyThreadCount() throws {
        for size in Self.sizes {
            let results = try [1, 2, 4].map {
                try Self.run(size, Operations(pool: WorkerPool(threadCount: $0))).found
            }
            #expect(results[0] == results[1] && results[1] == results[2])
        }
    }

    @Test func groupNormStopsBetweenParts() {
        var calls = 0
        #expect(throws: Interrupted.self) {
            try Self.run(
                Size(height: 64, width: 64, channels: 64, groups: 32),
                Operations(pool: WorkerPool(threadCount: 1))
            ) { () throws(Interrupted) in
                calls += 1
                if calls == 20 { throw Interrupted() }
            }
        }
        #expect(calls == 20)
    }

    @Test(arguments: instructionSets, OperationsTests.columns)
    func layerNormMatchesItsDefinition(level: Operations.InstructionSet, columns: Int) {
        let operations = Operations(pool: WorkerPool(threadCount: 2), instructionSet: level)
        let x = Tensor.random(rows: 3, columns: columns, seed: 1)
        for i in x.floats.indices { x.floats[i] += 10 }
        let weight = Tensor.random(rows: 1, columns: columns, seed: 2)
        let bias = Tensor.random(rows: 1, columns: columns, seed: 3)
        let expected = (0..<3).flatMap { row in
            let values = x[row].values.map(Double.init)
            let mean = values.reduce(0, +) / Double(columns)
            let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(columns)
            return (0..<columns).map { c in
                Float(
                    (values[c] - mean) / (variance + 1e-5).squareRoot() * Double(weight.values[c])
                        + Double(bias.values[c]))
            }
        }
        let found = operations.layerNorm(x, weight: weight, bias: bias, epsilon: 1e-5)
        #expect(relativeError(found.values, expected) < 5e-6)
    }
}
