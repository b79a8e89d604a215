import AssistantAPI
import Foundation
import Testing

@testable import Terminal

@Suite struct FrameBrowserTests {
    /// Frames of these texts, numbered from 1; the last of a text is its settled one.
    private func timeline(_ texts: [String]) -> [CanvasTimeline.Entry] {
        texts.enumerated().map { index, text in
            let isLast = index + 1 == texts.count || texts[index + 1] != text
            let recipe = Recipe(
                model: "m", prompt: text, width: 64, height: 48, steps: 2, seed: 7, scheduler: "euler",
                guidanceScale: 1, decoder: "full")
            return CanvasTimeline.Entry(
                number: index + 1, revision: index + 1, stage: isLast ? .settled : .draft,
                frame: FrameRecipe(recipe: recipe), shownAt: Date(timeIntervalSince1970: 0))
        }
    }

    private let texts = ["a fox", "a fox", "a red fox", "a hen", "a hen"]

    @Test func aStepStopsAtTheLastFrameOfEachText() {
        let timeline = timeline(texts)
        func stop(_ count: Int, from number: Int?) -> Int? {
            FrameBrowser.stop(.init(count: count), from: number, in: timeline)?.number
        }
        #expect(stop(-1, from: nil) == 3 && stop(-1, from: 3) == 2 && stop(-2, from: nil) == 2)
        #expect(stop(1, from: 2) == 3 && stop(1, from: 3) == 5)
        // The oldest is where it ends; after the newest comes what is typed.
        #expect(stop(-1, from: 2) == 2 && stop(-9, from: nil) == 2 && stop(1, from: 5) == nil)
        // From a draft: its own text is the nearest.
        #expect(stop(-1, from: 4) == 3 && stop(1, from: 1) == 3)
    }

    @Test func everyFrameIsAStopWhereDraftsCount() {
        let timeline = timeline(texts)
        func stop(_ count: Int, from number: Int?) -> Int? {
            FrameBrowser.stop(.init(count: count, takesDrafts: true), from: number, in: timeline)?.number
        }
        #expect(stop(-1, from: nil) == 4 && stop(-1, from: 4) == 3 && stop(-1, from: 1) == 1)
        #expect(stop(1, from: 1) == 2 && stop(1, from: 5) == nil)
        #expect(FrameBrowser.stop(.init(count: -1), from: nil, in: []) == nil)
    }

    @Test func stepsAddUpWhileAFrameIsFetched() throws {
        var browser = FrameBrowser()
        let timeline = timeline(texts)
        let firstStep = browser.go(.init(count: -1))
        let first = try #require(firstStep)
        #expect(first == .init(step: .init(count: -1), from: nil, visit: 0))
        for _ in 0..<2 {
            let step = browser.go(.init(count: -1))
            #expect(step == nil)
        }
        let frame = FrameBrowser.Recalled(entry: timeline[2], data: Data(), count: 5)
        let second = browser.receive(frame, for: first)
        #expect(browser.shown == frame)
        #expect(second == .init(step: .init(count: -2), from: 3, visit: 0))
        let third = browser.receive(nil, for: try #require(second))
        #expect(third == nil && browser.shown == nil)
    }

    @Test func aFrameThatComesAfterLeavingIsNotShown() throws {
        var browser = FrameBrowser()
        let requestStep = browser.go(.init(count: -1))
        let request = try #require(requestStep)
        browser.leave()
        let frame = FrameBrowser.Recalled(entry: timeline(texts)[0], data: Data(), count: 5)
        let next = browser.receive(frame, for: request)
        #expect(next == nil && browser.shown == nil)
        let againStep = browser.go(.init(count: -1))
        let again = try #require(againStep)
        #expect(again != request)
        _ = browser.receive(frame, for: again)
        #expect(browser.shown == frame)
    }
}
