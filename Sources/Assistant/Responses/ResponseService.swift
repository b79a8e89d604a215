public import AssistantAPI
import FoundationEssentials
import History
import Logging

/// The responses of OpenAI's API: made, and kept so that others can follow them.
///
/// They are no conversations: a script makes thousands of them, and the user's list is the user's.
public struct ResponseService: Sendable {
    /// How many responses a chain may have.
    public static let longestChain = 1000

    let history: HistoryStore
    let core: CompletionCore
    let pictures: PictureService
    let logger: Logger

    /// An id for a response or a part of one, behind what tells its kind.
    public static func makeID() -> String { HistoryStore.makeID() }

    /// Makes a response and streams what happens.
    ///
    /// A consumer that leaves stops the work.
    ///
    /// - Parameters:
    ///   - request: What is asked.
    ///   - client: Who asks: requests of one client are answered in order, clients take turns.
    /// - Returns: A stream whose errors are `AssistantError`s.
    public func make(
        _ request: ResponseRequest, client: String = ""
    ) -> AsyncThrowingStream<ResponseEvent, any Error> {
        let (stream, events) = AsyncThrowingStream.makeStream(of: ResponseEvent.self)
        let making = ResponseMaking(
            request: request, client: client, core: core, pictures: pictures, events: events)
        let work = Task {
            do {
                try await making.run()
                events.finish()
            } catch {
                events.finish(throwing: error)
            }
        }
        events.onTermination = { _ in work.cancel() }
        return stream
    }

    // MARK: - What is kept

    /// The responses that lead to one, oldest first, and that one.
    ///
    /// - Throws: `notFound` where it or one before it is not there; `invalidRequest` for more than `longestChain`;
    ///   `historyUnavailable`.
    public func chain(endingAt id: StoredResponse.ID) async throws -> [StoredResponse] {
        let found = try await reaching {
            try await history.responses(endingAt: id, limit: Self.longestChain)
        }
        guard let oldest = found.last else { throw Self.notFound(id) }
        guard let missing = oldest.previous else { return found.reversed() }
        guard found.count < Self.longestChain else {
            throw AssistantError(
                .invalidRequest,
                "More than \(Self.longestChain) responses lead to \(id.prefix(80)); begin with a new one.")
        }
        throw AssistantError(
            .notFound,
            "The response \(id.prefix(80)) cannot be continued: \(missing), before it, was deleted.")
    }

    /// A response that was kept.
    ///
    /// - Throws: `notFound`, `historyUnavailable`.
    public func response(_ id: StoredResponse.ID) async throws -> StoredResponse {
        guard let response = try await reaching({ try await history.response(id) }) else {
            throw Self.notFound(id)
        }
        return response
    }

    /// Deletes a response for good; its pictures stay.
    ///
    /// - Throws: `notFound`, `historyUnavailable`.
    public func delete(_ id: StoredResponse.ID) async throws {
        guard try await reaching({ try await history.deleteResponse(id) }) else { throw Self.notFound(id) }
    }

    /// Keeps a response.
    ///
    /// - Returns: What the user should know where it cannot be kept.
    public func keep(_ response: StoredResponse) async -> Notice? {
        do {
            try await history.save(response)
            return nil
        } catch {
            logger.warning("a response was not saved", metadata: ["error": "\(error)"])
            return Notice(
                code: "not_saved",
                message: "This response is not kept (\(error)); it cannot be had again or continued.")
        }
    }

    private static func notFound(_ id: StoredResponse.ID) -> AssistantError {
        AssistantError(.notFound, "There is no response \(id.prefix(80)).")
    }

    private func reaching<Value>(_ work: () async throws -> Value) async throws -> Value {
        do {
            return try await work()
        } catch {
            throw AssistantError.wrapping(error)
        }
    }
}
