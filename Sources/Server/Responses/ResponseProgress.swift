import Assistant
import AssistantAPI
import FoundationEssentials

/// One event of the stream of a response; the last one has the whole response.
struct ResponseStreamEvent: Sendable {
    /// Such as `response.output_text.delta`.
    let type: String
    let json: JSON
}

/// A response while it is made: takes what happens, tells it as OpenAI's clients read it, and becomes the whole object.
///
/// An item is open from its first piece to the next item; pictures are announced when they are called for, and painted
/// once the answer has ended.
struct ResponseProgress: Sendable {
    private var frame: ResponseFrame
    private var items: [ResponseItem] = []
    /// Where the items of calls stand, by the calls' places in the answer.
    private var places: [Int: Int] = [:]
    /// The message or call that is being written.
    private var written: Int?
    private var summary: CompletionSummary?
    private var failure: Failure?
    private var notices: [Notice] = []
    private var sequence = 0
    private var pending: [ResponseStreamEvent] = []
    /// Whether the request has got past everything that can refuse it.
    private(set) var hasBegun = false

    init(_ frame: ResponseFrame) { self.frame = frame }

    // MARK: - What happens

    /// - Throws: `Failure` for an answer or a picture that was cut off.
    mutating func take(_ event: ResponseEvent) throws(Failure) -> [ResponseStreamEvent] {
        switch event {
        case .completion(let event): try take(event)
        case .pictureCalled(let call, let id): callPicture(id, call)
        case .picture(let call, let event):
            if let place = places[call] { try take(event, place) }
        }
        return drained()
    }

    private mutating func take(_ event: CompletionEvent) throws(Failure) {
        if event.showsProgress { begin() }
        switch event {
        case .queued, .loading, .prefill, .echo: break
        case .started(let model): frame.model = model
        case .notice(let notice): notices.append(notice)
        case .token(let piece):
            if !piece.text.isEmpty { say(piece.text) }
            for call in piece.calls ?? [] { take(call) }
        case .completed(let summary):
            self.summary = summary
            _ = try AnswerFrame.finishReason(summary.finish)
            close(summary.finish == .length ? .incomplete : .completed)
        }
    }

    private mutating func begin() {
        guard !hasBegun else { return }
        hasBegun = true
        let response = frame.object(status: "in_progress")
        emit("response.created", [("response", response)])
        emit("response.in_progress", [("response", response)])
    }

    private mutating func say(_ text: String) {
        let place: Int
        if let written, items[written].kind == .message { place = written } else { place = openMessage() }
        items[place].text += text
        emit(
            "response.output_text.delta", of: place,
            [("content_index", 0), ("delta", .string(text)), ("logprobs", [])])
    }

    private mutating func openMessage() -> Int {
        let place = add(.message, id: "msg_\(suffix)o\(items.count)")
        written = place
        emit(
            "response.content_part.added", of: place,
            [("content_index", 0), ("part", ResponseItem.part(""))])
        return place
    }

    private mutating func take(_ call: ToolCallPiece) {
        if let name = call.name, places[call.index] == nil {
            let id = "\(suffix)o\(items.count)"
            let place = add(.call(name: name, id: "call_\(id)"), id: "fc_\(id)")
            places[call.index] = place
            written = place
        }
        // What a picture's call says is told when it is painted.
        guard let place = places[call.index], place == written, !call.arguments.isEmpty else { return }
        items[place].text += call.arguments
        emit("response.function_call_arguments.delta", of: place, [("delta", .string(call.arguments))])
    }

    // MARK: - Pictures

    private mutating func callPicture(_ id: Picture.ID, _ call: Int) {
        let quality = frame.call.tools.picture?.quality ?? "auto"
        let place = add(.picture(quality: quality), id: ResponseItem.id(ofPicture: id))
        places[call] = place
        emit("response.image_generation_call.in_progress", of: place)
    }

    private mutating func take(_ event: PictureEvent, _ place: Int) throws(Failure) {
        switch event {
        case .queued, .loading, .progress: break
        case .notice(let notice): notices.append(notice)
        case .started(let started):
            items[place].prompt = started.recipe.prompt
            items[place].status = .generating
            emit("response.image_generation_call.generating", of: place)
        case .partial(let partial): emit(partial, of: place)
        case .picture(let picture): items[place].picture = picture
        case .completed(let completed):
            try ImageGenerationWriter.check(completed)
            items[place].timings = completed.timings
            items[place].status = .completed
            emit("response.image_generation_call.completed", of: place)
            emitDone(place)
        case .failed(let failed): throw Failure(failed.error)
        }
    }

