public import AssistantAPI
import Checkpoints

extension Assistant {
    /// The LoRA files in the models' folders, by name.
    public func loras() -> [LoRASummary] {
        core.catalog.loras().map { file in
            let metadata = (try? Checkpoint.openTensors(file.path))?.metadata ?? [:]
            return LoRASummary(name: file.name, path: file.path, metadata: metadata)
        }
    }
}
