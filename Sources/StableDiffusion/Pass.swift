public import Tensors

/// What every layer of a network needs beside its weights and its input.
///
/// Layers are immutable structs with `callAsFunction(_ x:…, _ pass: Pass) throws(Interrupted)`.
public struct Pass {
    /// What computes.
    public let operations: Operations
    /// Called between operators and parts of large ones; throws to stop.
    public let checkpoint: InterruptionCheck

    public init(operations: Operations, checkpoint: @escaping InterruptionCheck = {}) {
        self.operations = operations
        self.checkpoint = checkpoint
    }
}
