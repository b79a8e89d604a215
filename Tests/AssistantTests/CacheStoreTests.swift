import Testing

@testable import Assistant

struct CacheStoreTests {
    private typealias Store = CacheStore<String>

    private func entry(_ name: String, _ tokens: [Int32], owner: String? = nil, bytes: Int = 10)
        -> Store.Entry
    {
        Store.Entry(cache: name, tokens: tokens, bytes: bytes, owner: owner)
    }

    private func describe(_ claim: Store.Claim) -> String {
        switch claim {
        case .fresh: "fresh"
        case .reuse(let entry, let shared): "reuse \(entry.cache) \(shared)"
        case .fork(let entry, let shared): "fork \(entry.cache) \(shared)"
        }
    }

    private let long = (0..<40).map(Int32.init)

    @Test func aPromptThatContinuesACacheTakesIt() {
        var store = Store(budget: 100)
        _ = store.keep(entry("a", [1, 2, 3], owner: "x"))
        #expect(describe(store.claim([1, 2, 3, 4, 5], owner: "y")) == "reuse a 3")
        #expect(store.count == 0)
    }

    @Test func theLongestSharedPrefixWins() {
        var store = Store(budget: 100)
        _ = store.keep(entry("short", [1, 2]))
        _ = store.keep(entry("long", [1, 2, 3]))
        _ = store.keep(entry("other", [7, 8, 9]))
        #expect(describe(store.claim([1, 2, 3, 4], owner: nil)) == "reuse long 3")
    }

    @Test func theOwnerTakesItsOwnCacheBack() {
        var store = Store(budget: 100)
        _ = store.keep(entry("mine", long + [1, 2, 3], owner: "x"))
        #expect(describe(store.claim(long + [9], owner: "x")) == "reuse mine 40")
    }

    @Test func aCacheOfAnotherConversationIsCopied() {
        var store = Store(budget: 100)
        _ = store.keep(entry("theirs", long + [1, 2, 3], owner: "x"))
        #expect(describe(store.claim(long + [9], owner: "y")) == "fork theirs 40")
        #expect(describe(store.claim(long + [9], owner: nil)) == "fork theirs 40")
        #expect(store.count == 1)
    }

    @Test func aFewSharedTokensAreNotWorthACopy() {
        var store = Store(budget: 100)
        _ = store.keep(entry("theirs", [1, 2, 3, 4], owner: "x"))
        #expect(describe(store.claim([1, 2, 9], owner: "y")) == "fresh")
        #expect(store.count == 1)
    }

    @Test func aCacheWithoutOwnerIsTakenWhenMoreIsKeptThanLost() {
        var store = Store(budget: 100)
        _ = store.keep(entry("a", long + [1, 2, 3]))
        #expect(describe(store.claim(long + [9], owner: nil)) == "reuse a 40")
        _ = store.keep(entry("b", long + long + [1]))
        #expect(describe(store.claim(long + [-1], owner: nil)) == "fork b 40")
    }

    @Test func theLeastRecentlyUsedLeavesFirst() {
        var store = Store(budget: 30)
        for name in ["a", "b", "c"] {
            _ = store.keep(entry(name, long + [Int32(name.utf8.first ?? 0)], owner: name))
        }
        // Copying from it is a use.
        _ = store.claim(long + [Int32(UInt8(ascii: "a")), 1], owner: nil)
        _ = store.keep(entry("a", long, owner: "a"))
        let leaving = store.keep(entry("d", [5], owner: "d"))
        #expect(leaving.map(\.cache) == ["b"])
        #expect(store.bytes == 30)
    }

    @Test func makingRoomHonoursTheBudget() {
        var store = Store(budget: 100)
        for number in 0..<5 { _ = store.keep(entry("\(number)", [Int32(number)], bytes: 20)) }
        let first = store.makeRoom(for: 50)
        #expect(first.map(\.cache) == ["0", "1", "2"])
        let rest = store.makeRoom(for: 1000)
        #expect(rest.count == 2)
        #expect(store.bytes == 0)
    }

    @Test func thereAreNeverTooMany() {
        var store = Store(budget: 1000, limit: 2)
        for number in 0..<3 { _ = store.keep(entry("\(number)", [Int32(number)], bytes: 1)) }
        #expect(store.count == 2)
        let claim = store.claim([0, 5], owner: nil)
        #expect(describe(claim) == "fresh")
    }

    @Test func whatIsLargerThanTheBudgetIsNotKept() {
        var store = Store(budget: 100)
        let huge = store.keep(entry("huge", [1], bytes: 101))
        #expect(huge.map(\.cache) == ["huge"])
        let empty = store.keep(entry("empty", []))
        #expect(empty.count == 1)
        #expect(store.count == 0)
    }

    @Test func aForgottenOwnerLeavesNothing() {
        var store = Store(budget: 100)
        _ = store.keep(entry("a", [1], owner: "x"))
        _ = store.keep(entry("b", [2], owner: "x"))
        _ = store.keep(entry("c", [3], owner: "y"))
        let leaving = store.removeAll(of: "x")
        #expect(leaving.count == 2)
        #expect(store.count == 1)
    }
}
