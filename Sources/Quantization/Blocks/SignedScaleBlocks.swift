/// Q6_K: 256 numbers in sixteen sub-blocks of 16, each `scale * (quant - 32)`; the scales are signed bytes, times one half.
///
/// A lane is a sub-block, of eight at a time. The scale is searched as in `ScaleMinBlocks`, without a minimum, weighted
/// by the squares.
enum SignedScaleBlocks {
    private static let length = 16
    /// Below it a sub-block counts as zeros.
    private static let least: Float = 1e-15

    /// Half of a block: eight sub-blocks.
    private struct Half {
        let x: UnsafeMutablePointer<Lanes>
        let quants: UnsafeMutablePointer<Lanes>
        var scales = Lanes.zero
    }

    static func encodeQ6K(_ source: UnsafePointer<Float>, _ target: UnsafeMutableRawPointer) -> Bool {
        withUnsafeTemporaryAllocation(of: Lanes.self, capacity: 6 * length) { memory in
            guard let start = memory.baseAddress else { return false }
            let (weights, trial) = (start + 4 * length, start + 5 * length)
            var halves = (
                Half(x: start, quants: start + length),
                Half(x: start + 2 * length, quants: start + 3 * length)
            )
            search(&halves.0, source, weights, trial)
            search(&halves.1, source + 128, weights, trial)
            return store(halves, target)
        }
    }

    /// Finds the scale of each sub-block; the quants are left from 0 to 63.
    private static func search(
        _ half: inout Half, _ source: UnsafePointer<Float>, _ weights: UnsafeMutablePointer<Lanes>,
        _ trial: UnsafeMutablePointer<Lanes>
    ) {
        let (x, quants) = (half.x, half.quants)
        var (largest, extreme) = (Lanes.zero, Lanes.zero)
        for index in 0..<length {
            for lane in 0..<8 { x[index][lane] = source[lane * length + index] }
            weights[index] = x[index] * x[index]
            let isLarger = x[index].magnitudes .> largest
            largest = choose(isLarger, x[index].magnitudes, largest)
            extreme = choose(isLarger, x[index], extreme)
        }
        let isZero = largest .< least
        extreme = choose(isZero, .one, extreme)
        var (sumXL, sumLL) = sums(-32 / extreme, x, weights, quants)
        var scale = choose(sumLL .== 0, .zero, sumXL / sumLL)
        var best = scale * sumXL
        for guess in -9...9 where guess != 0 {
            (sumXL, sumLL) = sums(-(32 + 0.1 * Float(guess)) / extreme, x, weights, trial)
            let isBetter = (sumLL .> 0) .& (sumXL * sumXL .> best * sumLL)
            guard any(isBetter) else { continue }
            scale = choose(isBetter, sumXL / sumLL, scale)
            best = choose(isBetter, scale * sumXL, best)
            for index in 0..<length { quants[index] = choose(isBetter, trial[index], quants[index]) }
        }
        for index in 0..<length { quants[index] = choose(isZero, .zero, quants[index]) }
        half.scales = choose(isZero, .zero, scale)
    }

    /// Takes the quants for a guess of the scale's inverse, and the sums that give the scale that fits them.
    @inline(__always)
    private static func sums(
        _ inverse: Lanes, _ x: UnsafePointer<Lanes>, _ weights: UnsafePointer<Lanes>,
        _ quants: UnsafeMutablePointer<Lanes>
    ) -> (xl: Lanes, ll: Lanes) {
        var (xl, ll) = (Lanes.zero, Lanes.zero)
        for index in 0..<length {
            let quant = (inverse * x[index]).nearest().clamped(-32, 31)
            quants[index] = quant + 32
            xl += weights[index] * x[index] * quant
            ll += weights[index] * quant * quant
        }
        return (xl, ll)
    }

    // MARK: - Bytes

    /// 128 bytes of low four bits, 64 of upper two bits, sixteen scales, a half.
    private static func store(_ halves: (Half, Half), _ target: UnsafeMutableRawPointer) -> Bool {
        var extreme: Float = 0
        for lane in 0..<16 {
            let scale = lane < 8 ? halves.0.scales[lane] : halves.1.scales[lane - 8]
            // The squares of such numbers are none.
            guard scale.isFinite else { return false }
            if abs(scale) > abs(extreme) { extreme = scale }
        }
        guard abs(extreme) >= least else {
            target.initializeMemory(as: UInt8.self, repeating: 0, count: 210)
            return true
        }
        let inverse = -128 / extreme
        let bytes = target.assumingMemoryBound(to: UInt8.self)
        storeQuants(halves.0, inverse, bytes, bytes + 128, bytes + 192)
        storeQuants(halves.1, inverse, bytes + 64, bytes + 160, bytes + 200)
        return storeHalf(1 / inverse, target + 208)
    }

    private static func storeQuants(
        _ half: Half, _ inverse: Float, _ low: UnsafeMutablePointer<UInt8>,
        _ high: UnsafeMutablePointer<UInt8>, _ scales: UnsafeMutablePointer<UInt8>
    ) {
        let bytes = (inverse * half.scales).nearest().clamped(-128, 127)
        for lane in 0..<8 { scales[lane] = UInt8(bitPattern: Int8(bytes[lane])) }
        // With the scales as they are stored, the quants are taken once more.
        let scale = Float(Float16(1 / inverse)) * bytes
        let isKept = scale .== 0
        for index in 0..<length {
            let again = (half.x[index] / scale).nearest().clamped(-32, 31) + 32
            half.quants[index] = choose(isKept, half.quants[index], again)
        }
        // Of the 128 numbers, a byte has the low bits of n and n + 64, and one the upper bits of n, n + 32, n + 64, n + 96.
        for number in 0..<32 {
            let (lane, index) = (number / length, number % length)
            let quants = half.quants[index]
            let (a, b) = (UInt8(quants[lane]), UInt8(quants[lane + 2]))
            let (c, d) = (UInt8(quants[lane + 4]), UInt8(quants[lane + 6]))
            low[number] = a & 15 | c << 4
            low[number + 32] = b & 15 | d << 4
            high[number] = a >> 4 | (b >> 4) << 2 | (c >> 4) << 4 | (d >> 4) << 6
        }
    }
}
