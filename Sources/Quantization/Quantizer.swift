import Checkpoints
import Llama
public import Tensors

/// Makes a quantised GGUF file of a Llama in F32, F16 or BF16: a GGUF file, or a Hugging Face directory.
///
/// Types and blocks are those that llama.cpp's llama-quantize makes without an importance matrix. Tensor follows tensor,
/// a megabyte at a time: of the model only the pages that are being read are in memory.
///
/// For example: `let quantizer = try Quantizer("model-f16.gguf", to: .q4KM)`, then
/// `try quantizer.write(to: "model-Q4_K_M.gguf", pool: pool)`.
public struct Quantizer {
    /// How far the work is.
    public struct Progress: Sendable, Equatable {
        /// Bytes of the source that are done, of all.
        public var done: Int
        public var total: Int
        /// The tensor in work, by GGUF's name.
        public var tensor: String
    }

    /// Bytes of the source's tensors.
    public let sourceBytes: Int
    /// Bytes that the file will have.
    public let fileSize: Int
    /// The path that was opened.
    public var source: String { model.checkpoint.path }
    private let model: ModelSource
    private let contents: GGUFContents
    private let layout: GGUFContents.Layout

    /// About how many bytes are written at a time.
    private static let slabBytes = 1 << 20

    /// Opens and checks a model; no weight is read yet.
    ///
    /// - Throws: `CheckpointError`, `LlamaError`, `TokenizerError`, `QuantizationError.alreadyQuantized`.
    public init(_ path: String, to mixture: QuantizationType) throws {
        let model = try ModelSource(path)
        let c = model.configuration
        let types = TensorTypes(
            mixture: mixture, layerCount: c.layerCount,
            tiesEmbeddings: !model.parts.contains { $0.name == "output.weight" },
            isSeventyBillion: c.layerCount == 80 && c.headCount != c.kvHeadCount)
        var contents = model.contents
        contents.set("general.quantization_version", UInt32(2))
        contents.set("general.file_type", mixture.fileType)
        contents.tensors = model.parts.map { part in
            .init(
                name: part.name, type: types.type(of: part.name, shape: part.tensor.shape) ?? part.plainType,
                shape: part.tensor.shape)
        }
        self.model = model
        self.contents = contents
        layout = contents.layout()
        fileSize = layout.fileSize
        sourceBytes = model.parts.reduce(0) { $0 + $1.tensor.bytes.count }
    }

    /// Writes the file; nothing is to be seen of it before it is whole and on the disk.
    ///
    /// - Parameters:
    ///   - path: a file that must not be there yet.
    ///   - pool: what computes.
    ///   - progress: told after every megabyte.
    ///   - checkpoint: called at least every 50 ms, but for waiting for the disk.
    /// - Throws: `QuantizationError`; `Interrupted` when `checkpoint` does; `CheckpointError.changedOnDisk`.
    public func write(
        to path: String, pool: WorkerPool, progress: (Progress) -> Void = { _ in },
        checkpoint: InterruptionCheck = {}
    ) throws {
        let file = try OutputFile(path, byteCount: fileSize)
        try file.write(layout.header)
        let total = sourceBytes
        var done = 0
        for (part, info) in zip(model.parts, contents.tensors) {
            try model.checkpoint.checkUnchanged()
            try TensorWriter(part, as: info.type, file: model.checkpoint.path, slabBytes: Self.slabBytes)
                .write(pool: pool, checkpoint: checkpoint) { slab, count in
                    try file.write(slab)
                    done += count
                    progress(Progress(done: done, total: total, tensor: part.name))
                }
            try Self.pad(info.byteCount, file)
            model.checkpoint.release(part.sourceName)
        }
        try checkpoint()
        try file.finish()
    }

    private static func pad(_ count: Int, _ file: OutputFile) throws(QuantizationError) {
        let rest = (GGUFContents.alignment - count % GGUFContents.alignment) % GGUFContents.alignment
        try file.write([UInt8](repeating: 0, count: rest))
    }
}
