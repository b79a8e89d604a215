import NIOCore
import Testing

@testable import Server

struct ConnectionTimeoutsTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
    private var timeouts: ConnectionTimeouts { ConnectionTimeouts(limits: ConnectionLimits(), now: start) }

    private func second(_ count: Int64) -> NIODeadline { start + .seconds(count) }

    @Test func idleConnectionIsKeptForAMinute() {
        #expect(timeouts.deadline == second(60))
    }

    @Test func headerHasTenSecondsInAllHoweverItTrickles() {
        var timeouts = timeouts
        for step in 0..<9 { timeouts.received(byteCount: 1, at: second(Int64(step))) }
        #expect(timeouts.deadline == second(10))
    }

    @Test func bodyMayPauseForTenSeconds() {
        var timeouts = timeouts
        timeouts.received(byteCount: 100, at: start)
        timeouts.headerEnded(at: second(1))
        timeouts.received(byteCount: 100_000, at: second(5))
        #expect(timeouts.deadline == second(15))
    }

    @Test func tricklingBodyEndsAllTheSame() {
        var timeouts = timeouts
        timeouts.headerEnded(at: start)
        for step in 0..<20 { timeouts.received(byteCount: 1, at: second(Int64(step))) }
        #expect(timeouts.deadline == second(20))
    }

    @Test func answeringTakesAsLongAsItTakes() {
        var timeouts = timeouts
        timeouts.headerEnded(at: start)
        timeouts.requestEnded()
        #expect(timeouts.deadline == nil)
        timeouts.responseEnded(at: second(500))
        #expect(timeouts.deadline == second(560))
    }

    @Test func readerThatTakesNothingIsGivenUp() {
        var timeouts = timeouts
        timeouts.headerEnded(at: start)
        timeouts.requestEnded()
        timeouts.wrote(pending: true, progressed: false, at: second(1))
        timeouts.wrote(pending: true, progressed: false, at: second(8))
        #expect(timeouts.deadline == second(11))
        timeouts.wrote(pending: true, progressed: true, at: second(9))
        #expect(timeouts.deadline == second(19))
        timeouts.wrote(pending: false, progressed: true, at: second(10))
        #expect(timeouts.deadline == nil)
    }
}
