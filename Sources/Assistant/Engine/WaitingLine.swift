/// Who waits for the engine: first in, first out within a lane, and the lanes take turns.
///
/// A lane is one client or one conversation, so that nobody's many requests keep another's single one waiting.
struct WaitingLine<Item> {
    private struct Lane {
        var name: String
        var items: [(id: UInt64, item: Item)]
    }

    /// How many may wait at once.
    let depth: Int
    /// In the order of their turns; none is empty.
    private var lanes: [Lane] = []

    init(depth: Int) { self.depth = depth }

    var count: Int { lanes.reduce(0) { $0 + $1.items.count } }
    var isFull: Bool { count >= depth }
    var isEmpty: Bool { lanes.isEmpty }

    /// Puts an item at the end of its lane; false when the line is full.
    mutating func append(_ item: Item, id: UInt64, lane: String) -> Bool {
        guard !isFull else { return false }
        if let place = lanes.firstIndex(where: { $0.name == lane }) {
            lanes[place].items.append((id, item))
        } else {
            lanes.append(Lane(name: lane, items: [(id, item)]))
        }
        return true
    }

    /// The item whose turn is next, left in the line.
    var first: Item? { lanes.first?.items.first?.item }

    /// The next item of each lane, in the order of their turns.
    var nextOfLanes: [Item] { lanes.compactMap { $0.items.first?.item } }

    /// Takes the item whose turn it is; its lane goes to the end.
    mutating func removeFirst() -> Item? {
        guard !lanes.isEmpty else { return nil }
        var lane = lanes.removeFirst()
        let item = lane.items.removeFirst().item
        if !lane.items.isEmpty { lanes.append(lane) }
        return item
    }

    /// Takes an item out of the line wherever it stands.
    mutating func remove(id: UInt64) -> Item? {
        for place in lanes.indices {
            guard let position = lanes[place].items.firstIndex(where: { $0.id == id }) else { continue }
            let item = lanes[place].items.remove(at: position).item
            if lanes[place].items.isEmpty { lanes.remove(at: place) }
            return item
        }
        return nil
    }

    /// Every item in the order in which they will be taken if none is added or removed.
    var inOrder: [Item] {
        let rounds = lanes.map(\.items.count).max() ?? 0
        return (0..<rounds).flatMap { round in
            lanes.compactMap { round < $0.items.count ? $0.items[round].item : nil }
        }
    }

    /// Takes everything out.
    mutating func removeAll() -> [Item] {
        defer { lanes = [] }
        return inOrder
    }
}
