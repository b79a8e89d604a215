import Foundation
import StrictJSON
import Testing

@testable import StableDiffusion

/// What a scheduler_config.json may say and what it may not.
@Suite struct SchedulerFileTests {
    private func file(_ text: String, corrected: Bool = false) throws -> SchedulerFile {
        try SchedulerFile(
            ConfigFile(JSONValue(parsing: [UInt8](text.utf8)), path: "scheduler_config.json"),
            isCorrected: corrected)
    }

    @Test func aSchedulerThatIsNotThereIsReplacedWithAWarning() throws {
        let heun = try file(#"{"_class_name": "HeunDiscreteScheduler"}"#)
        #expect(heun.kind == .euler)
        #expect(heun.warning?.contains("HeunDiscreteScheduler") == true)
        let stochastic = try file(
            #"{"_class_name": "DPMSolverMultistepScheduler", "algorithm_type": "sde-dpmsolver++"}"#)
        #expect(stochastic.kind == .dpmpp2M && stochastic.warning != nil)
        #expect(try file(#"{"_class_name": "PNDMScheduler"}"#).warning == nil)
    }

    @Test func karrasLevelsMakeAnotherScheduler() throws {
        let karras = try file(
            #"{"_class_name": "DPMSolverMultistepScheduler", "use_karras_sigmas": true}"#)
        #expect(karras.kind == .dpmpp2MKarras)
        #expect(try karras.configuration().usesKarrasSigmas)
        #expect(try !karras.configuration(for: .dpmpp2M).usesKarrasSigmas)
    }

    /// As diffusers itself saves DPM-Solver++'s configuration.
    @Test func pythonsInfinityIsNoLimit() throws {
        let path = FileManager.default.temporaryDirectory
            .appending(path: "inkling-scheduler-\(UUID().uuidString).json").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try #"{"_class_name": "DPMSolverMultistepScheduler", "lambda_min_clipped": -Infinity}"#
            .write(toFile: path, atomically: false, encoding: .utf8)
        let file = try SchedulerFile(ConfigFile(path), isCorrected: false)
        #expect(try file.configuration().lambdaMinClipped == -.infinity)
        #expect(throws: Never.self) { try file.configuration().scheduler(steps: 20) }
    }

    @Test func thePredictionOfTheRequestOverrulesTheFile() throws {
        let file = try file(#"{"_class_name": "DDIMScheduler", "prediction_type": "epsilon"}"#)
        #expect(try file.configuration().prediction == .epsilon)
        #expect(try file.configuration(prediction: .velocity).prediction == .velocity)
    }

    @Test(arguments: [
        #"{}"#, #"{"_class_name": 3}"#, #"{"_class_name": "FlowMatchEulerDiscreteScheduler"}"#,
        #"{"_class_name": "DDIMScheduler", "thresholding": true}"#,
        #"{"_class_name": "EulerDiscreteScheduler", "use_beta_sigmas": true}"#,
        #"{"_class_name": "DDIMScheduler", "beta_schedule": "sigmoid"}"#,
        #"{"_class_name": "DDIMScheduler", "num_train_timesteps": 0}"#,
        #"{"_class_name": "DDIMScheduler", "num_train_timesteps": 1000000000}"#,
        #"{"_class_name": "DDIMScheduler", "num_train_timesteps": "1000"}"#,
        #"{"_class_name": "DDIMScheduler", "beta_end": 1e9}"#,
        #"{"_class_name": "DDIMScheduler", "trained_betas": [0.1, 0.2]}"#,
        #"{"_class_name": "DDIMScheduler", "trained_betas": 7}"#,
        #"{"_class_name": "DDIMScheduler", "clip_sample": 1}"#,
        #"{"_class_name": "UniPCMultistepScheduler", "solver_order": 4}"#,
        #"{"_class_name": "UniPCMultistepScheduler", "disable_corrector": [0, "1"]}"#,
        #"{"_class_name": "LCMScheduler", "original_inference_steps": 2000}"#,
        #"{"_class_name": "DDIMScheduler", "timestep_spacing": "middling"}"#,
    ])
    func whatCannotBeDoneIsRefused(_ text: String) throws {
        #expect(throws: StableDiffusionError.self) { try file(text).configuration() }
    }

    @Test(arguments: [
        (#"{"_class_name": "DDIMScheduler"}"#, 0), (#"{"_class_name": "DDIMScheduler"}"#, -3),
        (#"{"_class_name": "DDIMScheduler"}"#, 1001),
        (#"{"_class_name": "DDIMScheduler", "steps_offset": 1}"#, 1000),
        (#"{"_class_name": "LCMScheduler"}"#, 51), (#"{"_class_name": "TCDScheduler"}"#, 51),
        (#"{"_class_name": "PNDMScheduler"}"#, 3),
        (#"{"_class_name": "DPMSolverMultistepScheduler", "timestep_spacing": "leading"}"#, 1000),
        (#"{"_class_name": "EulerDiscreteScheduler", "trained_betas": [0.1], "num_train_timesteps": 1}"#, 2),
    ])
    func aNumberOfStepsWithoutAPlaceIsRefused(_ text: String, _ steps: Int) throws {
        let configuration = try file(text).configuration()
        #expect(throws: StableDiffusionError.self) { try configuration.scheduler(steps: steps) }
    }

    @Test func everySchedulerTakesEveryOrdinaryNumberOfSteps() throws {
        let text = #"{"_class_name": "EulerDiscreteScheduler", "beta_schedule": "scaled_linear"}"#
        for kind in SchedulerKind.allCases {
            var configuration = try file(text).configuration(for: kind)
            configuration.skipsRungeKutta = true
            configuration.originalSteps = 100
            for spacing in SchedulerConfiguration.Spacing.allCases {
                configuration.spacing = spacing
                for steps in 1...100 {
                    let scheduler = try configuration.scheduler(steps: steps)
                    #expect(scheduler.timesteps.count == steps + (kind == .pndm && steps > 1 ? 1 : 0))
                }
            }
        }
    }
}
