import Foundation
import Tokenizers

/// Reads the tokenizer keys of a GGUF file; only as much of the format as tests on trusted files need.
struct GGUFVocabulary {
    enum Value {
        case string(String), strings([String]), integer(Int), integers([Int32]), floats([Float]), bool(Bool),
            other
    }

    private let data: [UInt8]
    private var position = 0
    private(set) var values: [String: Value] = [:]

    init(path: String) throws {
        // The vocabulary lies in front; 16 MiB hold the largest.
        let file = try FileHandle(forReadingFrom: URL(filePath: path))
        data = try [UInt8](file.read(upToCount: 16 << 20) ?? Data())
        try file.close()
        position = 8  // magic, version
        _ = integer(8)  // tensor count
        for _ in 0..<integer(8) {
            let key = string()
            values[key] = value(type: integer(4))
        }
    }

    func vocabulary() throws -> Vocabulary {
        try Vocabulary(
            ggmlModel: string("model") ?? "", pre: string("pre"), tokens: strings("tokens") ?? [],
            scores: floats("scores"), types: integers("token_type"), merges: strings("merges"),
            bos: id("bos_token_id"), eos: id("eos_token_id"), eot: id("eot_token_id"),
            addsBOS: bool("add_bos_token"), addsSpacePrefix: bool("add_space_prefix"))
    }

    func string(_ key: String) -> String? {
        if case .string(let value)? = values["tokenizer.ggml." + key] { value } else { nil }
    }
    func strings(_ key: String) -> [String]? {
        if case .strings(let value)? = values["tokenizer.ggml." + key] { value } else { nil }
    }
    private func floats(_ key: String) -> [Float]? {
        if case .floats(let value)? = values["tokenizer.ggml." + key] { value } else { nil }
    }
    private func integers(_ key: String) -> [Int32]? {
        if case .integers(let value)? = values["tokenizer.ggml." + key] { value } else { nil }
    }
    private func id(_ key: String) -> Int32? {
        if case .integer(let value)? = values["tokenizer.ggml." + key] { Int32(value) } else { nil }
    }
    private func bool(_ key: String) -> Bool? {
        if case .bool(let value)? = values["tokenizer.ggml." + key] { value } else { nil }
    }

    private mutating func integer(_ size: Int) -> Int {
        var result = 0
        for i in 0..<size { result |= Int(data[position + i]) << (8 * i) }
        position += size
        return result
    }

    private mutating func string() -> String {
        let count = integer(8)
        defer { position += count }
        return String(decoding: data[position..<position + count], as: UTF8.self)
    }

    private mutating func value(type: Int) -> Value {
        switch type {
        case 4, 5: return .integer(integer(4))
        case 7: return .bool(integer(1) != 0)
        case 8: return .string(string())
        case 9: return array()
        default:
            position += Self.size(type)
            return .other
        }
    }

    private mutating func array() -> Value {
        let type = integer(4)
        let count = integer(8)
        switch type {
        case 5: return .integers((0..<count).map { _ in Int32(truncatingIfNeeded: integer(4)) })
        case 6: return .floats((0..<count).map { _ in Float(bitPattern: UInt32(integer(4))) })
        case 8: return .strings((0..<count).map { _ in string() })
        default:
            position += count * Self.size(type)
            return .other
        }
    }

    private static func size(_ type: Int) -> Int {
        switch type {
        case 0, 1, 7: 1
        case 2, 3: 2
        case 4, 5, 6: 4
        default: 8
        }
    }
}
