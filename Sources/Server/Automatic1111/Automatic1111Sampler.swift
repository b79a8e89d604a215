/// A1111's names for what integrates a diffusion, and ours.
struct Automatic1111Sampler: Sendable {
    let name: String
    let aliases: [String]
    let scheduler: String

    init(_ name: String, _ aliases: [String], _ scheduler: String) {
        self.name = name
        self.aliases = aliases
        self.scheduler = scheduler
    }

    static let all = [
        Automatic1111Sampler("Euler", ["k_euler"], "euler"),
        Automatic1111Sampler("Euler a", ["k_euler_a", "k_euler_ancestral"], "euler_a"),
        Automatic1111Sampler("DPM++ 2M", ["k_dpmpp_2m"], "dpmpp_2m"),
        Automatic1111Sampler("DPM++ 2M Karras", ["k_dpmpp_2m_ka"], "dpmpp_2m_karras"),
        Automatic1111Sampler("DDIM", ["ddim"], "ddim"),
        Automatic1111Sampler("PLMS", ["plms", "pndm"], "pndm"),
        Automatic1111Sampler("UniPC", ["unipc"], "unipc"),
        Automatic1111Sampler("LCM", ["k_lcm"], "lcm"),
        Automatic1111Sampler("TCD", ["tcd"], "tcd"),
    ]

    /// Our scheduler for a request's sampler and spacing of noise levels; `nil` is the model's own.
    ///
    /// - Throws: `Failure` 400 with the names that there are.
    static func scheduler(_ fields: Fields) throws(Failure) -> String? {
        let (newName, oldName) = (try fields.string("sampler_name"), try fields.string("sampler_index"))
        let spacing = (try fields.string("scheduler") ?? "").lowercased()
        guard ["", "automatic", "normal", "karras"].contains(spacing) else {
            throw .unsupported("'scheduler' must be Automatic or Karras.", parameter: "scheduler")
        }
        var scheduler: String?
        if let name = newName ?? oldName, !name.isEmpty, name != "Automatic" {
            scheduler = try find(name).scheduler
        }
        guard spacing == "karras" else { return scheduler }
        guard scheduler?.hasPrefix("dpmpp_2m") ?? true else {
            throw .unsupported("'scheduler' Karras goes with DPM++ 2M only.", parameter: "scheduler")
        }
        return "dpmpp_2m_karras"
    }

    private static func find(_ name: String) throws(Failure) -> Automatic1111Sampler {
        let lowered = name.lowercased()
        let known = all.first { sampler in
            sampler.name.lowercased() == lowered || sampler.aliases.contains(lowered)
        }
        guard let known else {
            let names = all.map(\.name).joined(separator: ", ")
            throw .unsupported(
                "'sampler_name' must be one of \(names), not '\(name.prefix(80))'.",
                parameter: "sampler_name")
        }
        return known
    }

    static func name(of scheduler: String) -> String {
        all.first { $0.scheduler == scheduler }?.name ?? scheduler
    }

    /// An entry of `GET /sdapi/v1/samplers`.
    var json: JSON {
        ["name": .string(name), "aliases": .array(aliases.map(JSON.string)), "options": [:]]
    }
}
