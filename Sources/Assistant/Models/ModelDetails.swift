import AssistantAPI
import Checkpoints
import Glibc
import Llama
import Synchronization
import Tensors

/// What identifies the content of a file well enough: which file it is, its size and when it last changed.
struct FileStamp: Equatable {
    private var number: UInt = 0
    private var size = 0
    private var seconds = 0
    private var nanoseconds = 0

    /// A file that isn't there has a stamp of zeros.
    init(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return }
        number = UInt(status.st_ino)
        size = Int(status.st_size)
        seconds = status.st_mtim.tv_sec
        nanoseconds = status.st_mtim.tv_nsec
    }
}

/// What models' files say of themselves, read from their headers once for each file.
final class ModelDetails: Sendable {
    /// The header's content, and the size of the weights.
    struct Entry: Sendable {
        var bytes: Int
        var details: ModelSummary.Details
    }

    private let known = Mutex<[ModelFile: (stamp: FileStamp, entry: Entry)]>([:])

    /// - Throws: `CheckpointError` or `LlamaError` for a file that cannot be used.
    func entry(of model: ModelFile) throws -> Entry {
        let stamp = FileStamp(model.path)
        let kept = known.withLock { $0[model].flatMap { $0.stamp == stamp ? $0.entry : nil } }
        if let kept { return kept }
        let checkpoint = try Checkpoint.open(model.path)
        let configuration = try LlamaConfiguration(checkpoint)
        let details = ModelSummary.Details(
            architecture: "llama", parameterCount: checkpoint.elementCount,
            contextLength: configuration.contextLength, vocabularySize: configuration.vocabularySize,
            hiddenSize: configuration.hiddenSize, layerCount: configuration.layerCount,
            quantization: checkpoint.dominantType?.rawValue.uppercased() ?? "none")
        let entry = Entry(bytes: checkpoint.byteCount, details: details)
        known.withLock { known in
            // Absolute paths come from clients: what is kept must not grow with them.
            if known.count >= 256 { known = [:] }
            known[model] = (stamp, entry)
        }
        return entry
    }
}
