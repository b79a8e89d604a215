import Tensors

/// From which size on an autoencoder works in overlapping tiles, so that its memory stays bounded.
///
/// Up to that size the picture is the reference's. Tiles differ a little, since norms see only a part.
struct PictureTiling: Sendable {
    /// Pictures of up to so many pixels are done whole.
    var wholePixels = 1024 * 1024
    /// Side of a tile in pixels; nil for that of the pictures which the autoencoder was trained with, from 256 to 512.
    var tileSide: Int?

    /// Side of a tile in latents, a multiple of 4; nil for the whole of `latents` `[h, w, C]`.
    func latentTile(_ latents: FeatureMap, _ config: AutoencoderConfiguration) -> Int? {
        latentTile(
            height: latents.height, width: latents.width, factor: config.factor,
            sampleSize: config.sampleSize)
    }

    /// Side of a tile in pixels; nil for the whole of `picture` `[H, W, 3]`.
    func pictureTile(_ picture: FeatureMap, _ config: AutoencoderConfiguration) -> Int? {
        let factor = config.factor
        return latentTile(
            height: picture.height / factor, width: picture.width / factor, factor: factor,
            sampleSize: config.sampleSize
        ).map { $0 * factor }
    }

    /// Side of a tile in latents for latents of this size, each of `factor` × `factor` pixels.
    func latentTile(height: Int, width: Int, factor: Int, sampleSize: Int) -> Int? {
        let (rows, columns) = (height * factor, width * factor)
        guard rows.multipliedReportingOverflow(by: columns).overflow || rows * columns > wholePixels else {
            return nil
        }
        let side = tileSide ?? min(max(sampleSize, 256), 512)
        let tile = max(4, side / factor / 4 * 4)
        return height > tile || width > tile ? tile : nil
    }
}

/// A network applied to tiles of a map that overlap by a quarter, blended where they do, as diffusers does it.
struct MapTiles {
    /// Side of a tile of the input, a multiple of 4.
    let tile: Int
    /// Side of what the network makes of it, a multiple of 4.
    let outputTile: Int

    /// What `network` makes of `x`, tile by tile.
    ///
    /// - Throws: `Interrupted` when the network does.
    func callAsFunction(
        _ x: FeatureMap, _ pass: Pass, _ network: (FeatureMap) throws(Interrupted) -> FeatureMap
    ) throws(Interrupted) -> FeatureMap {
        let (rows, columns) = (starts(x.height), starts(x.width))
        let (height, width) = (x.height * outputTile / tile, x.width * outputTile / tile)
        let kept = outputTile - outputTile / 4
        var result: Tensor?
        var above: [FeatureMap] = []
        for (i, top) in rows.enumerated() {
            var row: [FeatureMap] = []
            for (j, left) in columns.enumerated() {
                let part = crop(x, top: top, left: left, pass)
                let output = try network(part)
                if i > 0 { blend(output, below: above[j]) }
                if j > 0 { blend(output, rightOf: row[j - 1]) }
                row.append(output)
                let whole =
                    result ?? pass.operations.makeTensor(rows: height * width, columns: output.channels)
                result = whole
                let used = (
                    i == rows.count - 1 ? output.height : kept, j == columns.count - 1 ? output.width : kept
                )
                copy(
                    output, rows: used.0, columns: used.1, to: whole, at: (i * kept) * width + j * kept, width
                )
            }
            above = row
        }
        return FeatureMap(
            height: height, width: width, pixels: result ?? pass.operations.makeTensor(rows: 0, columns: 0))
    }

    /// Where tiles begin along a side: three quarters of a tile apart, until one reaches the end.
    private func starts(_ length: Int) -> [Int] {
        var starts = [0]
        while let last = starts.last, last + tile < length { starts.append(last + tile / 4 * 3) }
        return starts
    }

    private func crop(_ x: FeatureMap, top: Int, left: Int, _ pass: Pass) -> FeatureMap {
        let (height, width) = (min(tile, x.height - top), min(tile, x.width - left))
        let pixels = pass.operations.makeTensor(rows: height * width, columns: x.channels)
        let (source, target) = (x.pixels.floats, pixels.floats)
        let count = width * x.channels
        for i in 0..<height {
            let start = ((top + i) * x.width + left) * x.channels
            _ = target[(i * count)...].update(fromContentsOf: source[start..<start + count])
        }
        extendLifetime(x)
        return FeatureMap(height: height, width: width, pixels: pixels)
    }

    /// Goes over from the last rows of `above` to the first of `tile`, which lie on each other.
    private func blend(_ tile: FeatureMap, below above: FeatureMap) {
        let extent = outputTile / 4
        let (source, target) = (above.pixels.floats, tile.pixels.floats)
        let count = tile.width * tile.channels
        for y in 0..<extent {
            let weight = Float(y) / Float(extent)
            let start = (above.height - extent + y) * count
            for index in 0..<count {
                target[y * count + index] =
                    source[start + index] * (1 - weight) + target[y * count + index] * weight
            }
        }
        extendLifetime((above, tile))
    }

    /// Goes over from the last columns of `left` to the first of `tile`, which lie on each other.
    private func blend(_ tile: FeatureMap, rightOf left: FeatureMap) {
        let extent = outputTile / 4
        let (source, target) = (left.pixels.floats, tile.pixels.floats)
        let channels = tile.channels
        for y in 0..<tile.height {
            for x in 0..<extent {
                let weight = Float(x) / Float(extent)
                let from = (y * left.width + left.width - extent + x) * channels
                let to = (y * tile.width + x) * channels
                for c in 0..<channels {
                    target[to + c] = source[from + c] * (1 - weight) + target[to + c] * weight
                }
            }
        }
        extendLifetime((left, tile))
    }

    /// Copies the first `rows` and `columns` of a tile to pixel `start` of a map that is `width` wide.
    private func copy(
        _ tile: FeatureMap, rows: Int, columns: Int, to whole: Tensor, at start: Int, _ width: Int
    ) {
        let (source, target) = (tile.pixels.floats, whole.floats)
        let count = columns * tile.channels
        for y in 0..<rows {
            let from = y * tile.width * tile.channels
            _ = target[((start + y * width) * tile.channels)...].update(
                fromContentsOf: source[from..<from + count])
        }
        extendLifetime((tile, whole))
    }
}
