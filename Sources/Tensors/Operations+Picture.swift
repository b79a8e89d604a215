import Glibc

// What picture networks need beside products and convolutions.
//
// S rows (tokens or pixels), T rows of the context, H heads, D head dimension, C channels

extension Operations {
    /// `[S, N]` = activation(`x` [S, K] * `weight` [N, K] transposed + `bias` [1, N] + `residual` [S, N]).
    ///
    /// - Throws: `Interrupted` when `checkpoint` does.
    public func linear(
        _ x: Tensor, by weight: WeightTensor, bias: Tensor? = nil, adding residual: Tensor? = nil,
        activation: Activation = .none, checkpoint: InterruptionCheck
    ) throws(Interrupted) -> Tensor {
        let out = makeTensor(rows: x.rows, columns: weight.rows)
        try multiply(x, by: [weight], into: [out], checkpoint: checkpoint)
        for row in 0..<x.rows {
            for n in 0..<out.columns {
                let index = row * out.columns + n
                var sum = out.pointer[index] + (bias?.pointer[n] ?? 0)
                sum += residual?.pointer[index] ?? 0
                out.pointer[index] = activation(sum)
            }
        }
        return out
    }

    /// activation(group norm of `x` [H, W, C]): each of `groupCount` groups of neighbouring channels is normalised over
    /// all pixels, then scaled by `weight` and shifted by `bias`, both `[1, C]` (Wu and He 2018).
    ///
    /// - Throws: `Interrupted` when `checkpoint` does.
    public func groupNorm(
        _ x: FeatureMap, groupCount: Int, weight: Tensor, bias: Tensor, epsilon: Float,
        activation: Activation = .none, checkpoint: InterruptionCheck
    ) throws(Interrupted) -> FeatureMap {
        precondition(x.channels % groupCount == 0, "groups of equal size")
        let out = makeTensor(rows: x.pixels.rows, columns: x.channels)
        let size = x.channels / groupCount
        let (source, rows, columns) = (x.pixels.pointer, out.rows, out.columns)
        try pool.run(parts: groupCount, checkpoint: checkpoint) { group in
            var (sum, squares) = (0.0, 0.0)
            let channels = group * size..<(group + 1) * size
            for row in 0..<rows {
                for c in channels {
                    let value = Double(source[row * columns + c])
                    sum += value
                    squares += value * value
                }
            }
            let count = Double(rows * size)
            let mean = sum / count
            let scale = 1 / (squares / count - mean * mean + Double(epsilon)).squareRoot()
            for row in 0..<rows {
                for c in channels {
                    let value = Float((Double(source[row * columns + c]) - mean) * scale)
                    out.pointer[row * columns + c] = activation(value * weight.pointer[c] + bias.pointer[c])
                }
            }
        }
        return FeatureMap(height: x.height, width: x.width, pixels: out)
    }

    /// Layer norm of every row of `x` [S, C], scaled by `weight` and shifted by `bias`, both `[1, C]` (Ba et al. 2016).
    public func layerNorm(_ x: Tensor, weight: Tensor, bias: Tensor, epsilon: Float) -> Tensor {
        let out = makeTensor(rows: x.rows, columns: x.columns)
        for row in 0..<x.rows {
            let (source, target) = (x.pointer + row * x.columns, out.pointer + row * x.columns)
            var (mean, variance) = (Float(0), Float(0))
            for c in 0..<x.columns { mean += source[c] }
            mean /= Float(x.columns)
            for c in 0..<x.columns { variance += (source[c] - mean) * (source[c] - mean) }
            let scale = 1 / (variance / Float(x.columns) + epsilon).squareRoot()
            for c in 0..<x.columns {
                target[c] = (source[c] - mean) * scale * weight.pointer[c] + bias.pointer[c]
            }
        }
        return out
    }

    /// `[S, N]`: the first half of each row of `x` [S, 2 N] times the gelu of the second (Shazeer 2020).
    public func geglu(_ x: Tensor) -> Tensor {
        let out = makeTensor(rows: x.rows, columns: x.columns / 2)
        for row in 0..<out.rows {
            for n in 0..<out.columns {
                let source = x.pointer + row * x.columns + n
                out.pointer[row * out.columns + n] = source[0] * Activation.gelu(source[out.columns])
            }
        }
        return out
    }

