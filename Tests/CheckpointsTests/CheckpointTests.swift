import Foundation
import StrictJSON
import Tensors
import Testing

@testable import Checkpoints

/// Whole models on disk: formats, parts, links and what is wrong with them.
struct CheckpointTests {
    private let config = #"{"architectures": ["LlamaForCausalLM"], "hidden_size": 4}"#

    private func floats(_ name: String, _ values: [Float]) -> GGUFBuilder {
        var builder = GGUFBuilder()
        builder.addFloats(name, shape: [values.count], values)
        return builder
    }

    private func shard(_ name: String, _ values: [Float]) -> [UInt8] {
        SafetensorsBuilder(
            "{" + SafetensorsBuilder.entry(name, "F32", [values.count], 0, values.count * 4) + "}",
            data: values.flatMap { littleEndian($0.bitPattern) }
        ).bytes()
    }

    // MARK: GGUF

    @Test func aGGUFFileGivesItsTensorsAndMetadata() throws {
        let folder = try TemporaryFolder()
        let bytes = GGUFBuilder.small().bytes()
        let checkpoint = try Checkpoint.open(try folder.write("model.gguf", bytes))
        guard case .gguf(let metadata) = checkpoint.format else {
            Issue.record("another format")
            return
        }
        #expect(metadata.string("general.architecture") == "llama")
        #expect(checkpoint.tensorNames == ["blk.0.attn_q.weight", "output_norm.weight", "token_embd.weight"])
        #expect(checkpoint.byteCount == 16 + 32 + 102)
        #expect(checkpoint.elementCount == 4 + 8 + 96)
        #expect(checkpoint.dominantType?.rawValue == "q8_0")
        let tensor = try #require(checkpoint.tensor("blk.0.attn_q.weight"))
        #expect(tensor.shape == [2, 4])
        #expect(tensor.floats() == [1, 2, 3, 4, 5, 6, 7, 8])
        #expect(checkpoint.tensor("absent") == nil)
    }

    @Test func tensorsOutliveTheCheckpoint() throws {
        let folder = try TemporaryFolder()
        var checkpoint: Checkpoint? = try Checkpoint.open(
            try folder.write("model.gguf", GGUFBuilder.small().bytes()))
        let tensor = try #require(checkpoint?.tensor("output_norm.weight"))
        checkpoint = nil
        #expect(tensor.floats() == [1, 2, 3, 4])
    }

    @Test func anyPartOfASplitGGUFOpensTheWhole() throws {
        let folder = try TemporaryFolder()
        let paths = try writeParts(folder)
        for path in paths {
            let checkpoint = try Checkpoint.open(path)
            #expect(checkpoint.tensorNames == ["w0", "w1", "w2"])
            #expect(checkpoint.tensor("w2")?.floats() == [2, 2])
            #expect(checkpoint.path == paths[0])
            guard case .gguf(let metadata) = checkpoint.format else { continue }
            #expect(metadata.string("general.name") == "first")
        }
    }

    @Test func aSplitGGUFWithWrongPartsIsRefused() throws {
        let folder = try TemporaryFolder()
        let paths = try writeParts(folder)
        let open = { (path: String) in failure { () throws(CheckpointError) in try Checkpoint.open(path) } }
        // A part that isn't there.
        let third = try Data(contentsOf: URL(filePath: paths[2]))
        try FileManager.default.removeItem(atPath: paths[2])
        #expect(open(paths[0]) == .missingFile(file: paths[2], neededBy: paths[0]))
        // The same part twice.
        try FileManager.default.copyItem(atPath: paths[1], toPath: paths[2])
        #expect(open(paths[0])?.isInvalidKey == true)
        try third.write(to: URL(filePath: paths[2]))
        // Another name than the parts must have.
        let other = folder.path + "/model.gguf"
        try FileManager.default.copyItem(atPath: paths[0], toPath: other)
        #expect(open(other)?.isInvalidKey == true)
        // A tensor in two parts.
        _ = try writeParts(folder, names: ["w0", "w0", "w2"])
        #expect(open(paths[0])?.isDuplicateTensor == true)
        // Another total.
        _ = try writeParts(folder, total: 4)
        #expect(open(paths[0])?.isInvalidKey == true)
    }

    private func writeParts(
        _ folder: TemporaryFolder, names: [String] = ["w0", "w1", "w2"], total: Int32 = 3
    ) throws -> [String] {
        try names.enumerated().map { index, name in
            var builder = floats(name, [Float(index), Float(index)])
            if index == 0 { builder.add("general.name", "first") }
            builder.add("split.no", type: 2, littleEndian(UInt16(index)))
            builder.add("split.count", type: 2, littleEndian(UInt16(3)))
            builder.add("split.tensors.count", type: 5, littleEndian(total))
            return try folder.write("model-0000\(index + 1)-of-00003.gguf", builder.bytes())
        }
    }

