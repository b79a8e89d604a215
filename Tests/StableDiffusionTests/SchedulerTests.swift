import Foundation
import StrictJSON
import Testing

@testable import StableDiffusion

/// Every scheduler against diffusers' own steps (`Fixtures/make-scheduler-goldens.py`).
@Suite struct SchedulerTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let file: JSONValue
        let isCorrected: Bool
        let kind: SchedulerKind?
        let eta: Double?
        let steps: Int, start: Int, timestepCount: Int, sigmaCount: Int
        let numbers: ArraySlice<Float>
        let testDescription: String

        init?(_ json: JSONValue, numbers: [Float]) {
            guard let file = json["file"], let isCorrected = json["corrected"]?.bool,
                let steps = json["steps"]?.int, let start = json["start"]?.int,
                let timesteps = json["timesteps"]?.int, let sigmas = json["sigmas"]?.int,
                let offset = json["offset"]?.int, let count = json["count"]?.int
            else { return nil }
            self.file = file
            self.isCorrected = isCorrected
            kind = json["kind"]?.string.flatMap(SchedulerKind.init(rawValue:))
            eta = json["eta"]?.double
            (self.steps, self.start, timestepCount, sigmaCount) = (steps, start, timesteps, sigmas)
            self.numbers = numbers[offset..<offset + count]
            let settings = file.object?.members.map { "\($0.name) \($0.value.described)" } ?? []
            testDescription =
                "\(settings.joined(separator: ", ")), \(kind?.rawValue ?? "own"), corrected \(isCorrected), "
                + "steps \(steps) from \(start)"
        }

        /// With a cosine schedule the reference cuts the times of Karras' levels to integers, where the last bit of a
        /// logarithm decides between 998 and 999.
        var timestepTolerance: Float {
            file["beta_schedule"]?.string == "squaredcos_cap_v2" && file["use_karras_sigmas"]?.bool == true
                ? 1.1 / 999 : 1e-6
        }

        /// The reference solves the equations of UniPC's third order in f32, which costs it digits at many small steps.
        var tolerance: Float {
            file["_class_name"]?.string == "UniPCMultistepScheduler" && file["solver_order"]?.int == 3
                ? 2e-4 : 1e-5
        }

        func scheduler() throws -> any Scheduler {
            let file = try SchedulerFile(
                ConfigFile(file, path: "scheduler_config.json"), isCorrected: isCorrected)
            let configuration = try file.configuration(for: kind)
            if let eta { return try TCDScheduler(configuration, steps: steps, gamma: eta) }
            return try configuration.scheduler(steps: steps)
        }
    }

    static let cases: [Case] = {
        guard let json = try? JSONValue(parsing: [UInt8](ReferenceNumbers.read("schedulers.json"))),
            let numbers = try? ReferenceNumbers.floats("schedulers.f32")
        else { return [] }
        return json.array?.compactMap { Case($0, numbers: numbers) } ?? []
    }()

    static let pattern: [Float] = [0.5, -1.25, 0.125, 0.75, -0.375, 1.5, -0.625, -1.0]
    static let picture = Latents([0.25, 0.5, -0.75, 1.0, -0.125, 0.375, -1.5, 0.875])

    @Test func goldensAreThere() {
        #expect(Self.cases.count == 295)
        #expect(Set(Self.cases.compactMap(\.kind)).count == SchedulerKind.allCases.count)
    }

    @Test(arguments: cases) func stepsAsDiffusersDoes(_ golden: Case) throws {
        let scheduler = try golden.scheduler()
        var expected = golden.numbers
        func take(_ count: Int) -> ArraySlice<Float> {
            defer { expected = expected.dropFirst(count) }
            return expected.prefix(count)
        }
        let timesteps = take(golden.timestepCount)
        #expect(ReferenceNumbers.difference(scheduler.timesteps, timesteps) < golden.timestepTolerance)
        let sigmas = take(golden.sigmaCount)
        if let found = Self.sigmas(of: scheduler) {
            #expect(ReferenceNumbers.difference(found, sigmas) < 1e-6)
        }
        let scale = take(1)
        #expect(ReferenceNumbers.difference([scheduler.initialScale], scale) < 1e-6)

        var generator = TorchGenerator(seed: 7)
        let noise = Latents(generator.normals(8))
        var latents =
            golden.start > 0
            ? scheduler.addNoise(noise, to: Self.picture, at: golden.start) : scheduler.initialScale * noise
        let first = take(8)
        #expect(ReferenceNumbers.difference(latents.values, first) < 2e-6)
        // The last bits of the noise, times a noise level of 4096, would hide the scheduler's own.
        latents = Latents(Array(first))
        var history = SchedulerHistory()
        var largest: Float = 0  // in units of what rounding explains
        var peak = first.reduce(Float(0)) { max($0, abs($1)) }
        func compare(_ found: Latents, _ expected: ArraySlice<Float>) {
            let scale = expected.reduce(Float.leastNormalMagnitude) { max($0, abs($1)) }
            peak = max(peak, scale)
            let allowed = golden.tolerance * scale + 2e-7 * peak
            largest = max(
                largest, ReferenceNumbers.difference(found.values, expected) * scale / allowed)
        }
        for step in golden.start..<golden.timestepCount {
            let input = scheduler.networkInput(latents, at: step)
            let output = 0.5 * input + Latents((0..<8).map { Self.pattern[($0 + step) % 8] })
            latents =
                scheduler.step(step, output: output, latents: latents, history: &history) {
                    Latents(generator.normals(8))
                }.latents
            compare(latents, take(8))
            guard step + 1 < golden.timestepCount else { continue }
            compare(scheduler.addNoise(noise, to: Self.picture, at: step + 1), take(8))
        }
        #expect(largest < 1)
        #expect(expected.isEmpty)
    }

    private static func sigmas(of scheduler: any Scheduler) -> [Float]? {
        switch scheduler {
        case let scheduler as EulerScheduler: scheduler.sigmas
        case let scheduler as EulerAncestralScheduler: scheduler.sigmas
        case let scheduler as DPMSolverScheduler: scheduler.sigmas
        case let scheduler as UniPCScheduler: scheduler.sigmas
        default: nil
        }
    }
}
