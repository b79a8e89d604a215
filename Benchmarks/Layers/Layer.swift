import Glibc
import Tensors

/// A layer by its sizes.
enum Layer {
    case convolution(height: Int, width: Int, inputs: Int, outputs: Int, size: Int, stride: Int)
    case linear(rows: Int, inputs: Int, outputs: Int)

    /// Runs the layer for `options.seconds` of processor time, at least three times; one line of JSON.
    func measure(_ options: Options) -> String {
        let operations = Operations(
            pool: WorkerPool(threadCount: options.threads), instructionSet: options.instructionSet)
        let call: () -> Void
        let work: Double
        switch self {
        case .convolution(let height, let width, let inputs, let outputs, let size, let stride):
            let layer = operations.convolution(
                Self.weights(options.type, shape: [outputs, inputs, size, size]),
                bias: Self.values(rows: 1, columns: outputs), stride: stride, padding: .all(size / 2))
            let x = FeatureMap(
                height: height, width: width, pixels: Self.values(rows: height * width, columns: inputs))
            let pixels = ((height - 1) / stride + 1) * ((width - 1) / stride + 1)
            work = 2 * Double(pixels * outputs) * Double(inputs * size * size)
            call = { _ = try? operations.convolve(x, by: layer) {} }
        case .linear(let rows, let inputs, let outputs):
            let weight = operations.projection(Self.weights(options.type, shape: [outputs, inputs]))
            let bias = Self.values(rows: 1, columns: outputs)
            let x = Self.values(rows: rows, columns: inputs)
            work = 2 * Double(rows * outputs) * Double(inputs)
            call = { _ = try? operations.linear(x, by: weight, bias: bias) {} }
        }
        call()
        var (least, total, count) = (Double.infinity, 0.0, 0)
        while total < options.seconds || count < 3 {
            let start = Self.processorSeconds()
            call()
            let seconds = Self.processorSeconds() - start
            least = min(least, seconds)
            total += seconds
            count += 1
        }
        return
            "{\"milliseconds\": \(least * 1e3), \"gigaflops\": \(work / least * 1e-9), \"calls\": \(count)}"
    }

    /// Processor seconds of the whole process.
    private static func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    /// Numbers of about the size that activations have; which ones does not matter for the time.
    private static func values(rows: Int, columns: Int) -> Tensor {
        let tensor = Tensor(rows: rows, columns: columns)
        for index in tensor.floats.indices { tensor.floats[index] = Float(index % 37) / 18 - 1 }
        return tensor
    }

    private static func weights(_ type: ElementType, shape: [Int]) -> WeightTensor {
        let memory = Memory(byteCount: shape.reduce(1, *) * type.blockBytes)
        // Small numbers in any of the three types: the upper byte of each is 0x38 to 0x3B.
        for index in memory.bytes.indices {
            memory.bytes[index] =
                index % type.blockBytes == type.blockBytes - 1 ? UInt8(0x38 + index % 4) : 0x55
        }
        return WeightTensor(
            type: type, shape: shape, bytes: UnsafeRawBufferPointer(memory.bytes), owner: memory)
    }
}

/// Memory of made-up weights.
private final class Memory: Sendable {
    nonisolated(unsafe) let bytes: UnsafeMutableRawBufferPointer

    init(byteCount: Int) { bytes = .allocate(byteCount: byteCount, alignment: 64) }

    deinit { bytes.deallocate() }
}
