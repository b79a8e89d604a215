import Testing

@testable import Assistant

struct TurnTakingTests {
    @Test func oneAtATimeInOrder() {
        var turns = TurnTaking(limit: 2)
        #expect(turns.enter("a", ticket: 1) == .now)
        #expect(turns.enter("a", ticket: 2) == .waits(ahead: 1))
        #expect(turns.enter("b", ticket: 3) == .now)
        #expect(turns.enter("a", ticket: 4) == .waits(ahead: 2))
        #expect(turns.enter("a", ticket: 5) == .full)
        #expect(turns.leave("a", ticket: 1) == 2)
        #expect(turns.place(of: 4, in: "a") == 1)
        #expect(turns.leave("a", ticket: 2) == 4)
        #expect(turns.leave("a", ticket: 4) == nil)
        #expect(turns.enter("a", ticket: 6) == .now)
    }

    @Test func givingUpAPlaceWakesNobody() {
        var turns = TurnTaking(limit: 4)
        for ticket in 1...3 { _ = turns.enter("a", ticket: UInt64(ticket)) }
        #expect(turns.leave("a", ticket: 2) == nil)
        #expect(turns.leave("a", ticket: 2) == nil)
        #expect(turns.leave("a", ticket: 1) == 3)
    }

    @Test func aWaitThatIsCancelledEndsAndLetsTheNextOneThrough() async throws {
        let turns = ConversationTurns(limit: 4)
        let (first, _) = try #require(turns.enter("a"))
        let (second, ahead) = try #require(turns.enter("a"))
        let (third, _) = try #require(turns.enter("a"))
        #expect(ahead == 1)
        let cancellation = Cancellation()
        async let waited = turns.wait(second, cancellation: cancellation)
        async let through = turns.wait(third, cancellation: Cancellation())
        cancellation.cancel()
        #expect(await !waited)
        turns.leave(first)
        #expect(await through)
    }
}
