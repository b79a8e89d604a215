import Foundation
import Tensors
import Testing

@testable import Llama

/// A tiny random model with the logits that transformers computes with it; `Fixtures/make-fixtures.py` made both.
struct ModelFixture {
    private struct Golden: Decodable {
        let tokens: [Int32]
        let positions: [Int]
        let files: [String]
    }

    let name: String
    let tokens: [Int32]
    /// The positions in `tokens` that the logits are of.
    let positions: [Int]
    /// The logits at each of them, `[positions, vocabulary]`.
    let logits: [[Float]]

    init(_ name: String) throws {
        let goldens = try JSONDecoder().decode([String: Golden].self, from: Self.read("goldens.json"))
        let golden = try #require(goldens[name])
        let values = try Self.read("\(name).logits").withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: 4).map {
                Float(
                    bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self))
                )
            }
        }
        let width = values.count / golden.positions.count
        self.name = name
        tokens = golden.tokens
        positions = golden.positions
        logits = positions.indices.map { Array(values[$0 * width..<($0 + 1) * width]) }
    }

    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")

    static func read(_ name: String) throws -> Data { try Data(contentsOf: folder.appending(path: name)) }

    static func path(_ file: String) -> String { folder.appending(path: file).path }

    static func model(_ file: String, threads: Int = 2) throws -> LlamaModel {
        try LlamaModel.load(path(file), operations: Operations(pool: WorkerPool(threadCount: threads)))
    }
}

extension Tensor {
    var values: [Float] { Array(floats) }
}

/// The largest difference of two rows, as a fraction of the expected one's range.
func difference(_ found: [Float], _ expected: [Float]) -> Float {
    guard found.count == expected.count, let low = expected.min(), let high = expected.max() else {
        return .infinity
    }
    let largest = zip(found, expected).map { abs($0 - $1) }.reduce(0) { $1 > $0 || $1.isNaN ? $1 : $0 }
    return largest.isNaN ? .infinity : largest / (high - low)
}

/// A folder that is removed when the value goes.
final class TemporaryFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "inkling-llama-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func write(_ data: Data, _ name: String) throws -> String {
        let file = url.appending(path: name)
        try data.write(to: file)
        return file.path
    }
}

/// exp in the precision that the tests compare with.
func exponential(_ x: some BinaryFloatingPoint) -> Double { exp(Double(x)) }
