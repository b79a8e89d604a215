public import AssistantAPI
import FoundationEssentials
import ModelHub

/// The catalogue of known good models, `Config/models.json`, which comes with the program.
struct KnownModels: Sendable {
    let models: [AvailableModel]

    /// The first of these files that is there; without any the catalogue is empty.
    init(files: [String]) {
        let data = files.lazy.compactMap { FileManager.default.contents(atPath: $0) }.first
        models = data.flatMap { try? JSONDecoder().decode([AvailableModel].self, from: $0) } ?? []
    }

    /// What a name of the catalogue stands for on the hub.
    func reference(of name: String) -> String? {
        let wanted = ModelCatalog.withoutTag(name).lowercased()
        if let exact = models.first(where: { $0.name == wanted }) { return exact.model }
        // A name without a size means the smallest there is, as long as it is no repository's.
        return wanted.contains(":") || wanted.contains("/")
            ? nil : models.first { $0.name.prefix { $0 != ":" } == wanted }?.model
    }
}

extension Assistant {
    /// The catalogue, with what fits into this machine's budget and what is here.
    public func availableModels() -> AvailableModels {
        let budget = core.engine.memory.limit
        return AvailableModels(
            budget: budget,
            models: known.models.map { model in
                var model = model
                model.fits = model.memory <= budget
                model.isHere = HubReference(model.model).map { isHere($0, model.name) } ?? false
                return model
            })
    }

    private func isHere(_ reference: HubReference, _ name: String) -> Bool {
        guard let own = core.catalog.own,
            let target = records.target(pulledBy: reference.description) ?? records.target(pulledBy: name)
        else { return false }
        return FileManager.default.fileExists(atPath: "\(own)/\(target)")
    }
}
