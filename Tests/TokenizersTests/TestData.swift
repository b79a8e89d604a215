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
