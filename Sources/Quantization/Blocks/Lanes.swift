// What ggml's reference does with one number, on eight at once.

/// A number of each of eight sub-blocks.
typealias Lanes = SIMD8<Float>

extension Lanes {
    /// The nearest whole number, ties to even, of numbers below 2^22: at 1.5 * 2^23 a float has no fraction left.
    @inline(__always)
    func nearest() -> Lanes { (self + 12_582_912) - 12_582_912 }

    /// Between two bounds; NaN becomes the lower one.
    @inline(__always)
    func clamped(_ low: Float, _ high: Float) -> Lanes {
        let raised = choose(self .> low, self, Lanes(repeating: low))
        return choose(raised .> high, Lanes(repeating: high), raised)
    }

    /// Without the sign.
    @inline(__always)
    var magnitudes: Lanes {
        unsafeBitCast(unsafeBitCast(self, to: SIMD8<UInt32>.self) & 0x7FFF_FFFF, to: Lanes.self)
    }
}

/// `first` where the mask holds, else `second`; written with bits, which compiles to a few instructions.
@inline(__always)
func choose(_ mask: SIMDMask<SIMD8<Int32>>, _ first: Lanes, _ second: Lanes) -> Lanes {
    let bits = unsafeBitCast(mask, to: SIMD8<UInt32>.self)
    let chosen =
        (unsafeBitCast(first, to: SIMD8<UInt32>.self) & bits)
        | (unsafeBitCast(second, to: SIMD8<UInt32>.self) & ~bits)
    return unsafeBitCast(chosen, to: Lanes.self)
}
