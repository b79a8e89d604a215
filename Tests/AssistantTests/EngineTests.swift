import AssistantAPI
import FoundationEssentials
import Settings
import Testing

@testable import Assistant

/// The whole way from a request to its tokens, on tiny models.
@Suite(.timeLimit(.minutes(5)))
struct EngineTests {
    private static let longContext = 1 << 20

    @Test func eventsComeInOrder() async throws {
        let tiny = try TinyAssistant()
        let outcome = try await tiny.complete(TinyAssistant.request(.text("Once upon a time"), tokens: 5))
        let names = outcome.events.map { event in
            switch event {
            case .queued: "queued"
            case .loading: "loading"
            case .started(let model): "started " + model
            case .prefill: "prefill"
            case .notice: "notice"
            case .echo: "echo"
            case .token: "token"
            case .completed: "completed"
            }
        }
        let order = names.reduce(into: [String]()) { if $0.last != $1 { $0.append($1) } }
        #expect(order == ["loading", "started tiny", "prefill", "token", "completed"])
        #expect(outcome.tokens.count == 5)
        #expect(outcome.summary?.finish == .length)
        #expect(outcome.summary?.usage == Usage(promptTokens: 16, cachedTokens: 0, completionTokens: 5))
        #expect(outcome.progress.last?.processed == 16)
    }

    @Test func theSameSeedGivesTheSameAnswerWhateverElseRuns() async throws {
        let request = TinyAssistant.request(.text("The quick brown fox"), tokens: 60, seed: 42)
        let alone = try await TinyAssistant().complete(request)
        let tiny = try TinyAssistant()
        let answers = try await withThrowingTaskGroup(of: String?.self) { group in
            for number in 0..<3 {
                group.addTask { try await tiny.complete(request, client: "\(number)").text }
                let long = String(repeating: "interference \(number) ", count: 12)
                let other = TinyAssistant.request(.text(long), tokens: 80, seed: UInt64(number))
                group.addTask {
                    _ = try await tiny.complete(other, client: "other \(number)")
                    return nil
                }
            }
            return try await group.reduce(into: [String]()) { if let text = $1 { $0.append(text) } }
        }
        #expect(answers == Array(repeating: alone.text, count: 3))
        #expect(!alone.text.isEmpty)
    }

    @Test func aShortRequestNeedNotWaitForALongOne() async throws {
        let tiny = try TinyAssistant(contextLength: Self.longContext)
        let long = try await tiny.startEndless(client: "long")
        let short = try await tiny.complete(TinyAssistant.request(.text("short"), tokens: 5), client: "short")
        #expect(short.tokens.count == 5)
        withExtendedLifetime(long) {}
    }

    @Test func aLongPromptKeepsNoAnswerWaiting() async throws {
        let tiny = try TinyAssistant(contextLength: Self.longContext)
        let prompt = String(repeating: "all work and no play ", count: 1500)
        let long = try tiny.assistant.core.start(
            TinyAssistant.request(.text(prompt), tokens: 1), lane: "long", owner: nil)
        var events = long.events.makeAsyncIterator()
        while let event = try await events.next() {
            if case .prefill = event { break }
        }
        let short = try await tiny.complete(TinyAssistant.request(.text("short"), tokens: 5), client: "short")
        #expect(short.tokens.count == 5)
        // Had the prompt been done by now, the request would end with the limit of its tokens.
        long.cancel()
        var last: CompletionEvent?
        while let event = try await events.next() { last = event }
        guard case .completed(let summary) = last else {
            Issue.record("\(String(describing: last))")
            return
        }
        #expect(summary.finish == .cancelled)
    }

    @Test func cancellingStopsAnAnswer() async throws {
        let tiny = try TinyAssistant(contextLength: Self.longContext)
        let running = try tiny.assistant.core.start(
            TinyAssistant.request(.text("endless"), tokens: nil), lane: "", owner: nil)
        var summary: CompletionSummary?
        for try await event in running.events {
            if case .token = event { running.cancel() }
            if case .completed(let value) = event { summary = value }
        }
        #expect(summary?.finish == .cancelled)
        await tiny.assistant.core.engine.gate.idle()
    }

    @Test func cancellingStopsAPrefill() async throws {
        let tiny = try TinyAssistant(contextLength: Self.longContext)
        let prompt = String(repeating: "all work and no play ", count: 1500)
        let running = try tiny.assistant.core.start(
            TinyAssistant.request(.text(prompt), tokens: 1), lane: "", owner: nil)
        var outcome = TinyAssistant.Outcome()
        for try await event in running.events {
            if case .prefill = event { running.cancel() }
            outcome.events.append(event)
        }
        #expect(outcome.summary?.finish == .cancelled)
        #expect(outcome.tokens.isEmpty)
        let last = try #require(outcome.progress.last)
        #expect(last.processed < last.total)
    }

    @Test func aConsumerThatLeavesFreesTheEngine() async throws {
        let tiny = try TinyAssistant(contextLength: Self.longContext)
        do {
            let endless = try await tiny.startEndless()
            withExtendedLifetime(endless) {}
        }
        await tiny.assistant.core.engine.gate.idle()
    }

