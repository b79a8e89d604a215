/// Q4_K and Q5_K: 256 numbers in eight sub-blocks of 32, each `scale * quant - minimum`; both of six bits, times two halves
/// for all eight.
///
/// A lane is a sub-block. Scale and minimum are searched: for several guesses of the scale the quants are taken, then
/// the scale and minimum that fit them best by weighted least squares; the guess with the least weighted error counts.
struct ScaleMinBlocks: Sendable {
    /// The highest quant.
    let highest: Float
    /// The guesses: so much is added to the highest quant for the first one, and for each further one 0.1.
    let firstGuess: Float
    let guesses: Int

    static let q4K = ScaleMinBlocks(highest: 15, firstGuess: -1, guesses: 20)
    static let q5K = ScaleMinBlocks(highest: 31, firstGuess: -0.5, guesses: 15)

    private static let length = 32

    /// What is found for a block.
    private struct Fit {
        var scale: Lanes
        /// What is added, never positive.
        var offset: Lanes
    }

    func encode(_ source: UnsafePointer<Float>, into target: UnsafeMutableRawPointer) -> Bool {
        withUnsafeTemporaryAllocation(of: Lanes.self, capacity: 4 * Self.length) { memory in
            guard let x = memory.baseAddress else { return false }
            let (weights, quants, trial) = (x + Self.length, x + 2 * Self.length, x + 3 * Self.length)
            for index in 0..<Self.length {
                for lane in 0..<8 { x[index][lane] = source[lane * Self.length + index] }
            }
            weigh(x, weights)
            let fit = search(x, weights, quants, trial)
            return store(fit, x, quants, target)
        }
    }

    /// The root mean square of a sub-block plus each number's magnitude: large numbers matter more.
    private func weigh(_ x: UnsafePointer<Lanes>, _ weights: UnsafeMutablePointer<Lanes>) {
        var squares = Lanes.zero
        for index in 0..<Self.length { squares += x[index] * x[index] }
        let mean = (squares / 32).squareRoot()
        for index in 0..<Self.length { weights[index] = mean + x[index].magnitudes }
    }

    private func search(
        _ x: UnsafePointer<Lanes>, _ weights: UnsafePointer<Lanes>, _ quants: UnsafeMutablePointer<Lanes>,
        _ trial: UnsafeMutablePointer<Lanes>
    ) -> Fit {
        var (low, high) = (x[0], x[0])
        var sumW = weights[0]
        var sumX = sumW * x[0]
        for index in 1..<Self.length {
            low = choose(x[index] .< low, x[index], low)
            high = choose(x[index] .> high, x[index], high)
            sumW += weights[index]
            sumX += weights[index] * x[index]
        }
        low = choose(low .> 0, .zero, low)
        let isFlat = high .== low
        let inverse = highest / choose(isFlat, .one, high - low)
        var fit = Fit(scale: 1 / inverse, offset: low)
        for index in 0..<Self.length { quants[index] = quant(inverse * (x[index] - low)) }
        var best = error(of: fit, quants, x, weights)
        for guess in 0...guesses {
            // What was found so far counts for the next guess, too.
            let inverse = (firstGuess + 0.1 * Float(guess) + highest) / (high - fit.offset)
            var (sumL, sumLL, sumXL) = (Lanes.zero, Lanes.zero, Lanes.zero)
            for index in 0..<Self.length {
                let value = quant(inverse * (x[index] - fit.offset))
                trial[index] = value
                let weighted = weights[index] * value
                sumL += weighted
                sumLL += weighted * value
                sumXL += weighted * x[index]
            }
            let determinant = sumW * sumLL - sumL * sumL
            let offset = (sumLL * sumX - sumL * sumXL) / determinant
            let isPositive = offset .> 0
            let candidate = Fit(
                scale: choose(isPositive, sumXL / sumLL, (sumW * sumXL - sumX * sumL) / determinant),
                offset: choose(isPositive, .zero, offset))
            let error = error(of: candidate, trial, x, weights)
            let isBetter = (determinant .> 0) .& (error .< best)
            guard any(isBetter) else { continue }
            best = choose(isBetter, error, best)
            fit.scale = choose(isBetter, candidate.scale, fit.scale)
            fit.offset = choose(isBetter, candidate.offset, fit.offset)
            for index in 0..<Self.length { quants[index] = choose(isBetter, trial[index], quants[index]) }
        }
        for index in 0..<Self.length { quants[index] = choose(isFlat, .zero, quants[index]) }
        return Fit(scale: choose(isFlat, .zero, fit.scale), offset: choose(isFlat, low, fit.offset))
    }

