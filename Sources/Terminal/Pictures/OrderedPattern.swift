/// Bayer's pattern of 8 x 8 thresholds: few colours share an area by it, the same way in each frame.
enum OrderedPattern {
    /// 0 to 63, each once in 8 x 8 places.
    static func value(x: Int, y: Int) -> Int { values[(y & 7) << 3 | x & 7] }

    private static let values: [Int] = (0..<64).map { index in
        // The bits of x ^ y and y, interlaced from the last.
        let (x, y) = (index % 8, index / 8)
        return (0..<3).reduce(0) { $0 << 2 | ((x ^ y) >> $1 & 1) << 1 | (y >> $1 & 1) }
    }
}
