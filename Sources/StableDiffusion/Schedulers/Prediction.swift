/// What a diffusion network was trained to give; the raw value is diffusers' `prediction_type`.
public enum Prediction: String, Sendable, CaseIterable {
    /// The noise in the latents.
    case epsilon
    /// The velocity α ε - σ x₀ (Salimans and Ho 2022, appendix D).
    case velocity = "v_prediction"
    /// The latents without noise.
    case sample
}
