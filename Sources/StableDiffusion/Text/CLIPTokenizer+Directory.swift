import Checkpoints
import FoundationEssentials
import Tokenizers

extension CLIPTokenizer {
    /// Reads the tokenizer of a diffusers directory: tokenizer.json, or vocab.json and merges.txt, with the settings
    /// beside them.
    ///
    /// - Throws: `StableDiffusionError.missingPart` when neither is there, `invalidConfiguration` for what can't be
    ///   read; both name the directory.
    init(directory: String) throws(StableDiffusionError) {
        let files = TokenizerFiles(directory: directory)
        let settings = CLIPSettingsFiles(
            configuration: try files.contents("tokenizer_config.json"),
            specialTokens: try files.contents("special_tokens_map.json"),
            addedTokens: try files.contents("added_tokens.json"))
        // As transformers does: one file counts more than two.
        if let json = try files.contents("tokenizer.json") {
            self = try files.checked("tokenizer.json") { () throws(TokenizerError) in
                CLIPTokenizer(try CLIPVocabulary(tokenizerJSON: json, settings: settings))
            }
        } else if let vocabulary = try files.contents("vocab.json"),
            let merges = try files.contents("merges.txt")
        {
            self = try files.checked("vocab.json and merges.txt") { () throws(TokenizerError) in
                CLIPTokenizer(
                    try CLIPVocabulary(vocabulary: vocabulary, merges: merges, settings: settings))
            }
        } else {
            throw .missingPart(
                path: directory, part: "tokenizer", expected: "vocab.json and merges.txt, or tokenizer.json")
        }
    }

    /// OpenAI's own vocabulary, for checkpoints that bring none; SD 2 and SDXL's second encoder pad with "!".
    static func standard(pad: String = "<|endoftext|>") throws(TokenizerError) -> CLIPTokenizer {
        CLIPTokenizer(try CLIPVocabulary(merges: Asset.clipMerges, pad: pad))
    }
}

/// The small files of a tokenizer's directory.
private struct TokenizerFiles {
    let directory: String
    private static let limit = 64 << 20

    /// A file's bytes; nil when it isn't there.
    func contents(_ name: String) throws(StableDiffusionError) -> [UInt8]? {
        let path = directory + "/" + name
        guard let status = FileStatus(path) else { return nil }
        guard status.isRegular else { throw invalid(name, "a regular file", "something else") }
        guard status.size <= Self.limit else {
            throw invalid(name, "at most \(Self.limit) bytes", "\(status.size)")
        }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw invalid(name, "a readable file", "no access")
        }
        return Array(data)
    }

    func checked<Value>(
        _ name: String, _ read: () throws(TokenizerError) -> Value
    ) throws(StableDiffusionError) -> Value {
        do {
            return try read()
        } catch {
            throw invalid(name, "a CLIP tokenizer", error.description)
        }
    }

    private func invalid(_ name: String, _ expected: String, _ found: String) -> StableDiffusionError {
        .invalidConfiguration(file: directory, key: name, expected: expected, found: found)
    }
}
