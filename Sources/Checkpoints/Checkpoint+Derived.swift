public import Tensors

/// A tensor of a checkpoint under another name, whole or in part.
public struct TensorAlias: Sendable {
    /// The new name.
    public var name: String
    /// The name in the file.
    public var source: String
    /// Which of the outermost dimension's rows; nil for all.
    public var rows: Range<Int>?

    public init(_ name: String, _ source: String, rows: Range<Int>? = nil) {
        self.name = name
        self.source = source
        self.rows = rows
    }
}

extension Checkpoint {
    /// What makes another tensor of one, of the same shape or another; called whenever the tensor is asked for.
    public typealias Edit = @Sendable (WeightTensor) -> WeightTensor

    /// The same weights under other names; a tensor that no alias names isn't in it.
    ///
    /// Nothing is read or copied: rows of a tensor lie together. Errors go on naming the tensors as the file does.
    /// - Throws: `missingTensor` for an alias of a tensor that isn't there, `invalidTensor` for rows beyond it,
    ///   `duplicateTensor` for two aliases of one name.
    public func renamed(_ aliases: some Sequence<TensorAlias>) throws(CheckpointError) -> Checkpoint {
        var renamed: [String: Stored] = [:]
        for alias in aliases {
            guard let stored = tensors[alias.source] else {
                throw .missingTensor(file: path, tensor: alias.source, expected: "for \(alias.name)")
            }
            let part = try alias.rows.map { rows throws(CheckpointError) in
                Stored(record: try rowsOf(stored.record, rows), file: stored.file)
            }
            guard renamed.updateValue(part ?? stored, forKey: alias.name) == nil else {
                throw .duplicateTensor(file: path, tensor: alias.name)
            }
        }
        return Checkpoint(
            path: path, format: format, files: files, tensors: renamed, metadata: metadata, edits: [:])
    }

    /// The same checkpoint with tensors changed as they are asked for, after what changes them already.
    public func edited(_ edits: [String: Edit]) -> Checkpoint {
        let all = self.edits.merging(edits) { first, second in { second(first($0)) } }
        return Checkpoint(
            path: path, format: format, files: files, tensors: tensors, metadata: metadata, edits: all)
    }

    /// The shape that a tensor has in its file; nil when there is no such tensor.
    public func shape(of name: String) -> [Int]? {
        tensors[name]?.record.shape
    }

    private func rowsOf(_ record: TensorRecord, _ rows: Range<Int>) throws(CheckpointError) -> TensorRecord {
        let count = record.shape.first ?? 1
        guard rows.lowerBound >= 0, rows.upperBound <= count else {
            throw .invalidTensor(
                file: path, tensor: record.name, expected: "\(rows.upperBound) rows or more",
                found: described(record.shape))
        }
        // Types in blocks are never of these files; a row of any other type is a whole number of bytes.
        let rowBytes = record.range.count / max(count, 1)
        let start = record.range.lowerBound + rows.lowerBound * rowBytes
        return TensorRecord(
            name: record.name, typeName: record.typeName, type: record.type,
            shape: [rows.count] + record.shape.dropFirst(), range: start..<start + rows.count * rowBytes)
    }
}
