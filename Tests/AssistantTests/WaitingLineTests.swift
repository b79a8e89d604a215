import Testing

@testable import Assistant

struct WaitingLineTests {
    private func line(depth: Int = 16, _ items: [(String, Int)]) -> WaitingLine<Int> {
        var line = WaitingLine<Int>(depth: depth)
        for (lane, item) in items { _ = line.append(item, id: UInt64(item), lane: lane) }
        return line
    }

    private func drained(_ line: WaitingLine<Int>) -> [Int] {
        var line = line
        var order: [Int] = []
        while let item = line.removeFirst() { order.append(item) }
        return order
    }

    @Test func lanesTakeTurnsAndEachKeepsItsOrder() {
        let line = line([("a", 1), ("a", 2), ("a", 3), ("b", 4), ("c", 5), ("b", 6)])
        #expect(drained(line) == [1, 4, 5, 2, 6, 3])
    }

    @Test func theForetoldOrderIsTheOrderTaken() {
        let line = line([("a", 1), ("b", 2), ("a", 3), ("a", 4), ("c", 5), ("b", 6), ("c", 7)])
        #expect(line.inOrder == drained(line))
    }

    @Test func aFullLineRefuses() {
        var line = line(depth: 2, [("a", 1), ("b", 2)])
        #expect(line.isFull)
        let refused = line.append(3, id: 3, lane: "c")
        #expect(!refused)
        _ = line.removeFirst()
        let accepted = line.append(3, id: 3, lane: "c")
        #expect(accepted)
        #expect(line.count == 2)
    }

    @Test func theNextOfEachLaneStandInTheOrderOfTheirTurns() {
        #expect(line([("a", 1), ("a", 2), ("b", 3), ("c", 4), ("b", 5)]).nextOfLanes == [1, 3, 4])
    }

    @Test func anItemLeavesFromAnywhere() {
        var line = line([("a", 1), ("a", 2), ("b", 3)])
        let removed = [2, 3, 9].map { line.remove(id: $0) }
        #expect(removed == [2, 3, nil])
        #expect(drained(line) == [1])
    }

    @Test func aClientThatComesBackWaitsForTheOthersTurns() {
        var line = line([("a", 1), ("b", 2)])
        _ = line.removeFirst()
        _ = line.append(3, id: 3, lane: "a")
        #expect(drained(line) == [2, 3])
    }
}