    // MARK: Safetensors

    @Test func aDirectoryWithOneFileOpens() throws {
        let folder = try TemporaryFolder()
        try folder.write("config.json", config)
        let file = try folder.write("model.safetensors", SafetensorsBuilder.small().bytes())
        for path in [folder.path, folder.path + "/", file] {
            let checkpoint = try Checkpoint.open(path)
            guard case .safetensors(let config, let directory) = checkpoint.format else {
                Issue.record("another format")
                continue
            }
            #expect(config["hidden_size"]?.int == 4)
            #expect(PathKind(directory + "/config.json") == .other)
            #expect(checkpoint.tensorNames == ["a.weight", "b.weight", "norm.weight"])
            #expect(checkpoint.tensor("norm.weight")?.floats() == [1.5, -2])
        }
    }

    @Test func shardsOpenByTheirIndex() throws {
        let folder = try TemporaryFolder()
        try writeShards(folder)
        for path in [folder.path, folder.path + "/model-00002-of-00002.safetensors"] {
            let checkpoint = try Checkpoint.open(path)
            #expect(checkpoint.tensorNames == ["x", "y"])
            #expect(checkpoint.tensor("y")?.floats() == [3])
        }
    }

    private func writeShards(_ folder: TemporaryFolder, index: String? = nil) throws {
        try folder.write("config.json", config)
        try folder.write("model-00001-of-00002.safetensors", shard("x", [1, 2]))
        try folder.write("model-00002-of-00002.safetensors", shard("y", [3]))
        let map = """
            {"metadata": {"total_size": 12}, "weight_map": {"x": "model-00001-of-00002.safetensors",
             "y": "model-00002-of-00002.safetensors"}}
            """
        try folder.write("model.safetensors.index.json", index ?? map)
    }

    @Test(arguments: [
        #"{"weight_map": {"x": "../model.safetensors"}}"#, #"{"weight_map": {"x": "/etc/passwd"}}"#,
        #"{"weight_map": {"x": ".safetensors"}}"#, #"{"weight_map": {"x": 1}}"#, #"{"weight_map": []}"#, "{}",
        "[",
        #"{"weight_map": {"x": "a\u0000.safetensors"}}"#, #"{"weight_map": {"x": "absent.safetensors"}}"#,
        #"{"weight_map": {"z": "model-00001-of-00002.safetensors"}}"#,
    ])
    func wrongIndexesAreRefused(index: String) throws {
        let folder = try TemporaryFolder()
        try writeShards(folder, index: index)
        #expect(throws: CheckpointError.self) { try Checkpoint.open(folder.path) }
    }

    @Test func whatADirectoryMissesIsNamed() throws {
        let folder = try TemporaryFolder()
        let open = { failure { () throws(CheckpointError) in try Checkpoint.open(folder.path) } }
        #expect(open()?.isUnknownFormat == true)
        try folder.write("model.safetensors", SafetensorsBuilder.small().bytes())
        #expect(open()?.isMissingFile == true)
        try folder.write("config.json", "[]")
        #expect(open()?.isInvalidHeader == true)
        try folder.write("config.json", "{")
        #expect(open()?.isInvalidJSON == true)
        try folder.write("model.safetensors.index.json", "{}")
        #expect(open()?.isMissingKey == true)
    }

    // MARK: Files

