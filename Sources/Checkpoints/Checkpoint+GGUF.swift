extension Checkpoint {
    /// Opens a GGUF file, and the others when it is part of a split model.
    static func openGGUF(_ path: String, _ file: FileMapping) throws(CheckpointError) -> Checkpoint {
        let header = try GGUFHeader(file.bytes, file: path, owner: file)
        guard let split = try SplitInfo(header.metadata), split.count > 1 else {
            var collector = TensorCollector()
            try collector.add(header.records, of: file)
            return collector.checkpoint(path, .gguf(header.metadata))
        }
        let stem = try split.stem(of: path)
        let firstPath = split.path(stem, 0)
        let first = split.index == 0 ? file : try part(firstPath, neededBy: path)
        let firstHeader =
            split.index == 0 ? header : try GGUFHeader(first.bytes, file: firstPath, owner: first)
        var collector = TensorCollector()
        try collector.add(firstHeader.records, of: first)
        for index in 1..<split.count {
            let partPath = split.path(stem, index)
            let part = try part(partPath, neededBy: path)
            let header = try GGUFHeader(part.bytes, file: partPath, owner: part)
            try split.checkPart(header.metadata, index: index)
            try collector.add(header.records, of: part)
        }
        try split.checkPart(firstHeader.metadata, index: 0)
        try split.checkTotal(firstHeader.metadata, found: collector.tensors.count)
        return collector.checkpoint(firstPath, .gguf(firstHeader.metadata))
    }

    private static func part(_ path: String, neededBy: String) throws(CheckpointError) -> FileMapping {
        if case .absent = PathKind(path) { throw .missingFile(file: path, neededBy: neededBy) }
        return try FileMapping(path)
    }
}

/// What a part of a split GGUF says about itself: `split.no`, `split.count`, `split.tensors.count`.
private struct SplitInfo {
    let index: Int
    let count: Int

    /// nil when the file is whole.
    init?(_ metadata: GGUFMetadata) throws(CheckpointError) {
        guard metadata["split.count"] != nil else { return nil }
        // Files that were never split carry a count of 0.
        count = try metadata.requireInt("split.count", in: 0...1024)
        guard count > 0 else { return nil }
        index = try metadata.requireInt("split.no", in: 0...count - 1)
    }

    /// The path without `-00001-of-00003.gguf`, which it must end with.
    func stem(of path: String) throws(CheckpointError) -> String {
        let ending = Self.ending(index, count)
        guard path.hasSuffix(ending) else {
            throw .invalidKey(
                file: path, key: "split.count", expected: "1, or a file name that ends with \(ending)",
                found: "\(count)")
        }
        return String(path.dropLast(ending.count))
    }

    func path(_ stem: String, _ index: Int) -> String { stem + Self.ending(index, count) }

    func checkPart(_ metadata: GGUFMetadata, index: Int) throws(CheckpointError) {
        _ = try metadata.requireInt("split.count", in: count...count)
        _ = try metadata.requireInt("split.no", in: index...index)
    }

    func checkTotal(_ metadata: GGUFMetadata, found: Int) throws(CheckpointError) {
        guard metadata["split.tensors.count"] != nil else { return }
        _ = try metadata.requireInt("split.tensors.count", in: found...found)
    }

    private static func ending(_ index: Int, _ count: Int) -> String {
        "-\(padded(index + 1))-of-\(padded(count)).gguf"
    }

    private static func padded(_ number: Int) -> String {
        String(repeating: "0", count: max(0, 5 - String(number).count)) + String(number)
    }
}

/// Gathers the tensors of several files under one set of names.
struct TensorCollector {
    private(set) var files: [FileMapping] = []
    private(set) var tensors: [String: Checkpoint.Stored] = [:]

    /// Adds a file's tensors.
    ///
    /// - Throws: `duplicateTensor` when another file has one of the names.
    mutating func add(_ records: [TensorRecord], of file: FileMapping) throws(CheckpointError) {
        for record in records {
            let stored = Checkpoint.Stored(record: record, file: files.count)
            guard tensors.updateValue(stored, forKey: record.name) == nil else {
                throw .duplicateTensor(file: file.path, tensor: record.name)
            }
        }
        files.append(file)
    }

    func checkpoint(
        _ path: String, _ format: Checkpoint.Format, metadata: [String: String] = [:]
    ) -> Checkpoint {
        Checkpoint(
            path: path, format: format, files: files, tensors: tensors, metadata: metadata, edits: [:])
    }
}
