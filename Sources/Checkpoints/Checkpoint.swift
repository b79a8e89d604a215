public import StrictJSON
public import Tensors

/// A model's weights where they lie: one or more mapped files, checked, with the tensors found by name.
///
/// Immutable; every `WeightTensor` keeps the mapping of its file alive.
public struct Checkpoint: Sendable {
    /// Where the weights come from, with what describes the model there.
    public enum Format: Sendable {
        /// A GGUF file, or the first of a split one.
        case gguf(GGUFMetadata)
        /// Hugging Face's layout: safetensors, and config.json beside it.
        case safetensors(config: JSONValue, directory: String)
        /// A safetensors file on its own: nothing describes the model but its tensors.
        case tensors
    }

    /// The path that was opened; of a split GGUF the first part.
    public let path: String
    public let format: Format
    /// What a safetensors file says about itself in `__metadata__`; empty for other formats.
    public let metadata: [String: String]
    let files: [FileMapping]
    let tensors: [String: Stored]
    let edits: [String: Edit]

    /// A tensor's record and the index of its file.
    struct Stored {
        let record: TensorRecord
        let file: Int
    }

    init(
        path: String, format: Format, files: [FileMapping], tensors: [String: Stored],
        metadata: [String: String], edits: [String: Edit]
    ) {
        self.path = path
        self.format = format
        self.files = files
        self.tensors = tensors
        self.metadata = metadata
        self.edits = edits
    }

    /// Opens a `.gguf` file (any part of a split one), a `.safetensors` file with config.json beside it, or a Hugging
    /// Face directory.
    ///
    /// Everything is checked first: sizes, types, shapes, places. No weight is read.
    /// - Throws: `CheckpointError`, for a file that is missing, damaged, hostile or of another kind.
    public static func open(_ path: String) throws(CheckpointError) -> Checkpoint {
        if case .directory = PathKind(path) { return try openDirectory(path) }
        let file = try FileMapping(path)
        if path.hasSuffix(".safetensors") { return try openSafetensors(path, file) }
        if file.bytes.prefix(4).elementsEqual(GGUFHeader.magic) { return try openGGUF(path, file) }
        if path.hasSuffix(".gguf") {
            throw .unknownFormat(file: path, found: "other first bytes than “GGUF”")
        }
        throw .unknownFormat(file: path, found: "a file of another kind")
    }

    /// The names of all tensors that can be read, sorted.
    public var tensorNames: [String] {
        tensors.filter { $0.value.record.type != nil }.keys.sorted()
    }

    /// Bytes of all tensors.
    public var byteCount: Int {
        tensors.values.reduce(0) { $0 + $1.record.range.count }
    }

    /// Elements of all tensors: the number of parameters.
    public var elementCount: Int {
        tensors.values.reduce(0) { $0 + $1.record.shape.reduce(1, *) }
    }

    /// The type that most bytes of the weights have; nil without tensors.
    public var dominantType: ElementType? {
        var bytes: [ElementType: Int] = [:]
        for case (let type?, let count) in tensors.values.map({ ($0.record.type, $0.record.range.count) }) {
            bytes[type, default: 0] += count
        }
        return bytes.max { ($0.value, $0.key.rawValue) < ($1.value, $1.key.rawValue) }?.key
    }

    /// The tensor of this exact name, after the edits to it; nil when there is none, or none of a type that can be read.
    public func tensor(_ name: String) -> WeightTensor? {
        guard let stored = tensors[name], let type = stored.record.type else { return nil }
        let file = files[stored.file]
        let tensor = WeightTensor(
            type: type, shape: stored.record.shape,
            bytes: UnsafeRawBufferPointer(rebasing: file.bytes[stored.record.range]), owner: file)
        return edits[name]?(tensor) ?? tensor
    }

    /// The type's name in the file, also for types that cannot be read; nil when there is no such tensor.
    func typeName(of name: String) -> String? {
        tensors[name]?.record.typeName
    }

    /// A reader of all tensors, whose names it takes as they are.
    public func weights() -> WeightReader {
        WeightReader(checkpoint: self, scope: "")
    }

    // MARK: Pages

    /// Asks the kernel to read the files ahead, so that the first pass over the weights doesn't wait for each page.
    public func willNeed() {
        for file in files { file.willNeed() }
    }

    /// Gives back the memory of a tensor's pages, after a packed copy was made; they return from the file when touched.
    public func release(_ name: String) {
        guard let stored = tensors[name] else { return }
        files[stored.file].release(stored.record.range)
    }

    /// Checks that no file changed since it was opened (a truncated file would end the process at the next touch).
    ///
    /// - Throws: `changedOnDisk`.
    public func checkUnchanged() throws(CheckpointError) {
        for file in files where file.hasChanged() { throw .changedOnDisk(file: file.path) }
    }
}
