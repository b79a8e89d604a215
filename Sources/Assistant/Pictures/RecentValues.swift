/// The values that were used last, by their keys: a bounded number of them.
struct RecentValues<Key: Hashable, Value> {
    let limit: Int
    private var values: [Key: Value] = [:]
    /// The least recently used first.
    private var order: [Key] = []

    init(limit: Int) { self.limit = limit }

    var count: Int { values.count }

    /// The value of a key, which counts as used; setting one takes the least recently used out when there are too many.
    subscript(key: Key) -> Value? {
        mutating get {
            guard let value = values[key] else { return nil }
            order.removeAll { $0 == key }
            order.append(key)
            return value
        }
        set {
            order.removeAll { $0 == key }
            values[key] = newValue
            if newValue != nil { order.append(key) }
            while order.count > limit { values[order.removeFirst()] = nil }
        }
    }
}
