import ImageCodecs

/// The colours that stand for a picture's many: its colours' space cut again and again where they vary most.
struct SixelPalette {
    private(set) var colors: [Bitmap.Color] = []
    /// Whether the picture has few colours, and each of them is here.
    private(set) var isExact = false

    /// The pixels of similar colours, which differ in the last three bits of each sample.
    private struct Bin {
        var count = 0
        var sums = SIMD3<Int>()

        var mean: SIMD3<Double> { SIMD3<Double>(sums) / Double(max(count, 1)) }
    }

    /// Bins that share a colour.
    private struct Group {
        var bins: [Bin]
        private(set) var mean = SIMD3<Double>()
        /// Where the colours vary most, and how much: the sum of the squares.
        private(set) var axis = 0
        private(set) var spread = 0.0

        init(_ bins: [Bin]) {
            self.bins = bins
            let count = bins.reduce(0) { $0 + $1.count }
            mean = SIMD3<Double>(bins.reduce(SIMD3<Int>()) { $0 &+ $1.sums }) / Double(max(count, 1))
            var spreads = SIMD3<Double>()
            for bin in bins {
                let difference = bin.mean - mean
                spreads += difference * difference * Double(bin.count)
            }
            axis = (0..<3).max { spreads[$0] < spreads[$1] } ?? 0
            spread = spreads[axis]
        }
    }

    /// The colours of an RGB picture, at most `limit`.
    init(_ picture: Bitmap, limit: Int) {
        if let few = Self.distinct(picture, limit: limit) {
            (colors, isExact) = (few, true)
            return
        }
        var bins = [Bin](repeating: Bin(), count: 1 << 15)
        for start in stride(from: 0, to: picture.samples.count, by: 3) {
            let color = SIMD3(
                Int(picture.samples[start]), Int(picture.samples[start + 1]), Int(picture.samples[start + 2]))
            let bin = ColorLookup.bin(color.x, color.y, color.z)
            bins[bin].count += 1
            bins[bin].sums &+= color
        }
        var groups = [Group(bins.filter { $0.count > 0 })]
        while groups.count < limit {
            guard let widest = groups.indices.max(by: { groups[$0].spread < groups[$1].spread }),
                groups[widest].spread > 0
            else { break }
            let group = groups[widest]
            let lower = group.bins.filter { $0.mean[group.axis] < group.mean[group.axis] }
            let upper = group.bins.filter { $0.mean[group.axis] >= group.mean[group.axis] }
            guard !lower.isEmpty, !upper.isEmpty else { break }
            groups[widest] = Group(lower)
            groups.append(Group(upper))
        }
        colors = groups.map { group in
            func sample(_ axis: Int) -> UInt8 { UInt8(min(255, max(0, group.mean[axis].rounded()))) }
            return Bitmap.Color(red: sample(0), green: sample(1), blue: sample(2))
        }
    }

    /// The picture's colours where they are few, in the order of their first pixels.
    private static func distinct(_ picture: Bitmap, limit: Int) -> [Bitmap.Color]? {
        var seen: Set<Int> = []
        var colors: [Bitmap.Color] = []
        var last = -1
        for start in stride(from: 0, to: picture.samples.count, by: 3) {
            let (red, green, blue) = (
                picture.samples[start], picture.samples[start + 1], picture.samples[start + 2]
            )
            let code = Int(red) << 16 | Int(green) << 8 | Int(blue)
            if code == last { continue }
            last = code
            guard seen.insert(code).inserted else { continue }
            guard colors.count < limit else { return nil }
            colors.append(Bitmap.Color(red: red, green: green, blue: blue))
        }
        return colors
    }

    func lookup() -> ColorLookup { ColorLookup(colors, isExact: isExact) }
}

/// Finds the nearest colour of a palette; remembers what it found.
struct ColorLookup {
    private let colors: [Bitmap.Color]
    /// The palette's indices of all colours that there are, where they are few.
    private var exact: [Int: UInt8] = [:]
    /// The palette's index for each bin that was asked for, or -1.
    private var found = [Int16](repeating: -1, count: 1 << 15)

    init(_ colors: [Bitmap.Color], isExact: Bool) {
        self.colors = colors
        guard isExact else { return }
        for (index, color) in colors.enumerated() {
            exact[Self.code(Int(color.red), Int(color.green), Int(color.blue))] = UInt8(index)
        }
    }

    /// Five bits of each sample.
    static func bin(_ red: Int, _ green: Int, _ blue: Int) -> Int {
        (red >> 3) << 10 | (green >> 3) << 5 | blue >> 3
    }

    private static func code(_ red: Int, _ green: Int, _ blue: Int) -> Int { red << 16 | green << 8 | blue }

    /// The index for a colour whose samples may be out of range.
    mutating func index(_ red: Int, _ green: Int, _ blue: Int) -> UInt8 {
        let (red, green, blue) = (min(255, max(0, red)), min(255, max(0, green)), min(255, max(0, blue)))
        if !exact.isEmpty, let index = exact[Self.code(red, green, blue)] { return index }
        let bin = Self.bin(red, green, blue)
        if found[bin] >= 0 { return UInt8(found[bin]) }
        let center = (red & 0xF8 | 4, green & 0xF8 | 4, blue & 0xF8 | 4)
        var best = (index: 0, distance: Int.max)
        for (index, color) in colors.enumerated() {
            let (dr, dg, db) = (
                Int(color.red) - center.0, Int(color.green) - center.1, Int(color.blue) - center.2
            )
            // The eye tells greens apart best and blues least.
            let distance = 2 * dr * dr + 4 * dg * dg + db * db
            if distance < best.distance { best = (index, distance) }
        }
        found[bin] = Int16(best.index)
        return UInt8(best.index)
    }
}
