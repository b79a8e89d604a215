public import AssistantAPI
import Checkpoints
import Llama
import Tokenizers

extension Assistant {
    /// A chat as the text that a model reads, control tokens and all; the model need not be loaded.
    ///
    /// The text is the prompt that `promptTokens(of:model:)` reads.
    ///
    /// - Parameters:
    ///   - messages: What was said.
    ///   - tools: Functions that the answer may call.
    ///   - name: The model's name or absolute path; `nil` means the default model.
    ///   - opensAnswer: Whether the assistant's next turn is opened.
    /// - Returns: The text, without the token that each of the model's sequences begins with.
    /// - Throws: `modelNotFound`, `modelUnusable`; `invalidRequest` for a model that paints.
    public func chatText(
        of messages: [ChatMessage], tools: [Tool], model name: String?, opensAnswer: Bool
    ) async throws -> String {
        let model = try core.catalog.resolve(name)
        let vocabulary = try tokenizer(of: model.path)
        let template: String?
        do {
            template = try LlamaModel.chatTemplate(of: Checkpoint.open(model.path))
        } catch {
            throw AssistantError.modelUnusable(model, error)
        }
        return ChatFormat.detect(template: template, tokenizer: vocabulary).text(
            of: messages.map { ChatTurn($0) }, tools: tools.map(\.definition), tokenizer: vocabulary,
            addGenerationPrompt: opensAnswer)
    }
}

extension ChatTurn {
    /// A message as the formats of models know it; what a function returned is a role of its own there.
    init(_ message: ChatMessage) {
        let role: ChatRole =
            switch message.role {
            case .system: .system
            case .user: message.toolName == nil ? .user : .tool
            case .assistant: .assistant
            }
        let calls = (message.toolCalls ?? []).map { ChatTurn.Call(name: $0.name, arguments: $0.arguments) }
        self.init(role: role, content: message.content, calls: calls, name: message.toolName)
    }
}
