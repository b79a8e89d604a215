import AssistantAPI
import FoundationEssentials

extension CanvasSettings {
    /// The fields of a canvas's settings.
    ///
    /// - Throws: `Failure` 400 that names the field for a value of the wrong type or out of range.
    init(_ fields: Fields) throws(Failure) {
        self.init()
        model = try fields.string("model")
        width = try fields.integer("width", in: 1...65_536)
        height = try fields.integer("height", in: 1...65_536)
        steps = try fields.integer("steps", in: 1...1000)
        seed = try fields.seed("seed")
        scheduler = try fields.string("scheduler")
        guidanceScale = try fields.number("guidance_scale", in: 0...100)
        decoder = try fields.string("decoder")
        negativePrompt = try fields.string("negative_prompt")
        initImage = fields["init_image"] == .string("") ? Data() : try fields.picture("init_image")
        strength = try fields.number("strength", in: 0...1)
        format = try fields.choice("format", among: PictureFormat.allCases)
        budget = try fields.number("budget", in: 1...60_000)
    }
}

extension CanvasDraft {
    /// The settings, in an object of their own or among the other fields, and the conversation.
    init(_ fields: Fields) throws(Failure) {
        self.init(
            settings: try CanvasSettings(try fields.object("settings") ?? fields),
            conversation: try fields.string("conversation"))
    }
}

extension Canvas.Prompt {
    init(_ fields: Fields) throws(Failure) {
        let text = try fields.requiredString("text")
        guard let revision = try fields.integer("revision", in: 1...Int.max) else {
            throw fields.missing("revision", "an integer from 1 that counts the edits")
        }
        self.init(text: text, revision: revision)
    }
}

extension CanvasCommit {
    init(_ fields: Fields) throws(Failure) {
        self.init(
            frame: try fields.integer("frame", in: 1...Int.max),
            conversation: try fields.string("conversation"), edits: try fields.string("edits"))
    }
}

extension TypedDraft {
    init(_ fields: Fields) throws(Failure) {
        self.init(
            text: try fields.requiredString("text"), model: try fields.string("model"),
            system: try fields.string("system"), pictures: try fields.bool("pictures"))
    }
}
