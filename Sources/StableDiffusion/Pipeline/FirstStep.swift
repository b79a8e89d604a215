/// What the network said at the first step of a render.
///
/// Many schedules begin at the same time whatever their number of steps, and then a draft in one step has done the first
/// step of the settled picture, bit for bit.
struct FirstStep: Sendable {
    /// All that it depends on beside the prompts.
    struct Origin: Sendable, Equatable {
        let height: Int
        let width: Int
        /// As the network sees them, `[h, w, C]`.
        let latents: Latents
        /// The training time that the network is told.
        let timestep: Float
        let guidanceScale: Float
    }

    let origin: Origin
    /// With guidance done, `[h, w, C]`.
    let output: Latents

    /// What both maps take.
    var byteCount: Int { 4 * (origin.latents.values.count + output.values.count) }
}
