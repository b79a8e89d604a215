import ImageCodecs
import Tensors

// Between 8-bit pictures and maps of numbers from -1 to 1, as diffusers' VaeImageProcessor goes.

extension Bitmap {
    /// The colours as a map `[H, W, 3]` from -1 to 1; there must be no alpha.
    func map() -> FeatureMap {
        precondition(channels == 3, "a picture without alpha")
        let pixels = Tensor(rows: height * width, columns: 3)
        let target = pixels.floats
        samples.withUnsafeBufferPointer { samples in
            for index in samples.indices { target[index] = 2 * (Float(samples[index]) / 255) - 1 }
        }
        return FeatureMap(height: height, width: width, pixels: pixels)
    }

    /// The picture of a map `[H, W, 3]` from -1 to 1; what lies outside is cut off, and NaN is black.
    init(_ map: FeatureMap) {
        precondition(map.channels == 3, "a map of colours")
        let source = map.pixels.floats
        let samples = [UInt8](unsafeUninitializedCapacity: source.count) { samples, count in
            for index in source.indices {
                let value = source[index] * 0.5 + 0.5
                let level = value > 0 ? min(value, 1) : 0
                samples[index] = UInt8((level * 255).rounded(.toNearestOrEven))
            }
            count = source.count
        }
        extendLifetime(map)
        self.init(width: map.width, height: map.height, channels: 3, samples: samples)
    }

    /// Which latents of `height` × `width` are painted anew (1) and which are kept (0), for each pixel `[h * w]`; the
    /// picture is brought to the size `picture` first.
    func mask(picture: (width: Int, height: Int), height: Int, width: Int) -> [Float] {
        let light = withoutAlpha().resized(width: picture.width, height: picture.height).luminance()
        return (0..<height * width).map { index in
            let (row, column) = (index / width, index % width)
            let source = row * picture.height / height * picture.width + column * picture.width / width
            return Float(light[source]) / 255 < 0.5 ? 0 : 1
        }
    }
}
