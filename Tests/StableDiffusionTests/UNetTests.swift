import Checkpoints
import Tensors
import Testing

@testable import StableDiffusion

/// The network against diffusers (`Fixtures/make-unet-goldens.py`).
struct UNetTests {
    static let networks = [
        "models/sd15/unet", "models/sd2-v/unet", "models/sd-turbo/unet", "models/sdxl/unet",
        "models/lcm/unet",
        "models/bk-sdm/unet", "models/sdxs/unet", "networks/uneven", "networks/odd",
    ]

    @Test(arguments: networks)
    func outputsMatchTheReference(network: String) throws {
        let model = try TinyUNet(network)
        for index in 0..<4 {
            let difference = try model.difference(case: index)
            #expect(difference < 5e-5, "case \(index): \(difference)")
        }
    }

    @Test(arguments: ["models/sdxl/unet", "models/lcm/unet"])
    func resultsDoNotDependOnTheThreads(network: String) throws {
        let results = try [1, 2, 3].map { threads in
            let model = try TinyUNet(network, threads: threads)
            return try model.output(case: 2).pixels.elements
        }
        #expect(results[0] == results[1] && results[0] == results[2])
    }

    @Test func aScheduleOfTimesIsTheSameAsEachAlone() throws {
        let model = try TinyUNet("models/sd15/unet")
        let pass = Pass(operations: model.operations)
        let times: [Float] = [999, 501.25, 1]
        let together = try model.unet.timeEmbeddings(times, pass)
        for (step, time) in times.enumerated() {
            let alone = try model.unet.timeEmbeddings([time], pass)
            for block in together.shifts.indices {
                let (a, b) = (together.shift(block: block, step: step), alone.shift(block: block, step: 0))
                #expect(difference(a.elements, b.elements) < 1e-5)
            }
        }
    }

    @Test func anInterruptionAtAnyCheckpointLeavesNothingBehind() throws {
        // With one thread, how often the checkpoint is called does not depend on luck.
        let model = try TinyUNet("models/bk-sdm/unet", threads: 1)
        let expected = try model.output(case: 1).pixels.elements
        for stop in [1, 5, 25] {
            var count = 0
            #expect(throws: Interrupted.self) {
                try model.output(case: 1) { () throws(Interrupted) in
                    count += 1
                    if count == stop { throw Interrupted() }
                }
            }
            #expect(try model.output(case: 1).pixels.elements == expected)
        }
    }
}

/// A tiny network with its goldens.
struct TinyUNet {
    let unet: UNet
    let operations: Operations
    private let goldens: Checkpoint

    init(_ network: String, threads: Int = 2) throws {
        let checkpoint = try Checkpoint.openComponent(Fixture.path(network))
        operations = Operations(pool: WorkerPool(threadCount: threads))
        unet = try UNet(
            UNetConfiguration(ConfigFile(checkpoint)),
            LayerReader(weights: checkpoint.weights(), operations: operations))
        let name = network.split(separator: "/")[1]
        goldens = try .openTensors(Fixture.path("goldens/unet-\(name).safetensors"))
    }

    /// A network of any model, with goldens of any name.
    init(_ unet: UNet, _ operations: Operations, _ goldens: Checkpoint) {
        self.unet = unet
        self.operations = operations
        self.goldens = goldens
    }

    func output(case index: Int, checkpoint: @escaping InterruptionCheck = {}) throws -> FeatureMap {
        let pass = Pass(operations: operations, checkpoint: checkpoint)
        let timestep = try #require(goldens.metadata["\(index).timestep"].flatMap(Float.init))
        var added: UNet.AddedConditions?
        if let pooled = goldens.tensor("\(index).pooled"), let ids = goldens.tensor("\(index).time_ids") {
            added = .init(pooled: Tensor(pooled.floats()), timeIDs: ids.floats())
        }
        let time = try unet.timeEmbeddings(
            [0, timestep], guidanceScale: goldens.metadata["\(index).guidance_scale"].flatMap(Double.init),
            added: added, pass)
        let context = try unet.context(matrix("\(index).context"), pass)
        return try unet(map("\(index).latents"), step: 1, time: time, context: context, pass)
    }

    func difference(case index: Int) throws -> Float {
        let output = try output(case: index)
        let expected = try map("\(index).output")
        guard (output.height, output.width) == (expected.height, expected.width) else { return .infinity }
        return StableDiffusionTests.difference(output.pixels.elements, expected.pixels.elements)
    }

    private func matrix(_ name: String) throws -> Tensor {
        let tensor = try #require(goldens.tensor(name))
        return Tensor(rows: tensor.rows, columns: tensor.columns, tensor.floats())
    }

    private func map(_ name: String) throws -> FeatureMap {
        let tensor = try #require(goldens.tensor(name))
        return FeatureMap(height: tensor.shape[0], width: tensor.shape[1], pixels: try matrix(name))
    }
}
