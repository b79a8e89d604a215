public import Checkpoints
import FoundationEssentials
import StrictJSON
public import Tokenizers

extension LlamaModel {
    /// The tokenizer of a checkpoint, which may be a vocabulary without weights.
    ///
    /// - Throws: `LlamaError` when there is none or it can't be read; `TokenizerError`, `CheckpointError`.
    public static func tokenizer(of checkpoint: Checkpoint) throws -> Tokenizer {
        try TokenizerSource(checkpoint).tokenizer()
    }

    /// The chat template that a checkpoint came with, which is never executed; nil where there is none.
    public static func chatTemplate(of checkpoint: Checkpoint) -> String? {
        TokenizerSource(checkpoint).chatTemplate()
    }
}

/// Where a checkpoint keeps its vocabulary and chat template: GGUF's metadata, or files beside the weights.
public struct TokenizerSource {
    private let checkpoint: Checkpoint
    private static let fileLimit = 64 << 20

    public init(_ checkpoint: Checkpoint) {
        self.checkpoint = checkpoint
    }

    func tokenizer() throws -> Tokenizer { try Tokenizer(try vocabulary()) }

    /// The tokens and their rules.
    ///
    /// - Throws: `LlamaError` when there are none or they can't be read; `TokenizerError`, `CheckpointError`.
    public func vocabulary() throws -> Vocabulary {
        switch checkpoint.format {
        case .gguf(let metadata): try vocabulary(metadata)
        case .safetensors(_, let directory): try vocabulary(in: directory)
        case .tensors:
            throw LlamaError.missingTokenizer(
                file: checkpoint.path, expected: "a directory with tokenizer.json")
        }
    }

    /// The chat template, to be looked at for its marks; nil where there is none.
    public func chatTemplate() -> String? {
        switch checkpoint.format {
        case .gguf(let metadata):
            return metadata.string("tokenizer.chat_template")
        case .tensors:
            return nil
        case .safetensors(_, let directory):
            if let template = try? contents(directory + "/chat_template.jinja") {
                return String(decoding: template, as: UTF8.self)
            }
            guard let bytes = try? contents(directory + "/tokenizer_config.json"),
                let template = try? JSONValue(parsing: bytes)["chat_template"]
            else { return nil }
            // Some files have several templates with names.
            let named = template.array?.first { $0["name"]?.string == "default" } ?? template.array?.first
            return template.string ?? named?["template"]?.string
        }
    }

    private func vocabulary(_ metadata: GGUFMetadata) throws -> Vocabulary {
        guard let model = metadata.string("tokenizer.ggml.model") else {
            throw LlamaError.missingTokenizer(file: checkpoint.path, expected: "the key tokenizer.ggml.model")
        }
        return try Vocabulary(
            ggmlModel: model, pre: metadata.string("tokenizer.ggml.pre"),
            tokens: try metadata.requireStrings("tokenizer.ggml.tokens"),
            scores: metadata.floats("tokenizer.ggml.scores"),
            types: metadata.ints("tokenizer.ggml.token_type"),
            merges: metadata.strings("tokenizer.ggml.merges"), bos: id(metadata, "bos"),
            eos: id(metadata, "eos"),
            eot: id(metadata, "eot"), addsBOS: metadata.bool("tokenizer.ggml.add_bos_token"),
            addsSpacePrefix: metadata.bool("tokenizer.ggml.add_space_prefix"))
    }

    private func id(_ metadata: GGUFMetadata, _ name: String) -> Int32? {
        metadata.int("tokenizer.ggml.\(name)_token_id").flatMap(Int32.init(exactly:))
    }

    private func vocabulary(in directory: String) throws -> Vocabulary {
        if let json = try contents(directory + "/tokenizer.json") {
            return try Vocabulary(
                tokenizerJSON: json, config: try contents(directory + "/tokenizer_config.json"))
        }
        for name in ["/tokenizer.model", "/original/tokenizer.model"] {
            guard let model = try contents(directory + name) else { continue }
            // A protobuf begins with the tag of its first piece, tiktoken's lines with base64.
            return model.first == 0x0A
                ? try Vocabulary(sentencePieceModel: model) : try Vocabulary(tiktoken: model)
        }
        throw LlamaError.missingTokenizer(file: directory, expected: "tokenizer.json or tokenizer.model")
    }

    /// A file's bytes; nil when it isn't there.
    private func contents(_ path: String) throws -> [UInt8]? {
        guard let status = FileStatus(path) else { return nil }
        guard status.isRegular else {
            throw LlamaError.unreadableTokenizer(file: path, reason: "it is no regular file")
        }
        guard status.size <= Self.fileLimit else {
            throw LlamaError.unreadableTokenizer(
                file: path, reason: "it has \(status.size) bytes, and at most \(Self.fileLimit) are accepted")
        }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw LlamaError.unreadableTokenizer(file: path, reason: "the file can't be opened")
        }
        return Array(data)
    }
}
