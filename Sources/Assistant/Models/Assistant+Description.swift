public import AssistantAPI
import Checkpoints
import Llama
import Tokenizers

extension Assistant {
    /// How many answers are made at the same time; others wait for their turn.
    public static let answersAtOnce = Engine.runningLimit

    /// What settings come to here, with the configuration's values where they say nothing.
    ///
    /// A seed is drawn for each answer.
    public func filled(_ settings: GenerationSettings) -> GenerationSettings { core.filled(settings) }

    /// What a chat model's files say of it; it need not be loaded, and the engine is not waited for.
    ///
    /// - Parameter name: A name or absolute path; `nil` means the default model.
    /// - Returns: Its sizes and its chat format.
    /// - Throws: `modelNotFound`, `modelUnusable`; `invalidRequest` for a model that paints.
    public func describe(_ name: String?) async throws -> ChatModelDescription {
        let model = try core.catalog.resolve(name)
        let tokenizer = try tokenizer(of: model.path)
        do {
            return try ChatModelDescription(Checkpoint.open(model.path), tokenizer)
        } catch {
            throw AssistantError.modelUnusable(model, error)
        }
    }
}

extension ChatModelDescription {
    fileprivate init(_ checkpoint: Checkpoint, _ tokenizer: Tokenizer) throws {
        let configuration = try LlamaConfiguration(checkpoint)
        let template = LlamaModel.chatTemplate(of: checkpoint)
        let format = ChatFormat.detect(template: template, tokenizer: tokenizer)
        func text(_ token: Int32?) -> String {
            token.map { String(decoding: tokenizer.bytes(of: $0, rendersSpecial: true), as: UTF8.self) } ?? ""
        }
        self.init(
            layerCount: configuration.layerCount, hiddenSize: configuration.hiddenSize,
            intermediateSize: configuration.intermediateSize, headCount: configuration.headCount,
            kvHeadCount: configuration.kvHeadCount, headSize: configuration.headDim,
            contextLength: configuration.contextLength, vocabularySize: configuration.vocabularySize,
            epsilon: Double(configuration.epsilon), ropeBase: configuration.ropeTheta, chatTemplate: template,
            chatFormat: format.name, stops: format.stopTokens.sorted().map(text) + format.stopStrings,
            beginOfText: text(tokenizer.bos), endOfText: text(tokenizer.eos))
    }
}
