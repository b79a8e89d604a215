import StrictJSON

/// Numbers between two bounds, as a grammar of their decimal digits.
struct DecimalRange {
    /// The digits of a number without its sign: before the point without leading zeros, and after it.
    private struct Magnitude {
        var whole: [UInt32]
        var fraction: [UInt32] = []

        static let zero = Magnitude(whole: [0])
        static let greatest = Magnitude(whole: Array(repeating: 9, count: JSONRules.digits))

        /// The digits of a decimal text such as `12.5` or `1e-07`; nil where they are too many.
        init?(_ text: String) {
            let parts = text.lowercased().split(separator: "e")
            guard let mantissa = parts.first, let exponent = parts.count > 1 ? Int(parts[1]) : 0,
                abs(exponent) <= 2 * JSONRules.digits
            else { return nil }
            let pieces = mantissa.split(separator: ".", omittingEmptySubsequences: false)
            var whole = pieces[0].unicodeScalars.map { $0.value - 0x30 }
            var fraction = pieces.count > 1 ? pieces[1].unicodeScalars.map { $0.value - 0x30 } : []
            for _ in 0..<max(0, exponent) { whole.append(fraction.isEmpty ? 0 : fraction.removeFirst()) }
            for _ in 0..<max(0, -exponent) { fraction.insert(whole.popLast() ?? 0, at: 0) }
            while fraction.last == 0 { fraction.removeLast() }
            whole = Array(whole.drop { $0 == 0 })
            self.whole = whole.isEmpty ? [0] : whole
            self.fraction = fraction
            guard whole.count + fraction.count <= JSONRules.digits else { return nil }
        }

        init(whole: [UInt32]) { self.whole = whole }
    }

    /// One side of the range.
    private struct Bound {
        var magnitude: Magnitude
        var isNegative: Bool
        /// Whether the bound itself belongs to the range.
        var isIncluded: Bool
    }

    private let low: Bound
    private let high: Bound
    private let takesFractions: Bool

    /// The numbers from `low` to `high`, where they are given.
    ///
    /// - Returns: nil when a bound has too many digits.
    init?(
        low: (text: String, isIncluded: Bool)?, high: (text: String, isIncluded: Bool)?, takesFractions: Bool
    ) {
        func bound(_ side: (text: String, isIncluded: Bool)?, default isNegative: Bool) -> Bound? {
            guard let side else {
                return Bound(magnitude: .greatest, isNegative: isNegative, isIncluded: true)
            }
            let minus = side.text.hasPrefix("-")
            guard let magnitude = Magnitude(minus ? String(side.text.dropFirst()) : side.text) else {
                return nil
            }
            let isZero = magnitude.whole == [0] && magnitude.fraction.isEmpty
            return Bound(magnitude: magnitude, isNegative: minus && !isZero, isIncluded: side.isIncluded)
        }
        guard let low = bound(low, default: true), let high = bound(high, default: false) else { return nil }
        (self.low, self.high, self.takesFractions) = (low, high, takesFractions)
    }

    /// The grammar; a range without numbers allows nothing.
    var expression: Expression {
        let zero = Bound(magnitude: .zero, isNegative: false, isIncluded: true)
        // "-0" is no integer that a person writes.
        let afterZero = Bound(magnitude: .zero, isNegative: false, isIncluded: false)
        var parts: [Expression] = []
        if !high.isNegative { parts.append(magnitudes(from: low.isNegative ? zero : low, to: high)) }
        if low.isNegative {
            parts.append(
                .sequence([.text("-"), magnitudes(from: high.isNegative ? high : afterZero, to: low)]))
        }
        return .choice(parts)
    }

    private func magnitudes(from low: Bound, to high: Bound) -> Expression {
        let (least, most) = (low.magnitude.whole.count, high.magnitude.whole.count)
        guard least <= most else { return JSONRules.never }
        return .choice(
            (least...most).map { count in
                Digits(low: low, high: high, count: count, takesFractions: takesFractions)
                    .whole(0, isLow: count == least, isHigh: count == most)
            })
    }

