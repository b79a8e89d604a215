import Foundation

/// Numbers that the reference implementations computed, in files beside the scripts that wrote them.
enum ReferenceNumbers {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")

    static func read(_ name: String) throws -> Data { try Data(contentsOf: folder.appending(path: name)) }

    /// A file of little-endian f32.
    static func floats(_ name: String) throws -> [Float] {
        try read(name).withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: 4).map {
                Float(
                    bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self))
                )
            }
        }
    }

    /// The largest difference as a fraction of the largest expected magnitude; infinite for NaN and for other counts.
    static func difference(_ found: some Collection<Float>, _ expected: some Collection<Float>) -> Float {
        guard found.count == expected.count else { return .infinity }
        let scale = expected.reduce(Float.leastNormalMagnitude) { max($0, abs($1)) }
        let largest = zip(found, expected).reduce(Float(0)) { $1.0 == $1.1 ? $0 : max($0, abs($1.0 - $1.1)) }
        return found.contains(where: \.isNaN) || largest.isNaN ? .infinity : largest / scale
    }
}
