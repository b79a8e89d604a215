import Foundation
import StrictJSON
import Tensors
import Testing

@testable import StableDiffusion

extension Fixture {
    /// The config.json of a part of a tiny model, with some members changed: their values as JSON.
    static func configuration(
        _ name: String, _ changes: [String: String] = [:]
    ) throws -> ConfigFile {
        let path = path(name)
        var data = try Data(contentsOf: URL(filePath: path))
        if !changes.isEmpty {
            var members = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
            for (key, text) in changes {
                members[key] = try JSONSerialization.jsonObject(
                    with: Data(text.utf8), options: .fragmentsAllowed)
            }
            data = try JSONSerialization.data(withJSONObject: members)
        }
        let shown = changes.isEmpty ? path : "config.json"
        return ConfigFile(try JSONValue(parsing: [UInt8](data)), path: shown)
    }
}

/// The tensors that a reference computed: a safetensors file of F32, read the shortest way.
struct Goldens {
    private let tensors: [String: [Float]]
    private let shapes: [String: [Int]]
    let metadata: JSONValue?

    init(_ name: String) throws {
        let data = try Data(contentsOf: URL(filePath: Fixture.path(name + ".safetensors")))
        let count = data.prefix(8).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
        let header = try JSONValue(parsing: [UInt8](data[8..<8 + count]))
        metadata = header["__metadata__"]
        var tensors: [String: [Float]] = [:]
        var shapes: [String: [Int]] = [:]
        for (name, value) in header.object?.members ?? [] where name != "__metadata__" {
            let places = value["data_offsets"]?.array?.compactMap { $0.int } ?? []
            try #require(value["dtype"]?.string == "F32" && places.count == 2)
            let bytes = [UInt8](data[8 + count + places[0]..<8 + count + places[1]])
            shapes[name] = value["shape"]?.array?.compactMap { $0.int }
            tensors[name] = bytes.withUnsafeBytes { raw in
                (0..<raw.count / 4).map { raw.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self) }
            }
        }
        self.tensors = tensors
        self.shapes = shapes
    }

    subscript(name: String) -> [Float] {
        get throws { try #require(tensors[name], "no golden \(name)") }
    }

    /// A tensor `[H, W, C]` as a map.
    func map(_ name: String) throws -> FeatureMap {
        let values = try self[name]
        let shape = shapes[name] ?? []
        try #require(shape.count == 3)
        let pixels = Tensor(rows: shape[0] * shape[1], columns: shape[2])
        _ = pixels.floats.update(fromContentsOf: values)
        return FeatureMap(height: shape[0], width: shape[1], pixels: pixels)
    }
}

/// Operations on two threads, as most tests want them.
func makeOperations(threadCount: Int = 2) -> Operations {
    Operations(pool: WorkerPool(threadCount: threadCount))
}