    @inline(__always)
    private func error(
        of fit: Fit, _ quants: UnsafePointer<Lanes>, _ x: UnsafePointer<Lanes>,
        _ weights: UnsafePointer<Lanes>
    ) -> Lanes {
        var error = Lanes.zero
        for index in 0..<Self.length {
            let difference = fit.scale * quants[index] + fit.offset - x[index]
            error += weights[index] * (difference * difference)
        }
        return error
    }

    @inline(__always)
    private func quant(_ value: Lanes) -> Lanes { value.nearest().clamped(0, highest) }

    // MARK: - Bytes

    /// Two halves, twelve bytes of scales and minima, for Q5_K the fifth bits, then the low four bits.
    private func store(
        _ fit: Fit, _ x: UnsafePointer<Lanes>, _ quants: UnsafeMutablePointer<Lanes>,
        _ target: UnsafeMutableRawPointer
    ) -> Bool {
        let (largestScale, largestMinimum) = (largest(fit.scale), largest(-fit.offset))
        let scales = sixBits(fit.scale, largest: largestScale)
        let minima = sixBits(-fit.offset, largest: largestMinimum)
        let fitsScale = storeHalf(largestScale / 63, target)
        let fitsMinimum = storeHalf(largestMinimum / 63, target + 2)
        storeScales(scales, minima, target + 4)
        // With the scales as they are stored, the quants are taken once more.
        let scale = Float(Float16(largestScale / 63)) * scales
        let minimum = Float(Float16(largestMinimum / 63)) * minima
        let isKept = scale .== 0
        for index in 0..<Self.length {
            quants[index] = choose(isKept, quants[index], quant((x[index] + minimum) / scale))
        }
        storeQuants(quants, target + 16)
        return fitsScale && fitsMinimum
    }

    /// The largest, at least a positive zero, whose bits differ from a negative one's.
    private func largest(_ values: Lanes) -> Float { values.max() > 0 ? values.max() : 0 }

    private func sixBits(_ values: Lanes, largest: Float) -> Lanes {
        largest > 0 ? (63 / largest * values).nearest().clamped(0, 63) : .zero
    }

    /// The first four of each in six bits of a byte of their own, whose upper two bits are those of the last four.
    private func storeScales(_ scales: Lanes, _ minima: Lanes, _ target: UnsafeMutableRawPointer) {
        let bytes = target.assumingMemoryBound(to: UInt8.self)
        for index in 0..<4 {
            let (scale, minimum) = (UInt8(scales[index]), UInt8(minima[index]))
            let (later, laterMinimum) = (UInt8(scales[index + 4]), UInt8(minima[index + 4]))
            bytes[index] = scale | (later >> 4) << 6
            bytes[index + 4] = minimum | (laterMinimum >> 4) << 6
            bytes[index + 8] = later & 15 | laterMinimum << 4
        }
    }

    /// A byte has the low four bits of two neighbouring sub-blocks' numbers; bit j of a fifth-bits byte is sub-block j's.
    private func storeQuants(_ quants: UnsafePointer<Lanes>, _ target: UnsafeMutableRawPointer) {
        let bytes = target.assumingMemoryBound(to: UInt8.self)
        let hasFifth = highest > 15
        let low = hasFifth ? bytes + Self.length : bytes
        for index in 0..<Self.length {
            var fifth: UInt8 = 0
            for pair in 0..<4 {
                let first = UInt8(quants[index][2 * pair])
                let second = UInt8(quants[index][2 * pair + 1])
                low[pair * Self.length + index] = first & 15 | second << 4
                fifth |= (first >> 4) << UInt8(2 * pair) | (second >> 4) << UInt8(2 * pair + 1)
            }
            if hasFifth { bytes[index] = fifth }
        }
    }
}