    private mutating func emit(_ partial: PictureEvent.Partial, of place: Int) {
        guard case .picture(let quality) = items[place].kind else { return }
        var members: [(String, JSON)] = [
            ("partial_image_index", JSON(partial.number)),
            ("partial_image_b64", .string(partial.data.base64EncodedString())),
            ("size", .string("\(partial.width)x\(partial.height)")),
            ("output_format", .string(partial.format.rawValue)),
        ]
        members += ResponseItem.look(quality)
        emit("response.image_generation_call.partial_image", of: place, members)
    }

    // MARK: - The end

    /// Ends what is not finished yet.
    ///
    /// - Parameter failure: Why the response is made no further, where it is not.
    /// - Returns: What is told of it.
    mutating func end(_ failure: Failure? = nil) -> [ResponseStreamEvent] {
        self.failure = failure
        // Clients look for a message, also where the model said nothing.
        if items.isEmpty, failure == nil { _ = openMessage() }
        close(status == "completed" ? .completed : .incomplete)
        for place in items.indices where [.inProgress, .generating].contains(items[place].status) {
            items[place].status = .failed
            emitDone(place)
        }
        return drained()
    }

    mutating func add(_ notice: Notice) { notices.append(notice) }

    /// The stream's last event.
    mutating func last() -> ResponseStreamEvent {
        emit("response.\(status)", [("response", object())])
        return drained()[0]
    }

    /// The response as the history keeps it; the files of its pictures are kept as all others are.
    var stored: StoredResponse {
        StoredResponse(
            id: frame.call.id, previous: frame.call.previous,
            createdAt: Date(timeIntervalSince1970: Double(frame.created)),
            input: JSON.array(frame.call.input).text, body: object(withFiles: false).text)
    }

    private var status: String {
        if failure != nil { return "failed" }
        return summary?.finish == .length ? "incomplete" : "completed"
    }

    private func object(withFiles: Bool = true) -> JSON {
        frame.object(
            status: status, output: items.map { $0.json(withFile: withFiles) }, failure: failure,
            summary: summary, notices: notices)
    }

    // MARK: - Items

    private var suffix: Substring { frame.call.id.drop { $0 != "_" }.dropFirst() }

    /// Begins an item, which ends the one before.
    private mutating func add(_ kind: ResponseItem.Kind, id: String) -> Int {
        close(.completed)
        let place = items.count
        items.append(ResponseItem(kind, id: id))
        emit(
            "response.output_item.added",
            [("output_index", JSON(place)), ("item", items[place].json())])
        return place
    }

    /// Ends the message or call that is being written, where there is one.
    private mutating func close(_ status: ResponseItem.Status) {
        guard let place = written else { return }
        written = nil
        items[place].status = status
        let text = items[place].text
        switch items[place].kind {
        case .message:
            emit(
                "response.output_text.done", of: place,
                [("content_index", 0), ("text", .string(text)), ("logprobs", [])])
            emit(
                "response.content_part.done", of: place,
                [("content_index", 0), ("part", ResponseItem.part(text))])
        case .call(let name, _):
            emit(
                "response.function_call_arguments.done", of: place,
                [("name", .string(name)), ("arguments", .string(text))])
        case .picture: break
        }
        emitDone(place)
    }

    private mutating func emitDone(_ place: Int) {
        emit(
            "response.output_item.done",
            [("output_index", JSON(place)), ("item", items[place].json())])
    }

    // MARK: - Events

    private mutating func emit(_ type: String, of place: Int, _ members: [(String, JSON)] = []) {
        let head: [(String, JSON)] = [
            ("item_id", .string(items[place].id)), ("output_index", JSON(place)),
        ]
        emit(type, head + members)
    }

    private mutating func emit(_ type: String, _ members: [(String, JSON)]) {
        let head: [(String, JSON)] = [("type", .string(type)), ("sequence_number", JSON(sequence))]
        sequence += 1
        pending.append(ResponseStreamEvent(type: type, json: JSON(head + members)))
    }

    private mutating func drained() -> [ResponseStreamEvent] {
        defer { pending = [] }
        return pending
    }
}
