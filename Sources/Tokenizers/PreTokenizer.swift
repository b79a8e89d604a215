/// How a byte-pair vocabulary cuts text into words before it merges.
public enum PreTokenizer: String, Sendable, CaseIterable {
    /// GPT-2's pattern: `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`.
    case gpt2
    /// Every number character on its own, then GPT-2's pattern on what lies between (SmolLM, StarCoder).
    case smollm
    /// Llama 3's pattern, ``llama3Pattern``.
    case llama3

    /// The regular expression that ``llama3`` implements, as tokenizer.json files write it.
    public static let llama3Pattern =
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"#
        + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#

    /// The rule for a name in GGUF's `tokenizer.ggml.pre`.
    ///
    /// The names are those of llama.cpp whose pattern is exactly one of the three.
    init?(ggmlName: String) {
        switch ggmlName {
        case "llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2",
            "jina-v5-nano", "dbrx", "smaug-bpe":
            self = .llama3
        case "smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b", "mellum2":
            self = .smollm
        case "gpt-2", "phi-2", "jina-es", "jina-de", "mpt", "olmo", "jais", "trillion", "granite-docling":
            self = .gpt2
        default:
            return nil
        }
    }
}
