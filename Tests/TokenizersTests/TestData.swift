import Foundation
import Testing
import Tokenizers

/// Where tests find their files.
enum TestData {
    /// Real vocabularies that the repository does not carry: `INKLING_TEST_DATA`, or beside the package.
    static let folder: String? = {
        let package = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let environment = ProcessInfo.processInfo.environment["INKLING_TEST_DATA"]
        let folder = environment ?? "/\(package)/../shared/data"
        return FileManager.default.fileExists(atPath: folder) ? folder : nil
    }()

    /// The SmolLM2 file: `INKLING_TEST_MODEL`, or where the default model is kept.
    static let model: String? = {
        let environment = ProcessInfo.processInfo.environment
        let data = environment["XDG_DATA_HOME"] ?? "\(environment["HOME"] ?? "")/.local/share"
        let usual = "\(data)/inkling/models/SmolLM2-135M-Instruct.Q4_1.gguf"
        let path = environment["INKLING_TEST_MODEL"] ?? usual
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }()

    static func has(_ name: String) -> Bool {
        folder.map { FileManager.default.fileExists(atPath: "\($0)/\(name)") } ?? false
    }

    static func read(_ name: String) throws -> [UInt8] {
        try [UInt8](Data(contentsOf: URL(filePath: "\(#require(folder))/\(name)")))
    }

    static func vocabulary(_ name: String) throws -> Vocabulary {
        try GGUFVocabulary(path: "\(#require(folder))/\(name)-vocab.gguf").vocabulary()
    }

    static func fixture(_ name: String) throws -> [UInt8] {
        try [UInt8](Data(contentsOf: #require(Bundle.module.resourceURL).appending(path: "Fixtures/\(name)")))
    }
}
