import CKernels

// H rows and W pixels of a map, S rows, C channels, G groups

extension Operations {
    /// activation(group norm of `x` [H, W, C]): each of `groupCount` groups of neighbouring channels is normalised over
    /// all pixels, then scaled by `weight` and shifted by `bias`, both `[1, C]` (Wu and He 2018).
    ///
    /// - Throws: `Interrupted` when `checkpoint` does.
    public func groupNorm(
        _ x: FeatureMap, groupCount: Int, weight: Tensor, bias: Tensor, epsilon: Float,
        activation: Activation = .none, checkpoint: InterruptionCheck
    ) throws(Interrupted) -> FeatureMap {
        precondition(groupCount > 0 && x.channels % groupCount == 0, "groups of equal size")
        precondition(
            weight.rows * weight.columns == x.channels && bias.rows * bias.columns == x.channels,
            "norm of another size")
        let out = makeTensor(rows: x.pixels.rows, columns: x.channels)
        let factors = try channelFactors(
            x, groupCount: groupCount, weight: weight, bias: bias, epsilon: epsilon, checkpoint: checkpoint)
        let scaleChannels = pictureKernels.pointee.scale_channels
        let tiles = RowTiles(rows: out.rows, columns: out.columns)
        try pool.run(parts: tiles.count, checkpoint: checkpoint) { part in
            let (rows, offset) = (tiles[part].count, tiles[part].lowerBound * out.columns)
            scaleChannels(
                x.pixels.pointer + offset, Int64(rows), Int64(out.columns), factors[0].pointer,
                factors[1].pointer, activation.kernel, out.pointer + offset)
        }
        extendLifetime((x, factors))
        return FeatureMap(height: x.height, width: x.width, pixels: out)
    }

    /// What group norm multiplies each channel by and then adds to it, [2, C].
    ///
    /// The moments of each tile of rows are joined in order in f64 (Chan et al. 1979): neither a mean far from 0 nor
    /// millions of pixels cost precision.
    private func channelFactors(
        _ x: FeatureMap, groupCount: Int, weight: Tensor, bias: Tensor, epsilon: Float,
        checkpoint: InterruptionCheck
    ) throws(Interrupted) -> Tensor {
        let (rows, channels) = (x.pixels.rows, x.channels)
        let tiles = RowTiles(rows: rows, columns: channels, limit: 256)
        let moments = workspace.take(.moments, count: tiles.count * groupCount * 2, as: Double.self)
        let groupMoments = pictureKernels.pointee.group_moments
        try pool.run(parts: tiles.count, checkpoint: checkpoint) { part in
            groupMoments(
                x.pixels.pointer + tiles[part].lowerBound * channels, Int64(tiles[part].count),
                Int64(channels), Int64(groupCount), moments + part * groupCount * 2)
        }
        let factors = makeTensor(rows: 2, columns: channels)
        let size = channels / groupCount
        for group in 0..<groupCount {
            var (count, mean, squares) = (0.0, 0.0, 0.0)
            for tile in 0..<tiles.count {
                let part = moments + (tile * groupCount + group) * 2
                let added = Double(tiles[tile].count * size)
                let difference = part[0] - mean
                squares += part[1] + difference * difference * (count * added / (count + added))
                mean += difference * (added / (count + added))
                count += added
            }
            let inverse = 1 / (squares / max(count, 1) + Double(epsilon)).squareRoot()
            for channel in group * size..<(group + 1) * size {
                let scale = Double(weight.pointer[channel]) * inverse
                factors.pointer[channel] = Float(scale)
                factors.pointer[channels + channel] = Float(Double(bias.pointer[channel]) - mean * scale)
            }
        }
        return factors
    }

    /// Layer norm of every row of `x` [S, C], scaled by `weight` and shifted by `bias`, both `[1, C]` (Ba, Kiros and
    /// Hinton 2016).
    public func layerNorm(_ x: Tensor, weight: Tensor, bias: Tensor, epsilon: Float) -> Tensor {
        precondition(
            weight.rows * weight.columns == x.columns && bias.rows * bias.columns == x.columns,
            "norm of another size")
        let out = makeTensor(rows: x.rows, columns: x.columns)
        let norm = pictureKernels.pointee.layer_norm
        forRows(x.rows, columns: x.columns) { row in
            let offset = row * x.columns
            norm(
                x.pointer + offset, weight.pointer, bias.pointer, epsilon, Int64(x.columns),
                out.pointer + offset)
        }
        extendLifetime((x, weight, bias))
        return out
    }
}