    /// Numbers with `count` digits before the point.
    private struct Digits {
        let low: Bound
        let high: Bound
        let count: Int
        let takesFractions: Bool

        private var fractionLimit: Int { takesFractions ? JSONRules.digits - count : 0 }

        /// The digits from `place` on; `isLow` says that those before are the lower bound's, `isHigh` the upper's.
        func whole(_ place: Int, isLow: Bool, isHigh: Bool) -> Expression {
            guard place < count else { return afterWhole(isLow: isLow, isHigh: isHigh) }
            let first: UInt32 = place == 0 && count > 1 ? 1 : 0
            if !isLow && !isHigh {
                let rest = Expression.repeated(
                    JSONRules.digit(0), minimum: count - place - (first == 1 ? 1 : 0),
                    maximum: count - place - (first == 1 ? 1 : 0))
                let digits: [Expression] = first == 1 ? [JSONRules.digit(1), rest] : [rest]
                return .sequence(digits + [afterWhole(isLow: false, isHigh: false)])
            }
            let least = isLow ? max(first, low.magnitude.whole[place]) : first
            let most = isHigh ? high.magnitude.whole[place] : 9
            return digit(from: least, to: most, isLow: isLow, isHigh: isHigh) { isLow, isHigh in
                whole(place + 1, isLow: isLow, isHigh: isHigh)
            }
        }

        private func afterWhole(isLow: Bool, isHigh: Bool) -> Expression {
            let fraction = fraction(0, isLow: isLow, isHigh: isHigh)
            let point = Expression.sequence([.text("."), fraction])
            return mayStop(0, isLow: isLow, isHigh: isHigh) ? .optional(point) : point
        }

        /// At least one digit after the point, from `place` on.
        private func fraction(_ place: Int, isLow: Bool, isHigh: Bool) -> Expression {
            let left = fractionLimit - place
            guard left > 0 else { return JSONRules.never }
            if !isLow && !isHigh { return .repeated(JSONRules.digit(0), minimum: 1, maximum: left) }
            let least = isLow ? Self.digit(low, place) : 0
            let most = isHigh ? Self.digit(high, place) : 9
            return digit(from: least, to: most, isLow: isLow, isHigh: isHigh) { isLow, isHigh in
                // Beyond the digits of a lower bound that is included, every digit is above it.
                let isLow = isLow && !(low.isIncluded && place + 1 >= low.magnitude.fraction.count)
                let rest = fraction(place + 1, isLow: isLow, isHigh: isHigh)
                return mayStop(place + 1, isLow: isLow, isHigh: isHigh) ? .optional(rest) : rest
            }
        }

        /// Whether the number may end after `place` digits behind the point.
        private func mayStop(_ place: Int, isLow: Bool, isHigh: Bool) -> Bool {
            if isLow, place < low.magnitude.fraction.count || !low.isIncluded { return false }
            return !isHigh || place < high.magnitude.fraction.count || high.isIncluded
        }

        private static func digit(_ bound: Bound, _ place: Int) -> UInt32 {
            place < bound.magnitude.fraction.count ? bound.magnitude.fraction[place] : 0
        }

        /// A digit and what follows it: the two ends of the range by themselves, those between together.
        private func digit(
            from least: UInt32, to most: UInt32, isLow: Bool, isHigh: Bool,
            then rest: (_ isLow: Bool, _ isHigh: Bool) -> Expression
        ) -> Expression {
            guard least <= most else { return JSONRules.never }
            func one(_ range: ClosedRange<UInt32>, _ isLow: Bool, _ isHigh: Bool) -> Expression {
                let set = ScalarSet([range.lowerBound + 0x30...range.upperBound + 0x30])
                return .sequence([.scalar(set), rest(isLow, isHigh)])
            }
            if least == most { return one(least...most, isLow, isHigh) }
            var choices: [Expression] = []
            let between = (isLow ? least + 1 : least)...
            let last = isHigh ? most - 1 : most
            if isLow { choices.append(one(least...least, true, false)) }
            if between.lowerBound <= last { choices.append(one(between.lowerBound...last, false, false)) }
            if isHigh { choices.append(one(most...most, false, true)) }
            return .choice(choices)
        }
    }
}
