import AssistantAPI
import FoundationEssentials

extension CanvasSettings {
    /// The settled picture of a text, as a request for pictures.
    func request(text: String) -> PictureRequest {
        var request = PictureRequest(prompt: text)
        (request.model, request.width, request.height, request.steps) = (model, width, height, steps)
        // One and the same noise, so that the composition stays.
        (request.seed, request.scheduler, request.guidanceScale) = (seed ?? 0, scheduler, guidanceScale)
        (request.decoder, request.negativePrompt) = (decoder, negativePrompt)
        if let initImage, !initImage.isEmpty {
            (request.initImage, request.strength) = (initImage, strength)
        }
        return request
    }

    /// With the fields that `change` has.
    func merging(_ change: CanvasSettings) -> CanvasSettings {
        var merged = self
        merged.model = change.model ?? model
        merged.width = change.width ?? width
        merged.height = change.height ?? height
        merged.steps = change.steps ?? steps
        merged.seed = change.seed ?? seed
        merged.scheduler = change.scheduler ?? scheduler
        merged.guidanceScale = change.guidanceScale ?? guidanceScale
        merged.decoder = change.decoder ?? decoder
        merged.negativePrompt = change.negativePrompt ?? negativePrompt
        merged.initImage = change.initImage ?? initImage
        merged.strength = change.strength ?? strength
        merged.format = change.format ?? format
        merged.budget = change.budget ?? budget
        return merged
    }
}
