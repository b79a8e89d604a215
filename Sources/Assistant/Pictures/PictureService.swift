public import AssistantAPI
public import FoundationEssentials
import History
import ImageCodecs
import Logging
import Settings

/// The pictures: painted by the engine, made into files, and kept in the history (private ones in memory, for a while).
public final class PictureService: Sendable {
    private let history: HistoryStore
    private let engine: PictureEngine
    private let defaultFormat: PictureFormat
    private let logger: Logger
    private let running = RunningAnswers()
    private let recent: RecentPictures

    init(
        history: HistoryStore, engine: PictureEngine, defaultFormat: PictureFormat = .png, logger: Logger,
        clock: any Clock<Duration> = ContinuousClock()
    ) {
        self.history = history
        self.engine = engine
        self.defaultFormat = defaultFormat
        self.logger = logger
        recent = RecentPictures(clock: clock)
    }

    /// How other pictures than those of requests are kept.
    var keeping: PictureKeeping {
        PictureKeeping(history: history, recent: recent, format: defaultFormat, logger: logger)
    }

    // MARK: - Making

    /// How large the pictures on their way are sent.
    public enum PartialSize: Sendable {
        /// As the preview has them, which may be one pixel for eight.
        case small
        /// As the finished picture.
        case full
    }

    /// Makes pictures and streams what happens; the last event is `completed`.
    ///
    /// A consumer that leaves stops the work within 50 ms; pictures that were finished before are kept.
    ///
    /// - Parameters:
    ///   - request: What is asked.
    ///   - client: Who asks: requests of one client are served in order, clients take turns.
    ///   - partialSize: Of the pictures on their way.
    ///   - firstID: The id of the first picture, which nothing else has; `nil` makes one.
    /// - Returns: A stream whose errors are `AssistantError`s.
    public func make(
        _ request: PictureRequest, client: String = "", partialSize: PartialSize = .small,
        firstID: Picture.ID? = nil
    ) -> AsyncThrowingStream<PictureEvent, any Error> {
        let (stream, events) = AsyncThrowingStream.makeStream(of: PictureEvent.self)
        let cancellation = Cancellation()
        events.onTermination = { reason in
            if case .cancelled = reason { cancellation.cancel() }
        }
        let making = PictureMaking(
            request: request, firstID: firstID, format: request.format ?? defaultFormat,
            partialSize: partialSize,
            history: history, recent: recent, cancellation: cancellation, events: events, logger: logger)
        let isRunning = running.run(in: client, cancellation: cancellation) { [engine] in
            do {
                try await making.run(try engine.start(request, client))
                events.finish()
            } catch {
                events.finish(throwing: AssistantError.wrapping(error))
            }
        }
        if !isRunning {
            events.finish(
                throwing: AssistantError(.shuttingDown, "The daemon is shutting down.", retryAfter: 2))
        }
        return stream
    }

    // MARK: - Records

    /// The pictures that are kept, newest first; private ones are in no list.
    ///
    /// - Parameters:
    ///   - before: The `next` of the page before; `nil` for the first.
    ///   - limit: At most so many, 1 to 200.
    /// - Returns: The page.
    /// - Throws: `historyUnavailable`, `invalidRequest` for a `before` that is none.
    public func list(before: String? = nil, limit: Int = 50) async throws -> PictureList {
        try await reaching { try await history.pictures(before: before, limit: min(200, max(1, limit))) }
    }

    /// A picture's record.
    ///
    /// - Throws: `notFound`, `historyUnavailable`.
    public func picture(_ id: Picture.ID) async throws -> Picture {
        if let kept = recent.find(id) { return kept.picture }
        guard let picture = try await reaching({ try await history.picture(id) }) else {
            throw AssistantError(.notFound, "There is no picture \(id.prefix(80)).", parameter: "id")
        }
        return picture
    }

    /// A picture with its file.
    ///
    /// - Throws: `notFound`, `historyUnavailable`.
    public func file(of id: Picture.ID) async throws -> (picture: Picture, data: Data) {
        if let kept = recent.find(id) { return kept }
        let picture = try await picture(id)
        return (picture, try await reaching { try history.file(of: picture) })
    }

    /// Deletes a picture for good.
    ///
    /// - Returns: Its record.
    /// - Throws: `notFound`, `historyUnavailable`.
    public func delete(_ id: Picture.ID) async throws -> Picture {
        if let kept = recent.remove(id) { return kept.picture }
        return try await reaching { try await history.deletePicture(id) }
    }

    private func reaching<Value>(_ work: () async throws -> Value) async throws -> Value {
        do {
            return try await work()
        } catch {
            throw AssistantError.wrapping(error)
        }
    }

    // MARK: - The end

    /// Takes no more requests and waits for the running ones.
    func drain() async { await running.drain() }

    /// Stops the running requests and waits until what was finished is kept.
    func stopAll() async { await running.stopAll() }
}

extension PictureFormat {
    init(_ format: Configuration.Picture.Format) {
        self =
            switch format {
            case .png: .png
            case .webp: .webp
            }
    }
}
