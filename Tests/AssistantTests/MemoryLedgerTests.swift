import AssistantAPI
import Testing

@testable import Assistant

struct MemoryLedgerTests {
    private typealias Holding = MemoryLedger.Holding
    private typealias Release = MemoryLedger.Release

    private func holding(
        _ model: Int, _ kind: MemoryKind, _ bytes: Int, usedAt second: Int = 0, isInUse: Bool = false,
        expiry: Int? = 1000
    ) -> Holding {
        Holding(
            owner: .model(model), kind: kind, bytes: bytes, isInUse: isInUse, lastUse: .seconds(second),
            expiry: kind == .weights ? expiry.map { .seconds($0) } : nil)
    }

    private func release(_ model: Int, _ kind: MemoryKind, _ bytes: Int) -> Release {
        Release(owner: .model(model), kind: kind, bytes: bytes)
    }

    @Test func whatFitsNeedsNothingToGo() throws {
        let ledger = MemoryLedger(limit: 100, holdings: [holding(1, .weights, 60)])
        #expect(try ledger.releases(for: 40, machine: nil) == [])
        #expect(try ledger.releases(for: 40, machine: 40) == [])
        #expect(ledger.used == 60 && ledger.bytes(of: .weights) == 60 && ledger.bytes(of: .renders) == 0)
    }

