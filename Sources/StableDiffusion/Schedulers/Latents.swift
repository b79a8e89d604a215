/// The numbers of a latent picture, `[H, W, C]` in one row, with the arithmetic that schedulers are written in.
///
/// Every operator rounds to f32 as the reference does: one rounding for each operator, in the order written.
struct Latents: Sendable, Equatable {
    var values: [Float]

    init(_ values: [Float]) { self.values = values }

    static func + (a: Latents, b: Latents) -> Latents { zip(a, b) { $0 + $1 } }
    static func - (a: Latents, b: Latents) -> Latents { zip(a, b) { $0 - $1 } }
    static func * (factor: Float, a: Latents) -> Latents { map(a) { factor * $0 } }
    static func / (a: Latents, divisor: Float) -> Latents { map(a) { $0 / divisor } }

    /// Every number moved into -`limit`...`limit`.
    func clamped(to limit: Float) -> Latents { Self.map(self) { min(max($0, -limit), limit) } }

    private static func map(_ a: Latents, _ function: (Float) -> Float) -> Latents {
        let count = a.values.count
        return Latents(
            [Float](unsafeUninitializedCapacity: count) { result, used in
                a.values.withUnsafeBufferPointer { a in
                    for i in 0..<count { result.initializeElement(at: i, to: function(a[i])) }
                }
                used = count
            })
    }

    private static func zip(_ a: Latents, _ b: Latents, _ function: (Float, Float) -> Float) -> Latents {
        let count = a.values.count
        precondition(b.values.count == count, "latents of the same size")
        return Latents(
            [Float](unsafeUninitializedCapacity: count) { result, used in
                a.values.withUnsafeBufferPointer { a in
                    b.values.withUnsafeBufferPointer { b in
                        for i in 0..<count { result.initializeElement(at: i, to: function(a[i], b[i])) }
                    }
                }
                used = count
            })
    }
}
