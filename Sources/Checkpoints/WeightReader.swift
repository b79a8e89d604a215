public import Tensors

/// Hands out tensors by name within a scope, and checks that each has the shape that its caller computed from the
/// configuration: a file that doesn't fit fails at load, by the tensor's name.
public struct WeightReader: Sendable {
    private let checkpoint: Checkpoint
    /// The names' common beginning, without the last dot.
    private let scope: String
    /// What `linear` makes of a matrix before it hands it out.
    private let preparation: (@Sendable (WeightTensor) -> WeightTensor)?

    init(
        checkpoint: Checkpoint, scope: String, preparation: (@Sendable (WeightTensor) -> WeightTensor)? = nil
    ) {
        self.checkpoint = checkpoint
        self.scope = scope
        self.preparation = preparation
    }

    /// A reader whose `linear` hands out what `preparation` makes of each matrix, for example a packed copy.
    public func preparing(_ preparation: @escaping @Sendable (WeightTensor) -> WeightTensor) -> WeightReader {
        WeightReader(checkpoint: checkpoint, scope: scope, preparation: preparation)
    }

    /// A reader of the names that begin with `prefix` and a dot.
    public func scoped(_ prefix: String) -> WeightReader {
        WeightReader(checkpoint: checkpoint, scope: path(prefix), preparation: preparation)
    }

    /// Whether there is a tensor `name`, or `name.weight`.
    public func contains(_ name: String) -> Bool {
        find(name) != nil
    }

    /// The matrix `name.weight`, `[out, in]`, as it lies in the file or as it was prepared; a 1 × 1 convolution
    /// `[out, in, 1, 1]` is one too.
    ///
    /// - Throws: `missingTensor`, or `invalidTensor` for another shape or a type that cannot be read.
    public func linear(_ name: String, out: Int, in columns: Int) throws(CheckpointError) -> WeightTensor {
        let isConvolution = find(name).flatMap(checkpoint.shape(of:)) == [out, columns, 1, 1]
        let matrix =
            isConvolution
            ? try tensor(name, shape: [out, columns, 1, 1]).reshaped([out, columns])
            : try tensor(name, shape: [out, columns])
        return preparation?(matrix) ?? matrix
    }

    /// The vector `name.weight` (or `name` itself, as biases are called), `[1, count]`, as 32-bit floating point.
    ///
    /// - Throws: `missingTensor`, or `invalidTensor` for another shape, a type that cannot be read, or NaN or infinity
    ///   in it.
    public func vector(_ name: String, count: Int) throws(CheckpointError) -> Tensor {
        let values = try tensor(name, shape: [count]).floats()
        if let index = values.firstIndex(where: { !$0.isFinite }) {
            throw .invalidTensor(
                file: checkpoint.path, tensor: find(name) ?? path(name), expected: "finite numbers",
                found: "\(values[index]) at \(index)")
        }
        return Tensor(values)
    }

    /// The tensor `name.weight` (or `name` itself) as it lies in the file.
    ///
    /// - Throws: `missingTensor`, or `invalidTensor` for another shape or a type that cannot be read.
    public func tensor(_ name: String, shape: [Int]) throws(CheckpointError) -> WeightTensor {
        guard let found = find(name) else {
            throw .missingTensor(
                file: checkpoint.path, tensor: path(name) + ".weight",
                expected: "of shape \(described(shape))")
        }
        guard let tensor = checkpoint.tensor(found) else {
            throw .invalidTensor(
                file: checkpoint.path, tensor: found, expected: "one of the types F32, F16 and BF16",
                found: checkpoint.typeName(of: found) ?? "another")
        }
        // Outer dimensions of 1 say nothing: writers differ in whether they keep them.
        guard tensor.shape.drop(while: { $0 == 1 }).elementsEqual(shape.drop(while: { $0 == 1 })) else {
            throw .invalidTensor(
                file: checkpoint.path, tensor: found, expected: "the shape \(described(shape))",
                found: described(tensor.shape))
        }
        return tensor
    }

    /// The full name under which `name` lies in the file.
    private func find(_ name: String) -> String? {
        let full = path(name)
        return [full + ".weight", full].first { checkpoint.typeName(of: $0) != nil }
    }

    private func path(_ name: String) -> String {
        scope.isEmpty ? name : scope + "." + name
    }
}
