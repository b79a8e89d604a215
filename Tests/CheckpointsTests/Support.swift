import Foundation
import Testing

@testable import Checkpoints

/// Keeps a copy of a file's bytes for values that point into it.
final class Storage: Sendable {
    nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

    init(_ bytes: [UInt8]) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 64)
        copy.copyBytes(from: bytes)
        self.bytes = UnsafeRawBufferPointer(copy)
    }

    deinit { bytes.deallocate() }
}

/// Parses a GGUF header from memory.
@discardableResult
func parseGGUF(_ bytes: [UInt8]) throws(CheckpointError) -> GGUFHeader {
    let storage = Storage(bytes)
    return try GGUFHeader(storage.bytes, file: "test.gguf", owner: storage)
}

/// Parses a safetensors header from memory.
@discardableResult
func parseSafetensors(_ bytes: [UInt8]) throws(CheckpointError) -> [TensorRecord] {
    let storage = Storage(bytes)
    defer { withExtendedLifetime(storage) {} }
    return try SafetensorsHeader(storage.bytes, file: "test.safetensors").records
}

/// The error that `body` throws, or nil.
func failure<T>(_ body: () throws(CheckpointError) -> T) -> CheckpointError? {
    do {
        _ = try body()
        return nil
    } catch {
        return error
    }
}

/// A folder of its own under the temporary directory, removed with this object.
final class TemporaryFolder {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "checkpoints-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file and returns its path.
    @discardableResult
    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let file = path + "/" + name
        try Data(bytes).write(to: URL(filePath: file))
        return file
    }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String {
        try write(name, Array(text.utf8))
    }
}

/// A small, fast, repeatable generator (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
