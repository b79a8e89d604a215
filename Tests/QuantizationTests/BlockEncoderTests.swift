import Foundation
import Tensors
import Testing

@testable import Quantization

/// Rows become blocks.
@Suite struct BlockEncoderTests {
    private static let quantized: [ElementType] = [.q40, .q50, .q80, .q4K, .q5K, .q6K]

    private static func floats(_ data: Data, count: Int) -> [Float] {
        data.withUnsafeBytes { bytes in
            (0..<count).map {
                Float(
                    bitPattern: UInt32(
                        littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self))
                )
            }
        }
    }

    private static func encode(_ numbers: [Float], _ type: ElementType) throws -> (bytes: [UInt8], fits: Bool)
    {
        let encoder = try #require(BlockEncoder(type))
        let count = try #require(type.byteCount(of: numbers.count))
        var fits = false
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            guard let target = buffer.baseAddress else { return }
            fits = numbers.withUnsafeBufferPointer { encoder.encode($0, into: target) }
            initialized = count
        }
        return (bytes, fits)
    }

    @Test(arguments: quantized) func blocksAreThoseOfLlamaCpp(_ type: ElementType) throws {
        let goldens = try Goldens.load()
        let data = try Data(contentsOf: Goldens.folder.appending(path: "rows.bin"))
        let place = try #require(goldens.blocks[type.rawValue])
        let expected = Array(data[place[0]..<place[0] + place[1]])
        let found = try Self.encode(Self.floats(data, count: goldens.rows * 256), type)
        let rowBytes = expected.count / goldens.rows
        let wrong = (0..<goldens.rows).filter { row in
            expected[row * rowBytes..<(row + 1) * rowBytes]
                != found.bytes[row * rowBytes..<(row + 1) * rowBytes]
        }
        #expect(wrong.isEmpty)
        #expect(found.fits)
    }

    /// The largest error of a block is a fraction of its range that the type's bits allow.
    @Test(arguments: zip(quantized, [0.13, 0.065, 0.006, 0.1, 0.05, 0.04] as [Float]))
    func whatComesBackIsNear(_ type: ElementType, bound: Float) throws {
        var random = RepeatableNumbers(state: 5)
        for scale in [0.05, 1, 300] as [Float] {
            let numbers = (0..<2048).map { _ in Float.random(in: -scale...scale, using: &random) }
            let bytes = try Self.encode(numbers, type).bytes
            let back = bytes.withUnsafeBytes { bytes in
                WeightTensor(type: type, shape: [8, 256], bytes: bytes, owner: Owner()).floats()
            }
            let worst = zip(numbers, back).map { abs($0 - $1) }.max() ?? .infinity
            #expect(worst <= bound * scale, "\(worst / scale)")
            #expect(worst > 0)
        }
    }

    @Test(arguments: [ElementType.f32, .f16, .bf16]) func plainTypesKeepTheirOwnNumbers(_ type: ElementType)
        throws
    {
        let numbers: [Float] = [0, -0.0, 1, -2.5, 0.0078125, 1024, -3 * 0x1p-14]
        let bytes = try Self.encode(numbers, type).bytes
        let back = bytes.withUnsafeBytes { bytes in
            WeightTensor(type: type, shape: [1, 7], bytes: bytes, owner: Owner()).floats()
        }
        #expect(back.map(\.bitPattern) == numbers.map(\.bitPattern))
    }

    @Test(arguments: quantized + [.f16]) func numbersBeyondTheScaleAreToldAndTrapNothing(_ type: ElementType)
        throws
    {
        for extreme in [3e38, -3e38, Float.infinity, .nan] {
            var numbers = (0..<256).map { Float($0) }
            numbers[77] = extreme
            let found = try Self.encode(numbers, type)
            // What is no number at all is looked for before.
            #expect(!found.fits || extreme.isNaN)
        }
        _ = try Self.encode([Float](repeating: 1e-45, count: 256), type)
    }

    private final class Owner: Sendable {}
}

/// Numbers that are the same in each run.
struct RepeatableNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 31
    }
}
