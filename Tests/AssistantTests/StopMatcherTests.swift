import Testing

@testable import Assistant

struct StopMatcherTests {
    private func run(_ stops: [String], _ pieces: [String]) -> (text: [String], matched: Bool) {
        var matcher = StopMatcher(stops)
        var text = pieces.map { matcher.append($0) }
        if !matcher.isMatched { text.append(matcher.finish()) }
        return (text, matcher.isMatched)
    }

    @Test func textWithoutStopStringsPassesAtOnce() {
        #expect(run([], ["a", "", "b"]).text == ["a", "", "b", ""])
        #expect(run([""], ["a"]).text == ["a", ""])
    }

    @Test func aStopStringAcrossPiecesIsFound() {
        let result = run(["END"], ["one E", "N", "D two", "three"])
        #expect(result.text == ["one ", "", "", ""])
        #expect(result.matched)
    }

    @Test func theStopStringThatWasMetIsTold() {
        var matcher = StopMatcher(["b", "ab", "END"])
        let none = matcher.append("x E")
        #expect(none == "x " && matcher.matched == nil)
        let rest = matcher.append("ND")
        #expect(rest.isEmpty && matcher.matched == "END")
        var other = StopMatcher(["b", "ab"])
        let before = other.append("xab")
        #expect(before == "x" && other.matched == "ab")
    }

    @Test func whatOnlyBeganLikeAStopStringIsGivenOut() {
        #expect(run(["END"], ["E", "N", "x"]).text == ["", "", "ENx", ""])
        #expect(run(["END"], ["some EN"]).text == ["some ", "EN"])
    }

    @Test func theEarliestOfSeveralWins() {
        #expect(run(["b", "ab"], ["xaab"]).text == ["xa"])
        #expect(run(["\n\n", "\u{1F642}"], ["a\n", "\n"]).text == ["a", ""])
        #expect(run(["\n\n", "\u{1F642}"], ["a\u{1F642}b"]).text == ["a"])
    }

    @Test func overlappingStopsDoNotDependOnHowTheTextIsCut() {
        let (stops, text) = (["abcd", "bc"], "xxabcdyy")
        for cut in 0...text.count {
            let pieces = [String(text.prefix(cut)), String(text.dropFirst(cut))]
            let result = run(stops, pieces)
            #expect(result.text.joined() == "xxa" && result.matched, "cut at \(cut)")
        }
    }
}
