public import AssistantAPI

extension DaemonClient {
    /// All that is known of a model.
    public func describe(model: String) async throws -> ModelDescription {
        try await get(Self.root + "/models/" + Self.encode(model))
    }

    /// The catalogue of known good models, as this machine sees them.
    public func availableModels() async throws -> AvailableModels {
        try await get(Self.root + "/models/available")
    }

    /// Gives a model another name.
    public func copy(_ alias: ModelAlias) async throws -> ModelAlias {
        try await call("POST", Self.root + "/models/copy", alias)
    }

    /// Deletes a model for good, or takes another name of it away.
    public func delete(model: String) async throws -> DeletedModel {
        try decode(await transport.send(.init("DELETE", Self.root + "/models/" + Self.encode(model))))
    }
}
