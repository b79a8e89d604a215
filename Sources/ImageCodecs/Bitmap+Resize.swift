import Glibc

extension Bitmap {
    /// How a pixel of a resized picture is made of those around its place.
    public enum ResizeFilter: Sendable, CaseIterable {
        /// The mean of the pixels that it covers: for thumbnails.
        case box
        /// Lanczos with three lobes.
        case lanczos

        /// How far it reaches, in pixels of the smaller picture.
        var support: Double { self == .box ? 0.5 : 3 }

        func weight(at x: Double) -> Double {
            switch self {
            case .box: x > -0.5 && x <= 0.5 ? 1 : 0
            case .lanczos: x >= -3 && x < 3 ? Self.sinc(x) * Self.sinc(x / 3) : 0
            }
        }

        private static func sinc(_ x: Double) -> Double {
            x == 0 ? 1 : sin(x * .pi) / (x * .pi)
        }
    }

    /// The picture in another size; its samples are those of Pillow's `Image.resize`, bit for bit.
    ///
    /// Pixels with transparency weigh as much as they are opaque.
    public func resized(width: Int, height: Int, filter: ResizeFilter = .lanczos) -> Bitmap {
        guard width != self.width || height != self.height else { return self }
        guard channels == 4 else { return resampled(width, height, filter) }
        return premultiplied().resampled(width, height, filter).unpremultiplied()
    }

    /// Whole numbers that fit into a box of `width` and `height` in the picture's own proportions, at least 1.
    public func fitting(width: Int, height: Int) -> (width: Int, height: Int) {
        let scale = min(Double(width) / Double(self.width), Double(height) / Double(self.height))
        return (
            min(width, max(1, Int((Double(self.width) * scale).rounded()))),
            min(height, max(1, Int((Double(self.height) * scale).rounded())))
        )
    }

    /// One way, rounded to 8 bits, then the other; Pillow 13's rule says which comes first.
    private func resampled(_ width: Int, _ height: Int, _ filter: ResizeFilter) -> Bitmap {
        let columnsFirst = height < self.height && self.height - height > 2 * (self.width - width)
        var result = self
        for isColumns in [columnsFirst, !columnsFirst] {
            if isColumns, height != self.height {
                result = result.resampledColumns(ResampleTable(self.height, height, filter))
            } else if !isColumns, width != self.width {
                result = result.resampledRows(ResampleTable(self.width, width, filter))
            }
        }
        return result
    }

    private func resampledRows(_ table: ResampleTable) -> Bitmap {
        let (channels, oldStride) = (channels, width * channels)
        let stride = table.count * channels
        let made = [UInt8](unsafeUninitializedCapacity: height * stride) { output, count in
            samples.withUnsafeBufferPointer { input in
                for y in 0..<height {
                    for x in 0..<table.count {
                        let start = y * oldStride + table.starts[x] * channels
                        let weights = table.weights(for: x)
                        for channel in 0..<channels {
                            var sum = ResampleTable.half
                            for (index, weight) in weights.enumerated() {
                                sum &+= Int(input[start + index * channels + channel]) &* weight
                            }
                            output[y * stride + x * channels + channel] = ResampleTable.sample(sum)
                        }
                    }
                }
            }
            count = height * stride
        }
        return Bitmap(width: table.count, height: height, channels: channels, samples: made)
    }

    private func resampledColumns(_ table: ResampleTable) -> Bitmap {
        let stride = width * channels
        var sums = [Int](repeating: 0, count: stride)
        let made = [UInt8](unsafeUninitializedCapacity: table.count * stride) { output, count in
            samples.withUnsafeBufferPointer { input in
                for y in 0..<table.count {
                    for x in 0..<stride { sums[x] = ResampleTable.half }
                    for (index, weight) in table.weights(for: y).enumerated() {
                        let start = (table.starts[y] + index) * stride
                        for x in 0..<stride { sums[x] &+= Int(input[start + x]) &* weight }
                    }
                    for x in 0..<stride { output[y * stride + x] = ResampleTable.sample(sums[x]) }
                }
            }
            count = table.count * stride
        }
        return Bitmap(width: width, height: table.count, channels: channels, samples: made)
    }

    // MARK: - Transparency, with Pillow's rounding

    private func premultiplied() -> Bitmap {
        mappingPixels { color, alpha in
            let product = Int(color) * Int(alpha) + 128
            return UInt8((product >> 8 + product) >> 8)
        }
    }

    private func unpremultiplied() -> Bitmap {
        mappingPixels { color, alpha in
            alpha == 0 || alpha == 255 ? color : UInt8(min(255, 255 * Int(color) / Int(alpha)))
        }
    }

    private func mappingPixels(_ color: (_ color: UInt8, _ alpha: UInt8) -> UInt8) -> Bitmap {
        var result = self
        for start in stride(from: 0, to: samples.count, by: 4) {
            let alpha = samples[start + 3]
            for index in start..<start + 3 { result.samples[index] = color(samples[index], alpha) }
        }
        return result
    }
}

/// Which pixels of a line make up each pixel of a longer or shorter one.
private struct ResampleTable {
    /// Pixels of the new line.
    let count: Int
    /// The first old pixel that counts for each new one.
    private(set) var starts: [Int] = []
    private var ends: [Int] = []
    private var values: [Int] = []

    /// Weights are whole numbers of this many bits behind the point.
    private static let bits = 22
    static let half = 1 << (bits - 1)

    init(_ oldCount: Int, _ count: Int, _ filter: Bitmap.ResizeFilter) {
        self.count = count
        let scale = Double(oldCount) / Double(count)
        let stretch = max(scale, 1)
        let support = filter.support * stretch
        for index in 0..<count {
            let center = (Double(index) + 0.5) * scale
            let start = max(0, Int(center - support + 0.5))
            let end = min(oldCount, Int(center + support + 0.5))
            let weights = (start..<end).map { filter.weight(at: (Double($0) - center + 0.5) * (1 / stretch)) }
            let sum = weights.reduce(0, +)
            starts.append(start)
            values += weights.map { weight in
                let share = sum == 0 ? weight : weight * (1 / sum)
                return Int((share < 0 ? -0.5 : 0.5) + share * Double(1 << Self.bits))
            }
            ends.append(values.count)
        }
    }

    func weights(for index: Int) -> ArraySlice<Int> {
        values[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
    }

    static func sample(_ sum: Int) -> UInt8 { UInt8(clamping: sum >> bits) }
}