    @Test func linksAreFollowed() throws {
        let folder = try TemporaryFolder()
        let blob = try folder.write("blob", GGUFBuilder.small().bytes())
        let link = folder.path + "/model.gguf"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: blob)
        #expect(try Checkpoint.open(link).tensorNames.count == 3)
    }

    @Test func whatIsNoRegularFileIsRefusedAtOnce() throws {
        let folder = try TemporaryFolder()
        let pipe = folder.path + "/pipe.gguf"
        #expect(mkfifo(pipe, 0o600) == 0)
        let open = { (path: String) in failure { () throws(CheckpointError) in try Checkpoint.open(path) } }
        #expect(open(pipe) == .notRegularFile(file: pipe, found: "a pipe"))
        #expect(open("/dev/zero") == .notRegularFile(file: "/dev/zero", found: "a device"))
        #expect(open(folder.path + "/absent.gguf")?.isCannotOpen == true)
        #expect(open("a\0b.gguf")?.isCannotOpen == true)
        #expect(open(try folder.write("empty.gguf", []))?.isTruncated == true)
        #expect(open(try folder.write("text.gguf", "not a model"))?.isUnknownFormat == true)
        #expect(open(try folder.write("text.bin", "not a model"))?.isUnknownFormat == true)
        let loop = folder.path + "/loop.gguf"
        try FileManager.default.createSymbolicLink(atPath: loop, withDestinationPath: loop)
        #expect(open(loop)?.isCannotOpen == true)
    }

    @Test func aChangedFileIsNoticed() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("model.gguf", GGUFBuilder.small().bytes())
        let checkpoint = try Checkpoint.open(path)
        try checkpoint.checkUnchanged()
        checkpoint.willNeed()
        checkpoint.release("token_embd.weight")
        #expect(checkpoint.tensor("token_embd.weight")?.bytes.first == 7)
        let handle = try FileHandle(forWritingTo: URL(filePath: path))
        try handle.truncate(atOffset: 100)
        try handle.close()
        #expect(
            failure { () throws(CheckpointError) in try checkpoint.checkUnchanged() }
                == .changedOnDisk(file: path))
    }

    @Test func errorsShowNoControlCharacters() {
        let error = CheckpointError.duplicateKey(file: "a\u{1B}[31m.gguf", key: "k\u{202E}\n")
        #expect(error.description == "“a\\u{1b}[31m.gguf”: key “k\\u{202e}\\u{a}” occurs twice.")
        let long = CheckpointError.changedOnDisk(file: String(repeating: "x", count: 5000))
        #expect(long.description.count < 300)
    }

    // MARK: Reader

    @Test func theReaderChecksShapesByName() throws {
        let folder = try TemporaryFolder()
        var builder = GGUFBuilder.small()
        builder.addFloats("blk.0.norm.bias", shape: [2], [5, 6])
        builder.addFloats("blk.0.bad.weight", shape: [2], [1, .nan])
        let path = try folder.write("model.gguf", builder.bytes())
        let weights = try Checkpoint.open(path).weights()
        let block = weights.scoped("blk").scoped("0")
        #expect(try block.linear("attn_q", out: 2, in: 4).columns == 4)
        let norm = try weights.vector("output_norm", count: 4)
        let bias = try block.vector("norm.bias", count: 2)
        #expect(norm.rows == 1 && bias.rows == 1)
        withExtendedLifetime((norm, bias)) {
            #expect(Array(norm.floats) == [1, 2, 3, 4])
            #expect(Array(bias.floats) == [5, 6])
        }
        #expect(weights.contains("output_norm") && weights.contains("output_norm.weight"))
        #expect(!weights.contains("output"))
        #expect(
            failure { () throws(CheckpointError) in try block.linear("attn_q", out: 4, in: 2) }
                == .invalidTensor(
                    file: path, tensor: "blk.0.attn_q.weight", expected: "the shape [4, 2]", found: "[2, 4]"))
        #expect(
            failure { () throws(CheckpointError) in try block.linear("attn_k", out: 4, in: 2) }
                == .missingTensor(file: path, tensor: "blk.0.attn_k.weight", expected: "of shape [4, 2]"))
        #expect(
            failure { () throws(CheckpointError) in try block.vector("bad", count: 2) }
                == .invalidTensor(
                    file: path, tensor: "blk.0.bad.weight", expected: "finite numbers", found: "nan at 1"))
    }

    @Test func aTypeWithoutKernelsIsNamedWhenItIsWanted() throws {
        let folder = try TemporaryFolder()
        try folder.write("config.json", config)
        let file = SafetensorsBuilder(
            "{" + SafetensorsBuilder.entry("i.weight", "I64", [2], 0, 16) + "}", data: .zeros(16))
        try folder.write("model.safetensors", file.bytes())
        let checkpoint = try Checkpoint.open(folder.path)
        #expect(checkpoint.tensorNames.isEmpty)
        let error = failure { () throws(CheckpointError) in try checkpoint.weights().vector("i", count: 2) }
        #expect(error?.description.contains("I64") == true)
    }

    // MARK: A real model

    private static let realModel: String? = {
        let environment = ProcessInfo.processInfo.environment
        let data = environment["XDG_DATA_HOME"] ?? (environment["HOME"] ?? "") + "/.local/share"
        let candidates = [
            environment["INKLING_TEST_MODEL"], data + "/inkling/models/SmolLM2-135M-Instruct.Q4_1.gguf",
        ]
        return candidates.compactMap { $0 }.first { PathKind($0) == .other }
    }()

    @Test(.enabled(if: CheckpointTests.realModel != nil))
    func theDefaultModelOpens() throws {
        let checkpoint = try Checkpoint.open(try #require(Self.realModel))
        guard case .gguf(let metadata) = checkpoint.format else {
            Issue.record("another format")
            return
        }
        #expect(metadata.string("general.architecture") == "llama")
        #expect(metadata.int("llama.embedding_length") == 576)
        #expect(metadata.strings("tokenizer.ggml.tokens")?.count == 49_152)
        #expect(checkpoint.dominantType?.rawValue == "q4_1")
        let weights = checkpoint.weights()
        #expect(try weights.linear("token_embd", out: 49_152, in: 576).type.rawValue == "q8_0")
        #expect(try weights.scoped("blk.29").linear("ffn_down", out: 576, in: 1536).type.rawValue == "q4_1")
        #expect(try weights.vector("output_norm", count: 576).columns == 576)
    }
}
