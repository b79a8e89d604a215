import AssistantAPI
import FoundationEssentials
import HTTPTypes

/// Puts pictures into the shapes of `POST /v1/images/generations` and its like, whole or as events.
struct ImageGenerationWriter: EventWriter {
    private let call: ImageGenerationCall
    /// Seconds since 1970.
    private let created: Int
    private var promptTokens = 0
    /// The picture that was finished last, until it is known what all of them took.
    private var finished: PictureEvent.Finished?

    init(_ call: ImageGenerationCall, created: Int) {
        self.call = call
        self.created = created
    }

    // MARK: - Streamed

    func commits(_ event: PictureEvent) -> Bool { event.commits }

    mutating func text(for event: PictureEvent) throws -> String {
        switch event {
        case .started(let started):
            defer { promptTokens = started.promptTokens }
            return completion()
        case .partial(let partial):
            let size = "\(partial.width)x\(partial.height)"
            return self.event(
                "partial_image", partial.data, size: size, format: partial.format,
                extras: [("partial_image_index", JSON(partial.number))])
        case .picture(let picture):
            defer { finished = picture }
            return completion()
        case .completed(let completed):
            let last = completion([("timings", AnswerFrame.timings(completed.timings))])
            do throws(Failure) {
                try Self.check(completed)
                return last
            } catch {
                return last + (try text(for: error, error))
            }
        case .queued, .loading, .notice, .progress, .failed:
            return ""
        }
    }

    mutating func text(for failure: Failure, _ error: any Error) throws -> String {
        let renamed = Failure(call.operation.renamed(error))
        guard case .object(let members) = renamed.json else { return "" }
        let data = JSON.object([.init(name: "type", value: "error")] + members)
        return completion() + ServerSentEvent.text(name: "error", data: data.text)
    }

    mutating func end() -> String { "" }

    /// The event of the picture that was finished last, where it was not told yet.
    private mutating func completion(_ timings: [(String, JSON)] = []) -> String {
        guard let told = finished else { return "" }
        finished = nil
        let picture = told.picture
        return event(
            "completed", told.data, size: "\(picture.width)x\(picture.height)", format: picture.format,
            extras: [("usage", Self.usage(promptTokens))] + timings + Self.extras(picture))
    }

    private func event(
        _ kind: String, _ file: Data, size: String, format: PictureFormat, extras: [(String, JSON)]
    ) -> String {
        let name = "\(call.operation.eventName).\(kind)"
        let members: [(String, JSON)] =
            [("type", .string(name)), ("b64_json", .string(file.base64EncodedString()))]
            + [("created_at", JSON(created)), ("size", .string(size)), ("quality", .string(call.quality))]
            + [("background", "opaque"), ("output_format", .string(format.rawValue))] + extras
        return ServerSentEvent.text(name: name, data: JSON(members).text)
    }

    // MARK: - Whole

    /// All pictures as one object, for clients that don't stream.
    ///
    /// - Throws: what the stream throws; a `Failure` for pictures that were cut off.
    static func whole(
        _ events: AsyncThrowingStream<PictureEvent, any Error>, _ call: ImageGenerationCall, created: Int
    ) async throws -> JSON {
        var (pictures, notices): ([PictureEvent.Finished], [Notice]) = ([], [])
        var completed: PictureEvent.Completed?
        for try await event in events {
            switch event {
            case .picture(let finished): pictures.append(finished)
            case .notice(let notice): notices.append(notice)
            case .completed(let value): completed = value
            default: break
            }
        }
        guard let completed, let first = pictures.first?.picture else { throw CancellationError() }
        try check(completed)
        let data = pictures.map { finished in
            JSON([file(finished, asURL: call.givesURLs)] + extras(finished.picture))
        }
        var members: [(String, JSON)] = [
            ("created", JSON(created)), ("background", "opaque"), ("data", .array(data)),
            ("output_format", .string(first.format.rawValue)), ("quality", .string(call.quality)),
            ("size", .string("\(first.width)x\(first.height)")), ("usage", usage(completed.promptTokens)),
            ("timings", AnswerFrame.timings(completed.timings)),
        ]
        members += AnswerFrame.extras(notices)
        return JSON(members)
    }

    private static func file(_ finished: PictureEvent.Finished, asURL: Bool) -> (String, JSON) {
        let text = finished.data.base64EncodedString()
        guard asURL else { return ("b64_json", .string(text)) }
        return ("url", .string("data:\(finished.picture.format.mediaType);base64,\(text)"))
    }

    // MARK: - Parts

    /// Beside OpenAI's fields: under which id the picture is kept, and the seed that makes it again.
    private static func extras(_ picture: Picture) -> [(String, JSON)] {
        [("id", .string(picture.id)), ("seed", .number(JSONNumber(picture.recipe.seed)))]
    }

    /// Clients with types insist on these; a picture has no tokens here.
    private static func usage(_ promptTokens: Int) -> JSON {
        [
            "input_tokens": JSON(promptTokens), "output_tokens": 0, "total_tokens": JSON(promptTokens),
            "input_tokens_details": ["text_tokens": JSON(promptTokens), "image_tokens": 0],
        ]
    }

    /// - Throws: `Failure` for pictures that were cut off and must not look complete.
    static func check(_ completed: PictureEvent.Completed) throws(Failure) {
        guard completed.finish != .stop else { return }
        throw Failure(
            .serviceUnavailable, code: AssistantError.Code.cancelled.rawValue,
            "The pictures were cut off before their end.", retryAfter: 1)
    }
}
