import Checkpoints
import Foundation
import StrictJSON
import Tensors
import Testing

@testable import StableDiffusion

/// Puts a tiny model's tensors together as a single-file checkpoint, by the list that `make-single-files.py` proved.
struct SingleFileBuilder {
    private(set) var tensors: [(name: String, type: String, shape: [Int], bytes: [UInt8])] = []
    var metadata: [String: String] = [:]

    /// The families with the sizes of the tiny models.
    static func families() throws -> FamilyTable {
        FamilyTable(try JSONValue(file: Fixture.path("tiny-families.json")), path: "tiny-families.json")
    }

    init() {}

    init(_ model: String) throws {
        let list = try JSONValue(file: Fixture.path("single-files.json"))
        var parts: [String: Checkpoint] = [:]
        for row in try #require(list[model]?.array).map({ $0.array ?? [] }) {
            let (name, part) = (try #require(row[0].string), try #require(row[1].string))
            let checkpoint = try parts[part] ?? .openComponent(Fixture.path("models/\(model)/\(part)"))
            parts[part] = checkpoint
            let sources = try (row[2].array ?? []).map { try #require(checkpoint.tensor($0.string ?? "")) }
            add(name, sources, row[3].string ?? "")
        }
    }

    private mutating func add(_ name: String, _ sources: [WeightTensor], _ operation: String) {
        var tensor = sources[0]
        if operation == "transposed" { tensor = tensor.transposed() }
        var shape = operation == "pointwise" ? tensor.shape + [1, 1] : tensor.shape
        if operation == "rows" { shape[0] *= sources.count }
        let bytes = operation == "rows" ? sources.flatMap { Array($0.bytes) } : Array(tensor.bytes)
        add(name, tensor.type, shape, bytes)
    }

    mutating func add(_ name: String, _ type: ElementType, _ shape: [Int], _ bytes: [UInt8]) {
        tensors.append((name, type.rawValue.uppercased(), shape, bytes))
    }

    /// A tensor of 32-bit floats.
    mutating func add(_ name: String, _ shape: [Int], _ values: [Float]) {
        add(name, .f32, shape, values.withUnsafeBytes { Array($0) })
    }

    mutating func remove(_ isGone: (String) -> Bool) {
        tensors.removeAll { isGone($0.name) }
    }

    /// The file's bytes.
    func bytes() throws -> [UInt8] {
        var header: [String: Any] = ["__metadata__": metadata]
        var data: [UInt8] = []
        for tensor in tensors {
            header[tensor.name] = [
                "dtype": tensor.type, "shape": tensor.shape,
                "data_offsets": [data.count, data.count + tensor.bytes.count],
            ]
            data += tensor.bytes
        }
        let text = try Array(JSONSerialization.data(withJSONObject: header))
        return withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text + data
    }
}

/// A folder that is removed when the value goes.
final class ModelTestFolder {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(
            path: "inkling-models-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        try Data(bytes).write(to: URL(filePath: path + "/" + name))
        return path + "/" + name
    }

    /// A copy of a tiny model that can be damaged.
    func copy(_ model: String) throws -> String {
        let target = path + "/" + model
        try FileManager.default.copyItem(atPath: Fixture.path("models/\(model)"), toPath: target)
        return target
    }
}