    @Test func idleCachesGoBeforeWeightsAndWhatCostsLeastFirst() throws {
        let scratch = Holding(owner: .work("drafts"), kind: .scratch, bytes: 5)
        let frames = Holding(owner: .canvas("c"), kind: .frames, bytes: 5)
        let ledger = MemoryLedger(
            limit: 100,
            holdings: [
                holding(1, .weights, 40), holding(1, .prefixCaches, 10, usedAt: 1), frames,
                holding(2, .weights, 30), holding(2, .renders, 10, usedAt: 9), scratch,
            ])
        #expect(
            try ledger.releases(for: 5, machine: nil) == [
                .init(owner: .work("drafts"), kind: .scratch, bytes: 5)
            ])
        #expect(
            try ledger.releases(for: 30, machine: nil) == [
                .init(owner: .work("drafts"), kind: .scratch, bytes: 5), release(2, .renders, 10),
                .init(owner: .canvas("c"), kind: .frames, bytes: 5), release(1, .prefixCaches, 10),
            ])
    }

    @Test func whatIsPinnedStaysWhoeverNeedsMemory() throws {
        var pinned = holding(1, .weights, 40, usedAt: 1, expiry: 2)
        pinned.isPinned = true
        let ledger = MemoryLedger(
            limit: 100,
            holdings: [pinned, holding(1, .prefixCaches, 10), holding(2, .weights, 40, usedAt: 5)])
        #expect(try ledger.releases(for: 40, machine: nil) == [release(2, .weights, 40)])
        #expect(throws: MemoryLedger.Shortage(needed: 70, available: 60, inUse: 40, limit: 100)) {
            try ledger.releases(for: 70, machine: nil)
        }
        #expect(ledger.expired(at: .seconds(5000)) == [.model(2)] && ledger.most(machine: nil) == 60)
    }

    @Test func theModelThatWasNotUsedForLongestGoesWithAllThatIsHeldForIt() throws {
        let ledger = MemoryLedger(
            limit: 100,
            holdings: [
                holding(1, .weights, 40, usedAt: 8), holding(2, .weights, 40, usedAt: 3),
                holding(2, .prefixCaches, 10, usedAt: 3), holding(1, .renders, 10, usedAt: 8),
            ])
        // The other one's cache stays, since it would not have been enough anyway.
        #expect(try ledger.releases(for: 45, machine: nil) == [release(2, .weights, 40)])
    }

    @Test func whatIsInUseNeverGoesAndTheRefusalHasFigures() {
        let ledger = MemoryLedger(
            limit: 100,
            holdings: [
                holding(1, .weights, 50, isInUse: true), holding(1, .attentionCaches, 10, isInUse: true),
                holding(2, .weights, 20),
            ])
        #expect(
            throws: MemoryLedger.Shortage(needed: 41, available: 40, inUse: 60, limit: 100)
        ) { try ledger.releases(for: 41, machine: nil) }
        let error = AssistantError(
            .init(needed: 41 << 20, available: 40 << 20, inUse: 60 << 20, limit: 100 << 20),
            for: "The model m")
        for figure in ["41 MiB", "40 MiB", "60 MiB", "100 MiB", "The model m"] {
            #expect(error.message.contains(figure))
        }
        #expect(error.code == .outOfMemory && error.retryAfter != nil)
        let never = AssistantError(.init(needed: 101, available: 40, inUse: 60, limit: 100), for: "m")
        #expect(never.retryAfter == nil)
    }

    @Test func modelsThatStayForEverGoLast() throws {
        let ledger = MemoryLedger(
            limit: 100,
            holdings: [
                holding(1, .weights, 50, usedAt: 1, expiry: nil), holding(2, .weights, 50, usedAt: 9),
            ])
        #expect(try ledger.releases(for: 10, machine: nil) == [release(2, .weights, 50)])
        #expect(
            try ledger.releases(for: 60, machine: nil) == [
                release(2, .weights, 50), release(1, .weights, 50),
            ])
    }

    @Test func onlyAsMuchOfACacheGoesAsIsNeeded() throws {
        let ledger = MemoryLedger(
            limit: 100, holdings: [holding(1, .weights, 50), holding(1, .prefixCaches, 50, usedAt: 1)])
        #expect(try ledger.releases(for: 20, machine: nil) == [release(1, .prefixCaches, 20)])
    }

    @Test func whatTheSystemCanGiveCountsBesideTheLimit() throws {
        let ledger = MemoryLedger(limit: 1000, holdings: [holding(1, .weights, 50)])
        #expect(try ledger.releases(for: 60, machine: 20) == [release(1, .weights, 50)])
        #expect(throws: MemoryLedger.Shortage(needed: 71, available: 70, inUse: 0, limit: 1000)) {
            try ledger.releases(for: 71, machine: 20)
        }
        #expect(ledger.most(machine: 20) == 70 && ledger.most(machine: nil) == 1000)
    }

    @Test func idleModelsGoWhenTheirTimeIsOver() {
        let ledger = MemoryLedger(
            limit: 100,
            holdings: [
                holding(1, .weights, 10, expiry: 300), holding(2, .weights, 10, expiry: 200),
                holding(3, .weights, 10, isInUse: true, expiry: 100), holding(4, .weights, 10, expiry: nil),
                holding(2, .prefixCaches, 10),
            ])
        #expect(ledger.nextExpiry == .seconds(200))
        #expect(ledger.expired(at: .seconds(199)) == [])
        #expect(ledger.expired(at: .seconds(200)) == [.model(2)])
        #expect(Set(ledger.expired(at: .seconds(9999))) == [.model(1), .model(2)])
    }

    @Test func whateverIsHeldTheRestFitsAndNothingGoesInVain() {
        var random = SeededRandom(seed: 7)
        for _ in 0..<2000 {
            var holdings: [Holding] = []
            for model in 0..<Int.random(in: 1...5, using: &random) {
                let isInUse = Int.random(in: 0..<4, using: &random) == 0
                let second = Int.random(in: 0..<9, using: &random)
                for kind in MemoryKind.allCases where kind != .attentionCaches {
                    holdings.append(
                        holding(
                            model, kind, Int.random(in: 0..<50, using: &random), usedAt: second,
                            isInUse: isInUse))
                }
            }
            let ledger = MemoryLedger(
                limit: holdings.reduce(0) { $0 + $1.bytes } + 20, holdings: holdings)
            let needed = Int.random(in: 0..<200, using: &random)
            guard let releases = try? ledger.releases(for: needed, machine: nil) else {
                #expect(needed > ledger.most(machine: nil))
                continue
            }
            func freed(_ release: Release) -> Int {
                let own = holdings.filter { $0.owner == release.owner }
                #expect(own.allSatisfy { !$0.isInUse })
                if release.kind != .weights { return release.bytes }
                return own.reduce(0) { $0 + $1.bytes }
            }
            let all = releases.reduce(0) { $0 + freed($1) }
            #expect(ledger.used - all + needed <= ledger.limit)
            for release in releases {
                #expect(
                    ledger.used - all + freed(release) + needed > ledger.limit, "\(release) of \(releases)")
            }
        }
    }
}
