import AssistantAPI
import FoundationEssentials

/// The answer of `txt2img` and `img2img`: the files, and what was asked for, twice.
enum Automatic1111Answer {
    static func json(_ outcome: Automatic1111Work.Outcome, _ call: Automatic1111Call) -> JSON {
        [
            "images": .array(outcome.pictures.map { .string($0.data.base64EncodedString()) }),
            "parameters": call.parameters,
            // JSON that clients get as a string.
            "info": .string(information(outcome).text),
        ]
    }

    private static func information(_ outcome: Automatic1111Work.Outcome) -> JSON {
        let recipes = outcome.pictures.map(\.picture.recipe)
        let timings = outcome.timings.map { AnswerFrame.timings($0) }
        guard let first = recipes.first else { return ["all_prompts": [], "all_seeds": []] }
        return [
            "prompt": .string(first.prompt), "all_prompts": .array(recipes.map { .string($0.prompt) }),
            "negative_prompt": .string(first.negativePrompt),
            "all_negative_prompts": .array(recipes.map { .string($0.negativePrompt) }),
            "seed": seed(first), "all_seeds": .array(recipes.map(seed)), "width": JSON(first.width),
            "height": JSON(first.height), "steps": JSON(first.steps), "cfg_scale": JSON(first.guidanceScale),
            "sampler_name": .string(Automatic1111Sampler.name(of: first.scheduler)),
            "sd_model_name": .string(first.model), "batch_size": JSON(recipes.count),
            "clip_skip": JSON(first.clipSkip + 1), "denoising_strength": JSON(first.strength),
            "timings": timings ?? .null,
        ]
    }

    private static func seed(_ recipe: Recipe) -> JSON { .number(JSONNumber(recipe.seed)) }

    /// An entry of `GET /sdapi/v1/loras`.
    static func lora(_ summary: LoRASummary) -> JSON {
        let metadata = summary.metadata.sorted { $0.key < $1.key }.map { ($0.key, JSON.string($0.value)) }
        // The alias is what a trainer called it.
        return [
            "name": .string(summary.name),
            "alias": .string(summary.metadata["ss_output_name"] ?? summary.name),
            "path": .string(summary.path), "metadata": JSON(metadata),
        ]
    }

    /// An entry of `GET /sdapi/v1/sd-models`.
    static func model(_ summary: ModelSummary) -> JSON {
        [
            "title": .string(summary.id), "model_name": .string(summary.id),
            "filename": .string(summary.path), "hash": nil, "sha256": nil, "config": nil,
        ]
    }
}