    @Test func aFullQueueRefuses() async throws {
        let tiny = try TinyAssistant(contextLength: Self.longContext) { $0.server.queueDepth = 1 }
        var running: [TinyAssistant.Endless] = []
        for _ in 0..<Engine.runningLimit { running.append(try await tiny.startEndless()) }
        let waiting = tiny.assistant.complete(TinyAssistant.request(.text("x"), tokens: 1))
        await #expect {
            _ = try await tiny.complete(TinyAssistant.request(.text("x"), tokens: 1))
        } throws: {
            ($0 as? AssistantError)?.code == .queueFull
        }
        running.removeAll()
        var outcome = TinyAssistant.Outcome()
        for try await event in waiting { outcome.events.append(event) }
        #expect(outcome.tokens.count == 1)
        #expect(outcome.events.first == .queued(ahead: Engine.runningLimit))
    }

    @Test func aPromptThatBeginsAlikeIsTakenFromTheCache() async throws {
        let tiny = try TinyAssistant()
        let start = "A prompt that is long enough to be worth keeping: "
        let first = try await tiny.complete(TinyAssistant.request(.text(start), tokens: 4))
        let second = try await tiny.complete(
            TinyAssistant.request(.text(start + first.text + " more"), tokens: 4))
        #expect(first.summary?.usage.cachedTokens == 0)
        #expect((second.summary?.usage.cachedTokens ?? 0) >= start.utf8.count)
        #expect(second.progress.first?.cached == second.summary?.usage.cachedTokens)
        // The same prompt again: all but its last token, whose logits are needed.
        let again = try await tiny.complete(TinyAssistant.request(.text(start), tokens: 4))
        #expect(again.text == first.text)
    }

    @Test func theCacheDoesNotChangeTheAnswer() async throws {
        let prompt = "The same words, warm or cold, are answered alike."
        let request = TinyAssistant.request(.text(prompt), tokens: 30, seed: 5)
        let cold = try await TinyAssistant().complete(request)
        let tiny = try TinyAssistant()
        _ = try await tiny.complete(
            TinyAssistant.request(.text("The same words, but others follow"), tokens: 9))
        let warm = try await tiny.complete(request)
        #expect((warm.summary?.usage.cachedTokens ?? 0) > 0)
        #expect(warm.text == cold.text)
    }

    @Test func theAnswerEndsWithTheContext() async throws {
        let tiny = try TinyAssistant(contextLength: 64)
        let outcome = try await tiny.complete(TinyAssistant.request(.text("0123456789"), tokens: nil))
        #expect(outcome.summary?.finish == .length)
        #expect(outcome.notices == ["truncated"])
        #expect(outcome.tokens.count == 55)
    }

    @Test func aTalkThatIsTooLongLosesItsOldestTurns() async throws {
        let tiny = try TinyAssistant(contextLength: 256)
        var messages = [ChatMessage(role: .system, content: "Be brief.")]
        for _ in 0..<5 {
            messages.append(ChatMessage(role: .user, content: String(repeating: "question ", count: 3)))
            messages.append(ChatMessage(role: .assistant, content: String(repeating: "answer ", count: 3)))
        }
        messages.append(ChatMessage(role: .user, content: "And now?"))
        let outcome = try await tiny.complete(TinyAssistant.request(.chat(messages), tokens: 4))
        #expect(outcome.notices == ["context_shifted"])
        #expect(outcome.tokens.count == 4)
        #expect((outcome.summary?.usage.promptTokens ?? .max) < 256)
    }

    @Test func aPromptThatIsTooLongIsRefusedWithFigures() async throws {
        let tiny = try TinyAssistant(contextLength: 64)
        await #expect {
            _ = try await tiny.complete(
                TinyAssistant.request(.text(String(repeating: "x", count: 100)), tokens: 1))
        } throws: {
            guard let error = $0 as? AssistantError else { return false }
            return error.code == .contextLengthExceeded && error.message.contains("100")
        }
    }

    @Test func stopStringsEndAnAnswerBeforeThem() async throws {
        let tiny = try TinyAssistant()
        var request = TinyAssistant.request(.text("seed"), tokens: 40, seed: 3)
        let whole = try await tiny.complete(request).text
        let characters = Array(whole)
        let stop = String(characters[20..<22])
        request.settings.stop = [stop]
        let outcome = try await tiny.complete(request)
        #expect(outcome.summary?.finish == .stop)
        #expect(whole.hasPrefix(outcome.text + stop))
    }

    @Test func evaluatingOnlyReportsThePromptsProbabilities() async throws {
        let tiny = try TinyAssistant()
        var request = TinyAssistant.request(.text("score this"), tokens: 0)
        request.echo = true
        request.logprobs = 3
        let outcome = try await tiny.complete(request)
        #expect(outcome.tokens.isEmpty)
        #expect(outcome.echo.map(\.text).joined() == "score this")
        #expect(outcome.echo.first?.logprob == nil)
        #expect(outcome.echo.dropFirst().allSatisfy { ($0.logprob ?? 1) <= 0 && $0.alternatives?.count == 3 })
        #expect(outcome.summary?.usage == Usage(promptTokens: 10, cachedTokens: 0, completionTokens: 0))
        #expect(outcome.summary?.finish == .length)
    }

    @Test func scoringLeavesTheCachesAlone() async throws {
        let tiny = try TinyAssistant()
        var request = TinyAssistant.request(.text("score this, please"), tokens: 0)
        (request.echo, request.logprobs) = (true, 1)
        _ = try await tiny.complete(request)
        let next = try await tiny.complete(TinyAssistant.request(.text("score this, please"), tokens: 1))
        #expect(next.summary?.usage.cachedTokens == 0)
        let warm = try await tiny.complete(request)
        #expect(warm.summary?.usage.cachedTokens == 0)
        #expect(warm.echo.dropFirst().allSatisfy { $0.logprob != nil })
    }

    @Test func echoedAndGeneratedProbabilitiesAgree() async throws {
        let tiny = try TinyAssistant()
        var request = TinyAssistant.request(.tokens([72, 101, 108]), tokens: 6)
        request.settings.temperature = 0
        request.logprobs = 2
        let generated = try await tiny.complete(request)
        let tokens = generated.tokens.map(\.id)
        var scored = TinyAssistant.request(.tokens([72, 101, 108] + tokens), tokens: 0)
        scored.echo = true
        scored.logprobs = 2
        let echoed = try await tiny.complete(scored).echo.suffix(tokens.count)
        for (one, other) in zip(generated.tokens, echoed) {
            #expect(one.id == other.id)
            #expect(abs((one.logprob ?? 0) - (other.logprob ?? 1)) < 0.02)
            #expect(one.alternatives?.count == 2)
        }
    }

    @Test func severalModelsTakeTurns() async throws {
        let tiny = try TinyAssistant(names: ["tiny", "other"])
        let requests = [nil, "other", "tiny", "OTHER"].map {
            TinyAssistant.request(.text("hello"), tokens: 3, model: $0)
        }
        let started = try await withThrowingTaskGroup(of: (Int, CompletionEvent?).self) { group in
            for (index, request) in requests.enumerated() {
                group.addTask {
                    let outcome = try await tiny.complete(request, client: "\(index)")
                    return (index, outcome.events.first { if case .started = $0 { true } else { false } })
                }
            }
            return try await group.reduce(into: [Int: CompletionEvent?]()) { $0[$1.0] = $1.1 }
        }
        #expect(started[0] == .started(model: "tiny"))
        #expect(started[1] == .started(model: "other"))
        #expect(started[2] == .started(model: "tiny"))
        #expect(started[3] == .started(model: "other"))
    }

    @Test func aModelWhoseFileWasReplacedIsLoadedAgain() async throws {
        let tiny = try TinyAssistant()
        let request = TinyAssistant.request(.text("What are you?"), tokens: 20, seed: 9)
        let before = try await tiny.complete(request)
        try TinyModel.write(to: tiny.folder + "/inkling/models", name: "tiny", contextLength: 512, seed: 77)
        let after = try await tiny.complete(request)
        #expect(after.events.contains(.loading(fraction: 1)))
        #expect(after.text != before.text)
    }

    @Test func aBrokenModelHarmsNobodyElse() async throws {
        let tiny = try TinyAssistant()
        _ = try await tiny.complete(TinyAssistant.request(.text("x"), tokens: 1))
        try Data("GGUF but not really".utf8)
            .write(to: URL(filePath: tiny.folder + "/inkling/models/broken.gguf"))
        await #expect {
            _ = try await tiny.complete(TinyAssistant.request(.text("x"), tokens: 1, model: "broken"))
        } throws: {
            ($0 as? AssistantError)?.code == .modelUnusable
        }
        // The model in memory stayed there.
        #expect(tiny.assistant.health().models.contains(.init(id: "tiny", state: .loaded)))
        let next = try await tiny.complete(TinyAssistant.request(.text("x"), tokens: 1))
        #expect(next.tokens.count == 1)
        #expect(!next.events.contains(.loading(fraction: 1)))
        let models = await tiny.assistant.models()
        #expect(models.map(\.id) == ["broken", "tiny"])
        #expect(models.map(\.state) == [.unloaded, .loaded])
        #expect(models[0].details == nil)
        #expect(models[1].details?.layerCount == 2)
    }

    @Test(arguments: [
        (CompletionRequest.Prompt.chat([]), "messages"), (.text(""), "prompt"), (.tokens([]), "prompt"),
        (.tokens([1, 259]), "prompt"), (.tokens([-1]), "prompt"),
    ])
    func promptsThatMeanNothingAreRefused(prompt: CompletionRequest.Prompt, field: String) async throws {
        let tiny = try TinyAssistant()
        await #expect {
            _ = try await tiny.complete(TinyAssistant.request(prompt, tokens: 1))
        } throws: {
            let error = $0 as? AssistantError
            return error?.code == .invalidRequest && error?.parameter == field
        }
    }
}
