extension Operations {
    /// `x` [H, W, C] in another size, each pixel the nearest one (floor of the scaled index, as torch's `nearest`).
    ///
    /// - Throws: `Interrupted` when `checkpoint` does.
    public func resizeNearest(
        _ x: FeatureMap, height: Int, width: Int, checkpoint: InterruptionCheck
    ) throws(Interrupted) -> FeatureMap {
        precondition(x.height > 0 && x.width > 0 || height * width == 0, "no pixel to repeat")
        let out = makeTensor(rows: height * width, columns: x.channels)
        try forRows(height, columns: width * x.channels, checkpoint: checkpoint) { i in
            let row = x.pixels.pointer + i * x.height / height * x.width * x.channels
            let target = out.pointer + i * width * x.channels
            for j in 0..<width {
                (target + j * x.channels).update(
                    from: row + j * x.width / width * x.channels, count: x.channels)
            }
        }
        extendLifetime(x)
        return FeatureMap(height: height, width: width, pixels: out)
    }

    /// The channels of `a` [H, W, A], then those of `b` [H, W, B]: `[H, W, A + B]`.
    public func concatenate(_ a: FeatureMap, _ b: FeatureMap) -> FeatureMap {
        precondition(a.height == b.height && a.width == b.width, "maps of the same size")
        let out = makeTensor(rows: a.pixels.rows, columns: a.channels + b.channels)
        forRows(out.rows, columns: out.columns) { row in
            let target = out.pointer + row * out.columns
            target.update(from: a.pixels.pointer + row * a.channels, count: a.channels)
            (target + a.channels).update(from: b.pixels.pointer + row * b.channels, count: b.channels)
        }
        extendLifetime((a, b))
        return FeatureMap(height: a.height, width: a.width, pixels: out)
    }
}
