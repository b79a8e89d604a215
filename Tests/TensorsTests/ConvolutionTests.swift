import CKernels
import Tensors
import Testing

@Suite struct ConvolutionTests {
    struct Case: CustomTestStringConvertible {
        var map: (height: Int, width: Int)
        var inputs: Int
        var outputs: Int
        var size = 3
        var stride = 1
        var padding = Convolution.Padding.all(1)
        var type = ElementType.f16
        var activation = Activation.none
        var adds = false

        var testDescription: String {
            "\(map.height) x \(map.width), \(inputs) to \(outputs), kernel \(size) by \(stride), \(type)"
        }
    }

    /// Awkward channels and maps: no multiples of vectors, panels, tiles or chunks; borders on every side.
    static let cases = [
        Case(map: (1, 1), inputs: 1, outputs: 3),
        Case(map: (2, 3), inputs: 4, outputs: 5, type: .f32, activation: .silu),
        Case(map: (5, 7), inputs: 17, outputs: 33, adds: true),
        Case(map: (8, 8), inputs: 320, outputs: 4, activation: .relu),
        Case(map: (9, 17), inputs: 33, outputs: 17, activation: .gelu, adds: true),
        Case(map: (33, 31), inputs: 32, outputs: 48, activation: .quickGELU),
        Case(map: (5, 7), inputs: 130, outputs: 40, type: .bf16, adds: true),
        Case(map: (64, 48), inputs: 20, outputs: 35, type: .f32, activation: .relu, adds: true),
        Case(map: (64, 33), inputs: 66, outputs: 3),
        Case(map: (12, 13), inputs: 190, outputs: 200, adds: true),
        Case(map: (9, 17), inputs: 33, outputs: 40, stride: 2),
        Case(map: (33, 31), inputs: 5, outputs: 17, stride: 2, type: .bf16, activation: .silu, adds: true),
        Case(
            map: (8, 8), inputs: 17, outputs: 32, stride: 2,
            padding: .init(top: 0, left: 0, bottom: 1, right: 1)),
        Case(map: (6, 9), inputs: 33, outputs: 33, padding: .init(top: 0, left: 0, bottom: 1, right: 1)),
        Case(map: (6, 9), inputs: 33, outputs: 33, padding: .all(0)),
        Case(map: (5, 6), inputs: 18, outputs: 20, padding: .init(top: 2, left: 3, bottom: 4, right: 5)),
        Case(map: (5, 7), inputs: 320, outputs: 33, size: 1, padding: .all(0), adds: true),
        Case(map: (33, 31), inputs: 3, outputs: 4, size: 1, padding: .all(0), type: .f32),
        Case(map: (9, 17), inputs: 1300, outputs: 5, size: 1, padding: .all(0), activation: .gelu),
        Case(map: (9, 17), inputs: 17, outputs: 8, size: 1, stride: 2, padding: .all(0)),
        Case(map: (3, 4), inputs: 18, outputs: 8, size: 1, padding: .all(1)),
    ]

    /// The layers' inputs of one case, and what the naive loops make of them.
    private struct Inputs {
        let weight: WeightTensor
        let bias: Tensor
        let x: FeatureMap
        let perChannel: Tensor?
        let residual: FeatureMap?
        private let test: Case

        init(_ test: Case) {
            self.test = test
            let (height, width) = test.map
            let padding = test.padding
            let k = test.size
            weight = test.type.randomWeights(shape: [test.outputs, test.inputs, k, k], seed: 1)
            bias = .random(rows: 1, columns: test.outputs, seed: 2)
            x = FeatureMap(
                height: height, width: width,
                pixels: .random(rows: height * width, columns: test.inputs, seed: 3))
            let outHeight = (height + padding.top + padding.bottom - k) / test.stride + 1
            let outWidth = (width + padding.left + padding.right - k) / test.stride + 1
            perChannel = test.adds ? .random(rows: 1, columns: test.outputs, seed: 4) : nil
            residual =
                test.adds
                ? FeatureMap(
                    height: outHeight, width: outWidth,
                    pixels: .random(rows: outHeight * outWidth, columns: test.outputs, seed: 5)) : nil
        }

        /// What the naive loops give.
        var expected: [Float] {
            let (height, width) = test.map
            let padding = test.padding
            let k = test.size
            let outHeight = (height + padding.top + padding.bottom - k) / test.stride + 1
            let outWidth = (width + padding.left + padding.right - k) / test.stride + 1
            let y = Tensor(rows: outHeight * outWidth, columns: test.outputs)
            var call = ck_convolution(
                x: x.pixels.floats.baseAddress!, height: Int64(height), width: Int64(width),
                channels: Int64(test.inputs),
                weights: ck_matrix(
                    type: ck_type(UInt32(ElementType.allCases.firstIndex(of: test.type)!)),
                    rows: Int64(test.outputs), columns: Int64(test.inputs * k * k),
                    bytes: weight.bytes.baseAddress!, packed: false),
                size: Int32(k), stride: Int32(test.stride), top: Int32(padding.top),
                left: Int32(padding.left),
                y: y.floats.baseAddress!, out_height: Int64(outHeight), out_width: Int64(outWidth),
                bias: bias.floats.baseAddress, offsets: perChannel?.floats.baseAddress,
                residual: residual?.pixels.floats.baseAddress, activation: test.activation.inC)
            ck_ref_convolve(&call)
            return withExtendedLifetime((x.pixels, bias, perChannel, residual?.pixels, weight)) { y.values }
        }

