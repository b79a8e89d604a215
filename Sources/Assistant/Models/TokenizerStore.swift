import Checkpoints
import Llama
import Synchronization
import Tokenizers

/// Tokenizers of models that need not be loaded for it; the last few are kept.
final class TokenizerStore: Sendable {
    private struct Kept {
        var model: ModelFile
        var stamp: FileStamp
        var tokenizer: Tokenizer
    }

    private static let limit = 2
    private let kept = Mutex<[Kept]>([])

    /// Reads a model's vocabulary, and nothing else of it, unless it is known already.
    func tokenizer(of model: ModelFile) throws -> Tokenizer {
        let stamp = FileStamp(model.path)
        let known = kept.withLock { $0.first { $0.model == model && $0.stamp == stamp }?.tokenizer }
        if let known { return known }
        let tokenizer = try LlamaModel.tokenizer(of: Checkpoint.open(model.path))
        kept.withLock { kept in
            kept.removeAll { $0.model == model }
            kept.append(Kept(model: model, stamp: stamp, tokenizer: tokenizer))
            if kept.count > Self.limit { kept.removeFirst() }
        }
        return tokenizer
    }
}