    /// The elements of `x` after `activation`.
    public func apply(_ activation: Activation, to x: Tensor) -> Tensor {
        let out = makeTensor(rows: x.rows, columns: x.columns)
        for index in 0..<x.rows * x.columns { out.pointer[index] = activation(x.pointer[index]) }
        return out
    }

    /// `[S, H * D]`: softmax(`q` kᵀ · `scale`) v for each head, with `q` [S, H * D], `k` and `v` [T, H * D].
    ///
    /// Tiled with an online softmax (Dao et al. 2022): no matrix `[H, S, T]` is ever stored. With `isCausal` row s sees
    /// the rows up to s only.
    /// - Throws: `Interrupted` when `checkpoint` does.
    public func attention(
        _ q: Tensor, keys k: Tensor, values v: Tensor, headCount: Int, scale: Float, isCausal: Bool = false,
        checkpoint: InterruptionCheck
    ) throws(Interrupted) -> Tensor {
        precondition(
            q.columns == k.columns && k.columns == v.columns && k.rows == v.rows, "heads of equal size")
        precondition(q.columns % headCount == 0, "heads of equal size")
        let out = makeTensor(rows: q.rows, columns: q.columns)
        let dim = q.columns / headCount
        try pool.run(parts: headCount, checkpoint: checkpoint) { head in
            var scores = [Float](repeating: 0, count: k.rows)
            for s in 0..<q.rows {
                let visible = isCausal ? min(s + 1, k.rows) : k.rows
                let query = q.pointer + s * q.columns + head * dim
                var greatest = -Float.infinity
                for t in 0..<visible {
                    let key = k.pointer + t * k.columns + head * dim
                    var sum: Float = 0
                    for d in 0..<dim { sum += query[d] * key[d] }
                    scores[t] = sum * scale
                    greatest = max(greatest, scores[t])
                }
                var total: Float = 0
                let target = out.pointer + s * out.columns + head * dim
                for d in 0..<dim { target[d] = 0 }
                for t in 0..<visible {
                    let weight = expf(scores[t] - greatest)
                    total += weight
                    let value = v.pointer + t * v.columns + head * dim
                    for d in 0..<dim { target[d] += weight * value[d] }
                }
                for d in 0..<dim { target[d] /= total }
            }
        }
        return out
    }

    /// `x` [H, W, C] in another size, each pixel the nearest one (floor of the scaled index, as torch's `nearest`).
    public func resizeNearest(_ x: FeatureMap, height: Int, width: Int) -> FeatureMap {
        let out = makeTensor(rows: height * width, columns: x.channels)
        for i in 0..<height {
            for j in 0..<width {
                let source = (i * x.height / height) * x.width + j * x.width / width
                (out.pointer + (i * width + j) * x.channels).update(
                    from: x.pixels.pointer + source * x.channels, count: x.channels)
            }
        }
        return FeatureMap(height: height, width: width, pixels: out)
    }

    /// The channels of `a` [H, W, A], then those of `b` [H, W, B]: `[H, W, A + B]`.
    public func concatenate(_ a: FeatureMap, _ b: FeatureMap) -> FeatureMap {
        precondition(a.height == b.height && a.width == b.width, "maps of the same size")
        let out = makeTensor(rows: a.pixels.rows, columns: a.channels + b.channels)
        for row in 0..<out.rows {
            let target = out.pointer + row * out.columns
            target.update(from: a.pixels.pointer + row * a.channels, count: a.channels)
            (target + a.channels).update(from: b.pixels.pointer + row * b.channels, count: b.channels)
        }
        return FeatureMap(height: a.height, width: a.width, pixels: out)
    }

    /// Memory for `[rows, columns]` elements that are not set yet, out of what earlier operations gave back.
    public func makeTensor(rows: Int, columns: Int) -> Tensor {
        Tensor(rows: rows, columns: columns)
    }
}

extension Activation {
    func callAsFunction(_ x: Float) -> Float {
        switch self {
        case .none: x
        case .silu: x / (1 + expf(-x))
        case .relu: max(x, 0)
        case .gelu: 0.5 * x * (1 + erff(x * Float(0.5).squareRoot()))
        case .quickGELU: x / (1 + expf(-1.702 * x))
        }
    }
}
