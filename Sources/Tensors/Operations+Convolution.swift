import CKernels

extension Operations {
    /// Prepares the weights `[O, I, k, k]` of a convolution for `convolve`, with k = 1 or 3.
    ///
    /// They are copied into the order that the kernels read, in their own type; the pages of the original are released.
    public func convolution(
        _ weight: WeightTensor, bias: Tensor?, stride: Int = 1, padding: Convolution.Padding
    ) -> Convolution {
        precondition(weight.shape.count == 4 && weight.shape[2] == weight.shape[3], "square kernels")
        precondition(weight.type.blockLength == 1, "weights in f32, f16 or bf16")
        let size = weight.shape[2]
        precondition((1...5).contains(size) && stride > 0, "small kernels")
        precondition(bias.map { $0.rows * $0.columns == weight.shape[0] } ?? true, "bias of another size")
        let matrix = WeightTensor(
            type: weight.type, shape: [weight.shape[0], weight.shape[1] * size * size], bytes: weight.bytes,
            isPacked: false, owner: weight.owner)
        return Convolution(
            weight: interleaved(matrix), bias: bias, inputChannels: weight.shape[1],
            outputChannels: weight.shape[0], kernelSize: size, stride: stride, padding: padding)
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
    /// - Returns: the result, in memory of its own.
    /// - Throws: `Interrupted` when `checkpoint` does.
    public func convolve(
        _ x: FeatureMap, by convolution: Convolution, addingPerChannel perChannel: Tensor? = nil,
        adding residual: FeatureMap? = nil, activation: Activation = .none, checkpoint: InterruptionCheck
    ) throws(Interrupted) -> FeatureMap {
        precondition(x.channels == convolution.inputChannels, "a map with other channels than the weights")
        let padding = convolution.padding
        let height = convolution.outputLength(x.height, padding: padding.top + padding.bottom)
        let width = convolution.outputLength(x.width, padding: padding.left + padding.right)
        precondition(height > 0 && width > 0, "a map smaller than the kernel")
        let outputs = convolution.outputChannels
        precondition(perChannel.map { $0.rows * $0.columns == outputs } ?? true, "a value for each channel")
        precondition(
            residual.map { $0.height == height && $0.width == width && $0.channels == outputs } ?? true,
            "a residual of the result's size")
        let pixels = makeTensor(rows: height * width, columns: outputs)
        let call = ck_convolution(
            x: x.pixels.pointer, height: Int64(x.height), width: Int64(x.width), channels: Int64(x.channels),
            weights: convolution.weight.matrix, size: Int32(convolution.kernelSize),
            stride: Int32(convolution.stride), top: Int32(padding.top), left: Int32(padding.left),
            y: pixels.pointer, out_height: Int64(height), out_width: Int64(width),
            bias: convolution.bias?.pointer, offsets: perChannel?.pointer,
            residual: residual?.pixels.pointer, activation: activation.kernel)
        defer {
            extendLifetime(x.pixels)
            extendLifetime(convolution)
            extendLifetime(perChannel)
            extendLifetime(residual?.pixels)
        }
        if let schedule = WinogradSchedule(for: call, columns: Int(convolutionKernels.pointee.columns)) {
            try winograd(call, schedule, checkpoint: checkpoint)
        } else {
            try product(call, checkpoint: checkpoint)
        }
        return FeatureMap(height: height, width: width, pixels: pixels)
    }
}