        func result(_ operations: Operations, checkpoint: InterruptionCheck = {})
            throws(Interrupted) -> [Float]
        {
            let layer = operations.convolution(
                weight, bias: bias, stride: test.stride, padding: test.padding)
            return try operations.convolve(
                x, by: layer, addingPerChannel: perChannel, adding: residual, activation: test.activation,
                checkpoint: checkpoint
            ).pixels.values
        }
    }

    @Test(arguments: cases, instructionSets)
    func convolutionsMatchTheNaiveLoops(test: Case, level: Operations.InstructionSet) throws {
        let operations = Operations(pool: WorkerPool(threadCount: 2), instructionSet: level)
        let inputs = Inputs(test)
        #expect(relativeError(try inputs.result(operations), inputs.expected) < 2e-5)
    }

    @Test(arguments: instructionSets)
    func errorOfManyChannelsStaysBelowATenThousandthOfTheRootMeanSquare(level: Operations.InstructionSet)
        throws
    {
        let operations = Operations(pool: WorkerPool(threadCount: 2), instructionSet: level)
        let test = Case(map: (16, 16), inputs: 320, outputs: 32)
        let inputs = Inputs(test)
        let found = try inputs.result(operations)
        let expected = inputs.expected
        let square = expected.reduce(0.0) { $0 + Double($1) * Double($1) }
        let error = zip(found, expected).map { abs($0 - $1) }.max()!
        #expect(Double(error) < 1e-4 * (square / Double(found.count)).squareRoot())
    }

    @Test(arguments: cases, [Operations.InstructionSet.best])
    func theThreadCountChangesNoBit(test: Case, level: Operations.InstructionSet) throws {
        let inputs = Inputs(test)
        let results = try [1, 2, 3].map { threads in
            try inputs.result(
                Operations(pool: WorkerPool(threadCount: threads), instructionSet: level))
        }
        #expect(results[1] == results[0] && results[2] == results[0])
    }

    @Test(arguments: [
        Case(map: (64, 64), inputs: 32, outputs: 32), Case(map: (48, 48), inputs: 160, outputs: 320),
        Case(map: (64, 64), inputs: 64, outputs: 64, stride: 2),
    ])
    func anInterruptedCallLeavesNothingBehind(test: Case) throws {
        let inputs = Inputs(test)
        let operations = Operations(pool: WorkerPool(threadCount: 1))
        let whole = try inputs.result(operations)
        var count = 0
        _ = try inputs.result(operations) { count += 1 }
        #expect(count > 2)
        for last in [1, count / 2] {
            var calls = 0
            #expect(throws: Interrupted.self) {
                _ = try inputs.result(operations) { () throws(Interrupted) in
                    calls += 1
                    if calls == last { throw Interrupted() }
                }
            }
            #expect(calls == last)
            #expect(try inputs.result(operations) == whole)
        }
    }

    /// Large results are written past the caches; the upper part of a map is the same as that of a smaller one.
    @Test(arguments: instructionSets.filter { $0 != .scalar }, [1, 3])
    func largeMapsHaveTheBitsOfSmallOnes(level: Operations.InstructionSet, size: Int) throws {
        let operations = Operations(pool: WorkerPool(threadCount: 2), instructionSet: level)
        let layer = operations.convolution(
            ElementType.f16.randomWeights(shape: [160, 4, size, size], seed: 1),
            bias: .random(rows: 1, columns: 160, seed: 2), padding: .all(size / 2))
        let pixels = Tensor.random(rows: 256 * 256, columns: 4, seed: 3)
        let results = try [256, 64].map { height in
            let x = FeatureMap(height: height, width: 256, pixels: pixels.prefix(height * 256))
            return try operations.convolve(x, by: layer, activation: .relu) {}.pixels.prefix(60 * 256).values
        }
        #expect(results[0] == results[1] && results[0].contains { $0 != 0 })
    }

    @Test(arguments: [(1, 7, 3), (5, 33, 17), (77, 300, 40), (200, 17, 129), (3, 1300, 16)], instructionSets)
    func linearMatchesTheNaiveLoops(size: (Int, Int, Int), level: Operations.InstructionSet) throws {
        let (rows, columns, outputs) = size
        let operations = Operations(pool: WorkerPool(threadCount: 2), instructionSet: level)
        for type: ElementType in [.f32, .f16, .bf16] {
            let test = Case(
                map: (1, rows), inputs: columns, outputs: outputs, size: 1, padding: .all(0), type: type,
                activation: .gelu, adds: true)
            let inputs = Inputs(test)
            let weight = type.randomWeights(rows: outputs, columns: columns, seed: 1)
            let bias = Tensor.random(rows: 1, columns: outputs, seed: 2)
            for n in bias.floats.indices { bias.floats[n] += inputs.perChannel!.floats[n] }
            let expected = inputs.expected
            for weight in [weight, operations.projection(weight)] {
                let y = try operations.linear(
                    inputs.x.pixels, by: weight, bias: bias, adding: inputs.residual?.pixels,
                    activation: .gelu
                ) {}
                #expect(relativeError(y.values, expected) < 1e-5, "\(type)")
            }
            #expect(operations.projection(weight).floats() == weight.floats())
        }
    }
}

extension Activation {
    fileprivate var inC: ck_activation {
        switch self {
        case .none: CK_ACTIVATION_NONE
        case .silu: CK_ACTIVATION_SILU
        case .relu: CK_ACTIVATION_RELU
        case .gelu: CK_ACTIVATION_GELU
        case .quickGELU: CK_ACTIVATION_QUICK_GELU
        }
    }
}
