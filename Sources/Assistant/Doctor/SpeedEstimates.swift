import AssistantAPI

/// What models of well-known sizes would do here, from what was measured: guesses, within a factor of two or so.
struct SpeedEstimates: Sendable {
    let speed: MachineThread.Speed
    /// What models and caches may take, in bytes.
    let budget: Int

    /// A Llama in Q4_K_M, with a context of 4096 tokens.
    private struct Chat {
        var name: String
        /// Of the file.
        var weights: Double
        /// Keys and values of a token, in bytes.
        var token: Double
    }

    /// A model of Stable Diffusion's family with weights of 16 bits.
    private struct Painter {
        var name: String
        var memory: Double
        /// In floating-point operations: one pass of the network at its own size, and the decoder.
        var pass: Double
        var decoder: Double
        /// Passes for a picture: twice the steps where there is guidance.
        var passes: Double
        var manner: String
    }

    private static let chats = [
        Chat(name: "Llama 3.2 1B", weights: 0.81e9, token: 32_768),
        Chat(name: "Llama 3.2 3B", weights: 2.02e9, token: 114_688),
        Chat(name: "Llama 3.1 8B", weights: 4.92e9, token: 131_072),
    ]

    private static let painters = [
        Painter(
            name: "Stable Diffusion 1.5", memory: 3.0e9, pass: 0.68e12, decoder: 2.5e12, passes: 40,
            manner: "20 steps, 512 × 512"),
        Painter(
            name: "SD-Turbo", memory: 3.5e9, pass: 0.68e12, decoder: 2.5e12, passes: 1,
            manner: "1 step, 512 × 512"),
        Painter(
            name: "SDXL", memory: 9.5e9, pass: 6.0e12, decoder: 10e12, passes: 60,
            manner: "30 steps, 1024 × 1024"),
    ]

    /// Of the bandwidth, what decoding makes use of.
    private static let share = 0.8

    var findings: [DoctorFinding] { Self.chats.map(finding) + Self.painters.map(finding) }

    private func finding(_ model: Chat) -> DoctorFinding {
        let memory = model.weights + 4096 * model.token
        let rate = speed.bandwidth * Self.share / (model.weights + 512 * model.token)
        let figures = ["memory_bytes": memory, "decode_tokens_per_second": rate]
        return finding(
            "\(model.name) in Q4_K_M", memory,
            "about \(rate >= 10 ? rate.whole : rate.tenths) tokens a second",
            figures)
    }

    private func finding(_ model: Painter) -> DoctorFinding {
        let seconds = (model.passes * model.pass + model.decoder) / speed.convolutions
        let figures = ["memory_bytes": model.memory, "picture_seconds": seconds]
        return finding(
            "\(model.name) (\(model.manner))", model.memory,
            "about \(seconds >= 10 ? seconds.whole : seconds.tenths) s a picture", figures)
    }

    private func finding(
        _ name: String, _ memory: Double, _ pace: String, _ figures: [String: Double]
    ) -> DoctorFinding {
        let fits = memory <= Double(budget)
        let room = "\(Int(memory).gigabytes) of \(budget.gigabytes)"
        let text =
            fits
            ? "\(name): \(pace), \(room) of memory" : "\(name): does not fit, \(room) of memory are needed"
        return DoctorFinding(
            "estimates", .estimate, text, figures: figures.merging(["fits": fits ? 1 : 0]) { $1 })
    }
}
