import CKernels
import Tensors

/// A small generator (Steele, Lea and Flood 2014), so that tests are the same on every run.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func floats(_ count: Int, in range: ClosedRange<Float> = -1...1) -> [Float] {
        (0..<count).map { _ in Float.random(in: range, using: &self) }
    }
}

/// Memory for weights made in a test.
final class Bytes: Sendable {
    nonisolated(unsafe) let buffer: UnsafeMutableRawBufferPointer

    init(_ bytes: [UInt8]) {
        buffer = .allocate(byteCount: max(bytes.count, 1), alignment: 32)
        buffer.copyBytes(from: bytes)
    }

    deinit { buffer.deallocate() }
}

extension ElementType {
    /// Where a block keeps its f16 numbers.
    private var halfOffsets: [Int] {
        switch self {
        case .f32, .f16, .bf16: []
        case .q40, .q50, .q80, .iq4NL, .iq4XS: [0]
        case .q41, .q51, .q4K, .q5K: [0, 2]
        case .q2K: [80, 82]
        case .q3K: [108]
        case .q6K: [208]
        }
    }

    /// Whether the byte at `offset` of a block belongs to an f16 number.
    func isScaleByte(_ offset: Int) -> Bool { halfOffsets.contains { offset == $0 || offset == $0 + 1 } }

    /// Random weights [rows, columns] with finite scales.
    func randomWeights(rows: Int, columns: Int, seed: UInt64) -> WeightTensor {
        randomWeights(shape: [rows, columns], seed: seed)
    }

    /// Random weights of any shape with finite scales.
    func randomWeights(shape: [Int], seed: UInt64) -> WeightTensor {
        var random = SplitMix64(seed: seed)
        let blocks = shape.reduce(1, *) / blockLength
        var bytes: [UInt8] = []
        bytes.reserveCapacity(blocks * blockBytes)
        for _ in 0..<blocks {
            switch self {
            case .f32: withUnsafeBytes(of: Float.random(in: -1...1, using: &random)) { bytes += $0 }
            case .f16:
                withUnsafeBytes(of: ck_float_to_half(.random(in: -1...1, using: &random))) { bytes += $0 }
            case .bf16:
                let bits = Float.random(in: -1...1, using: &random).bitPattern
                withUnsafeBytes(of: UInt16(bits >> 16)) { bytes += $0 }
            default:
                var block = (0..<blockBytes).map { _ in UInt8.random(in: 0...255, using: &random) }
                for offset in halfOffsets {
                    let half = ck_float_to_half(.random(in: -0.01...0.01, using: &random))
                    block[offset] = UInt8(half & 0xFF)
                    block[offset + 1] = UInt8(half >> 8)
                }
                bytes += block
            }
        }
        let owner = Bytes(bytes)
        return WeightTensor(
            type: self, shape: shape,
            bytes: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(owner.buffer)[..<bytes.count]),
            owner: owner)
    }
}

extension Tensor {
    static func random(rows: Int, columns: Int, seed: UInt64) -> Tensor {
        var random = SplitMix64(seed: seed)
        let tensor = Tensor(rows: rows, columns: columns)
        for i in tensor.floats.indices { tensor.floats[i] = .random(in: -1...1, using: &random) }
        return tensor
    }

    var values: [Float] { withExtendedLifetime(self) { Array(floats) } }
}

/// The greatest difference, relative to the greatest magnitude of `expected`; not a number when anything is not one.
func relativeError(_ found: [Float], _ expected: [Float]) -> Float {
    precondition(found.count == expected.count)
    var difference: Float = 0
    var magnitude: Float = 1e-30
    for (a, b) in zip(found, expected) {
        guard a.isFinite, b.isFinite else { return .nan }
        difference = max(difference, abs(a - b))
        magnitude = max(magnitude, abs(b))
    }
    return difference / magnitude
}

/// The instruction sets that this machine runs.
let instructionSets: [Operations.InstructionSet] =
    switch Operations.InstructionSet.best {
    case .avx512: [.scalar, .avx2, .avx512]
    case .avx2: [.scalar, .avx2]
    case .dotprod: [.scalar, .neon, .dotprod]
    case .neon: [.scalar, .neon]
    case .scalar: [.scalar]
    }
