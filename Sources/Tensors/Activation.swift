/// A function applied to every element as an operation writes its result.
public enum Activation: Sendable {
    case none
    /// x / (1 + exp(-x)), also called swish.
    case silu
    /// max(x, 0).
    case relu
    /// x * Φ(x), with the error function and not its tanh approximation.
    case gelu
    /// x / (1 + exp(-1.702 x)), as OpenAI's CLIP has it.
    case quickGELU
}
