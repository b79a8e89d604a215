extension Operations {
    /// Prepares the weights `[O, I, k, k]` of a convolution for `convolve`, with k = 1 or 3.
    ///
    /// Where a packed copy is made, the pages of the original are released.
    public func convolution(
        _ weight: WeightTensor, bias: Tensor?, stride: Int = 1, padding: Convolution.Padding
    ) -> Convolution {
        precondition(weight.shape.count == 4 && weight.shape[2] == weight.shape[3], "square kernels")
        return Convolution(
            weight: weight, bias: bias, inputChannels: weight.shape[1], outputChannels: weight.shape[0],
            kernelSize: weight.shape[2], stride: stride, padding: padding)
    }

    /// activation(convolution(`x`) + bias + `perChannel` + `residual`), `[H', W', O]`.
    ///
    /// - Parameters:
    ///   - x: the input, `[H, W, I]`.
    ///   - convolution: the weights and the bias.
    ///   - perChannel: `[1, O]`, added to every pixel.
    ///   - residual: `[H', W', O]`, added before the activation.
    ///   - activation: applied last.
    ///   - checkpoint: called between parts.
    /// - Throws: `Interrupted` when `checkpoint` does.
    public func convolve(
        _ x: FeatureMap, by convolution: Convolution, addingPerChannel perChannel: Tensor? = nil,
        adding residual: FeatureMap? = nil, activation: Activation = .none, checkpoint: InterruptionCheck
    ) throws(Interrupted) -> FeatureMap {
        precondition(x.channels == convolution.inputChannels, "a map with other channels than the weights")
        let padding = convolution.padding
        let height = convolution.outputLength(x.height, padding: padding.top + padding.bottom)
        let width = convolution.outputLength(x.width, padding: padding.left + padding.right)
        let out = FeatureMap(
            height: height, width: width,
            pixels: makeTensor(rows: height * width, columns: convolution.outputChannels))
        let weights = convolution.weight.floats()
        let (k, inputs, outputs) = (convolution.kernelSize, x.channels, out.channels)
        try pool.run(parts: height, checkpoint: checkpoint) { i in
            for j in 0..<width {
                let row = i * width + j
                for o in 0..<outputs {
                    var sum = convolution.bias?.pointer[o] ?? 0
                    sum += perChannel?.pointer[o] ?? 0
                    sum += residual?.pixels.pointer[row * outputs + o] ?? 0
                    for di in 0..<k {
                        let y = i * convolution.stride + di - padding.top
                        guard (0..<x.height).contains(y) else { continue }
                        for dj in 0..<k {
                            let z = j * convolution.stride + dj - padding.left
                            guard (0..<x.width).contains(z) else { continue }
                            let pixel = x.pixels.pointer + (y * x.width + z) * inputs
                            for c in 0..<inputs {
                                sum += pixel[c] * weights[((o * inputs + c) * k + di) * k + dj]
                            }
                        }
                    }
                    out.pixels.pointer[row * outputs + o] = activation.callAsFunction(sum)
                }
            }
        }
        return out
    }
}
