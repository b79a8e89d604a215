import Foundation
import Tensors
import Testing

@Suite struct OperationsTests {
    static let columns = [1, 7, 8, 15, 16, 17, 64, 100, 576]

    @Test(arguments: instructionSets, columns)
    func rmsNormMatchesItsDefinition(level: Operations.InstructionSet, columns: Int) {
        let operations = Operations(pool: WorkerPool(threadCount: 2), instructionSet: level)
        let x = Tensor.random(rows: 3, columns: columns, seed: 1)
        let weight = Tensor.random(rows: 1, columns: columns, seed: 2)
        let y = Tensor(rows: 3, columns: columns)
        operations.rmsNorm(x, weight: weight, epsilon: 1e-5, into: y)
        let expected = (0..<3).flatMap { row in
            let values = x[row].values.map(Double.init)
            let mean = values.reduce(0) { $0 + $1 * $1 } / Double(columns)
            return zip(values, weight.values).map { Float($0 / (mean + 1e-5).squareRoot() * Double($1)) }
        }
        #expect(relativeError(y.values, expected) < 2e-6)
    }

    @Test(arguments: instructionSets, columns)
    func siluAndSumMatchTheirDefinitions(level: Operations.InstructionSet, columns: Int) {
        let operations = Operations(pool: WorkerPool(threadCount: 2), instructionSet: level)
        let gate = Tensor.random(rows: 2, columns: columns, seed: 1)
        for i in gate.floats.indices { gate.floats[i] *= i % 5 == 0 ? 120 : 9 }
        let up = Tensor.random(rows: 2, columns: columns, seed: 2)
        let y = Tensor.random(rows: 2, columns: columns, seed: 3)
        let before = y.values
        operations.add(up, to: y)
        #expect(y.values == zip(before, up.values).map { $0 + $1 })
        operations.siluMultiply(gate, up, into: y)
        for (found, (g, u)) in zip(y.values, zip(gate.values, up.values)) {
            let expected = Double(g) / (1 + exp(-Double(g))) * Double(u)
            #expect(abs(Double(found) - expected) <= 1e-6 * abs(expected) + 1e-30)
        }
    }

    @Test(arguments: instructionSets, [RotaryTable.Pairing.interleaved, .halves])
    func rotationTurnsPairsByTheirAngle(level: Operations.InstructionSet, pairing: RotaryTable.Pairing) {
        let operations = Operations(pool: WorkerPool(threadCount: 2), instructionSet: level)
        let frequencies: [Float] = [1, 0.3, 0.01]
        let table = RotaryTable(inverseFrequencies: frequencies, pairing: pairing)
        let x = Tensor.random(rows: 4, columns: 16, seed: 1)
        let before = x.values
        operations.rotate(x, headCount: 2, headDim: 8, positions: 1000..<1004, by: table)
        var expected = before
        for row in 0..<4 {
            for head in 0..<2 {
                for (i, frequency) in frequencies.enumerated() {
                    let angle = Double(1000 + row) * Double(frequency)
                    let base = row * 16 + head * 8
                    let (a, b) =
                        pairing == .interleaved ? (base + 2 * i, base + 2 * i + 1) : (base + i, base + 3 + i)
                    expected[a] = Float(Double(before[a]) * cos(angle) - Double(before[b]) * sin(angle))
                    expected[b] = Float(Double(before[a]) * sin(angle) + Double(before[b]) * cos(angle))
                }
            }
        }
        #expect(relativeError(x.values, expected) < 1e-6)
        #expect(x.values[6] == before[6] && x.values[7] == before[7])
    }

    @Test(arguments: ElementType.allCases)
    func embeddingGivesRowsOfTheTable(type: ElementType) {
        let operations = Operations(pool: WorkerPool(threadCount: 2))
        let table = type.randomWeights(rows: 21, columns: 256, seed: 1)
        let floats = table.floats()
        let tokens: [Int32] = [20, 0, 3, 3]
        for table in [table, operations.packed(table)] {
            let x = Tensor(rows: 4, columns: 256)
            operations.embed(tokens, from: table, into: x)
            #expect(x.values == tokens.flatMap { floats[Int($0) * 256..<Int($0 + 1) * 256] })
        }
    }

    @Test func tensorsShareTheirMemory() {
        let x = Tensor(rows: 3, columns: 2)
        x[1].floats[0] = 5
        x.suffix(from: 2).floats[1] = 7
        #expect(x.values == [0, 0, 5, 0, 0, 7])
        #expect(x.prefix(2).values == [0, 0, 5, 0])
        #expect(Int(bitPattern: x.floats.baseAddress) % 64 == 0)
    }
}
