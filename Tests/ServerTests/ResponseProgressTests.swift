import Assistant
import AssistantAPI
import FoundationEssentials
import HTTPTypes
import Testing

@testable import Server

/// The events of a response in their order, and the whole object at their end.
struct ResponseProgressTests {
    private static func progress(_ more: String = "") throws -> ResponseProgress {
        ResponseProgress(ResponseFrame(try ResponseCallTests.call(#"{"input":"Hi"\#(more)}"#), created: 7))
    }

    private static let start: [ResponseEvent] = [
        .completion(.queued(ahead: 1)), .completion(.started(model: "tiny")),
        .completion(.prefill(PrefillProgress(total: 2, cached: 0, processed: 2, milliseconds: 1))),
    ]

    private static func token(_ text: String = "", _ calls: [ToolCallPiece]? = nil) -> ResponseEvent {
        var piece = TokenPiece(id: 1, text: text, bytes: Array(text.utf8))
        piece.calls = calls
        return .completion(.token(piece))
    }

    private static func end(_ finish: FinishReason = .stop) -> ResponseEvent {
        .completion(
            .completed(
                CompletionSummary(
                    finish: finish, usage: Usage(promptTokens: 5, cachedTokens: 2, completionTokens: 3),
                    timings: Timings(queued: 0, loading: 0, prefill: 1, decode: 1, firstToken: 1))))
    }

    /// All events of a response, the last one included.
    private static func events(
        _ progress: inout ResponseProgress, _ events: [ResponseEvent]
    ) throws -> [ResponseStreamEvent] {
        var told: [ResponseStreamEvent] = []
        for event in events { told += try progress.take(event) }
        told += progress.end()
        return told + [progress.last()]
    }

    private static func output(_ event: ResponseStreamEvent?) throws -> [JSON] {
        try #require(event?.json["response"]?["output"]).elements()
    }

    private static func types(_ events: [ResponseStreamEvent]) -> [String] {
        events.map { String($0.type.dropFirst("response.".count)) }
    }

    @Test func textIsToldPieceByPiece() throws {
        var progress = try Self.progress()
        let events = try Self.events(
            &progress, Self.start + [Self.token("Hel"), Self.token(), Self.token("lo"), Self.end()])
        #expect(
            Self.types(events) == [
                "created", "in_progress", "output_item.added", "content_part.added", "output_text.delta",
                "output_text.delta", "output_text.done", "content_part.done", "output_item.done", "completed",
            ])
        #expect(events.compactMap { $0.json["sequence_number"] } == events.indices.map { JSON($0) })
        #expect(events.compactMap { $0.json["type"] } == events.map { JSON.string($0.type) })
        let item = try #require(events[2].json["item"])
        #expect(item["status"] == "in_progress" && item["content"] == [])
        for event in events[3...7] {
            #expect(event.json["item_id"] == item["id"])
            #expect(event.json["output_index"] == 0 && event.json["content_index"] == 0)
        }
        #expect(events[6].json["text"] == "Hello")
        let response = try #require(events.last?.json["response"])
        #expect(response["status"] == "completed" && response["model"] == "tiny")
        #expect(response["created_at"] == 7 && response["object"] == "response")
        let output = try Self.output(events.last)
        #expect(output.count == 1 && output[0] == events[8].json["item"])
        #expect(output[0]["content"] == [ResponseItem.part("Hello")])
        #expect(response["usage"]?["input_tokens"] == 5 && response["usage"]?["total_tokens"] == 8)
        #expect(response["usage"]?["input_tokens_details"]?["cached_tokens"] == 2)
        #expect(response["usage"]?["output_tokens_details"]?["reasoning_tokens"] == 0)
        #expect(response["timings"]?["predicted_n"] == 3)
    }

    @Test func callsFollowOneAnother() throws {
        var progress = try Self.progress()
        let calls: [ResponseEvent] = [
            Self.token("", [ToolCallPiece(index: 0, name: "f", arguments: "{")]),
            Self.token("", [ToolCallPiece(index: 0, arguments: "}")]),
            Self.token("", [ToolCallPiece(index: 1, name: "g", arguments: "{}")]),
        ]
        let events = try Self.events(&progress, Self.start + calls + [Self.end()])
        let call = ["output_item.added", "function_call_arguments.delta"]
        let done = ["function_call_arguments.done", "output_item.done"]
        let types = [["created", "in_progress"], call, [call[1]], done, call, done, ["completed"]]
        #expect(Self.types(events) == types.flatMap { $0 })
        let output = try Self.output(events.last)
        #expect(output.map { $0["name"] } == ["f", "g"])
        #expect(output.map { $0["arguments"] } == ["{}", "{}"])
        #expect(Set(output.map { $0["call_id"]?.text }).count == 2)
        let told = events.filter { $0.type == "response.output_item.done" }.compactMap { $0.json["item"] }
        #expect(told == output)
    }

    private static let id = "01fox"

    private static func painting() -> [PictureEvent] {
        let recipe = Recipe(
            model: "paint", prompt: "a fox", width: 64, height: 64, steps: 4, seed: 7, scheduler: "lcm",
            guidanceScale: 1, decoder: "full")
        let data = Data([1, 2, 3])
        let picture = Picture(
            id: id, format: .png, width: 64, height: 64, bytes: 3, sha256: "", recipe: recipe,
            createdAt: Date(timeIntervalSince1970: 0))
        let timings = PictureTimings(queued: 0, loading: 0, encode: 1, denoise: 2, decode: 3, total: 6)
        return [
            .queued(.init(ahead: 0)), .started(.init(index: 0, id: id, recipe: recipe)),
            .partial(
                .init(index: 0, number: 0, step: 1, format: .png, width: 64, height: 64, data: Data([9]))),
            .picture(.init(index: 0, picture: picture, data: data)),
            .completed(.init(finish: .stop, timings: timings, promptTokens: 2)),
        ]
    }

    private static let pictureTool =
        #","tools":[{"type":"image_generation","quality":"low"},{"type":"function","name":"f"}]"#

    @Test func aPictureIsPaintedBehindTheCalls() throws {
        var progress = try Self.progress(Self.pictureTool)
        let calls: [ResponseEvent] = [
            .pictureCalled(call: 0, id: Self.id),
            Self.token("", [ToolCallPiece(index: 0, name: ImagineTool.name, arguments: #"{"prompt":"#)]),
            Self.token("", [ToolCallPiece(index: 0, arguments: #""a fox"}"#)]),
            Self.token("", [ToolCallPiece(index: 1, name: "f", arguments: "{}")]),
        ]
        let painting = Self.painting().map { ResponseEvent.picture(call: 0, $0) }
        let events = try Self.events(&progress, Self.start + calls + [Self.end()] + painting)
        #expect(
            Self.types(events) == [
                "created", "in_progress", "output_item.added", "image_generation_call.in_progress",
                "output_item.added", "function_call_arguments.delta", "function_call_arguments.done",
                "output_item.done", "image_generation_call.generating", "image_generation_call.partial_image",
                "image_generation_call.completed", "output_item.done", "completed",
            ])
        #expect(events[9].json["partial_image_b64"] == "CQ==" && events[9].json["partial_image_index"] == 0)
        let output = try Self.output(events.last)
        #expect(output.map { $0["type"] } == ["image_generation_call", "function_call"])
        let picture = output[0]
        #expect(picture["id"] == "ig_01fox" && picture["status"] == "completed")
        #expect(picture["result"] == "AQID" && picture["revised_prompt"] == "a fox")
        #expect(picture["size"] == "64x64" && picture["output_format"] == "png")
        #expect(picture["quality"] == "low" && picture["seed"] == 7)
        #expect(picture["timings"]?["total_ms"] != nil)
        // What is kept names the picture and has no file.
        let stored = try progress.stored.outputItems()
        #expect(stored == [picture.setting("result", .null), output[1]])
    }

    @Test func anAnswerThatIsCutOffIsIncompleteAndPaintsNothing() throws {
        var progress = try Self.progress(Self.pictureTool)
        let events = try Self.events(
            &progress, Self.start + [.pictureCalled(call: 0, id: Self.id), Self.end(.length)])
        #expect(
            Self.types(events) == [
                "created", "in_progress", "output_item.added", "image_generation_call.in_progress",
                "output_item.done", "incomplete",
            ])
        let response = try #require(events.last?.json["response"])
        #expect(response["incomplete_details"] == ["reason": "max_output_tokens"])
        let output = try Self.output(events.last)
        #expect(output[0]["status"] == "failed" && output[0]["result"] == .null)

        var text = try Self.progress()
        let cut = try Self.events(&text, Self.start + [Self.token("Hel"), Self.end(.length)])
        let items = try Self.output(cut.last)
        #expect(items[0]["status"] == "incomplete" && items[0]["content"] == [ResponseItem.part("Hel")])
    }

    @Test func aFailureKeepsWhatWasSaid() throws {
        var progress = try Self.progress()
        for event in Self.start + [Self.token("Hel")] { _ = try progress.take(event) }
        #expect(progress.hasBegun)
        let failure = Failure(AssistantError(.outOfMemory, "There is no room.", retryAfter: 1))
        let told = Self.types(progress.end(failure))
        #expect(told.last == "output_item.done")
        let last = progress.last()
        #expect(last.type == "response.failed")
        let error = try #require(last.json["response"]?["error"])
        #expect(error["code"] == "server_error" && error["message"] == "There is no room.")
        #expect(error["type"] == "out_of_memory")
        let output = try Self.output(last)
        #expect(output[0]["content"] == [ResponseItem.part("Hel")])
    }

    @Test func nothingIsToldBeforeTheRequestIsTaken() throws {
        var progress = try Self.progress()
        for event in Self.start.dropLast() {
            let told = try progress.take(event)
            #expect(told.isEmpty)
        }
        #expect(!progress.hasBegun)
    }

    @Test func anEmptyAnswerIsAMessage() throws {
        var progress = try Self.progress()
        let events = try Self.events(&progress, Self.start + [Self.end()])
        let output = try Self.output(events.last)
        #expect(output.count == 1 && output[0]["content"] == [ResponseItem.part("")])
        #expect(output[0]["status"] == "completed")
    }

    @Test func anAnswerThatWasStoppedIsAFailure() throws {
        var progress = try Self.progress()
        for event in Self.start { _ = try progress.take(event) }
        do {
            _ = try progress.take(Self.end(.interrupted))
            Issue.record("taken for whole")
        } catch {
            #expect(error.status == .serviceUnavailable)
        }
    }
}
