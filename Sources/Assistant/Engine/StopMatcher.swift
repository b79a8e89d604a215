/// Finds stop strings in text that arrives in pieces, and holds back what may turn out to be the start of one.
struct StopMatcher {
    private let stops: [[UInt8]]
    private var held: [UInt8] = []
    /// The stop string that was met.
    private(set) var matched: String?

    var isMatched: Bool { matched != nil }

    /// Empty strings are ignored.
    init(_ stops: [String]) {
        self.stops = stops.filter { !$0.isEmpty }.map { Array($0.utf8) }
    }

    /// The part of the text so far that is certain to come before any stop string.
    mutating func append(_ text: String) -> String {
        guard !stops.isEmpty, !isMatched else { return isMatched ? "" : text }
        held += text.utf8
        if let (start, stop) = firstMatch() {
            matched = String(decoding: stop, as: UTF8.self)
            defer { held = [] }
            return String(decoding: held[..<start], as: UTF8.self)
        }
        let certain = held.count - longestBeginning()
        defer { held.removeFirst(certain) }
        return String(decoding: held[..<certain], as: UTF8.self)
    }

    /// The text that was held back, once no more comes.
    mutating func finish() -> String {
        defer { held = [] }
        return String(decoding: held, as: UTF8.self)
    }

    /// Where the stop string begins that ends first, the longest of several: however the text is cut into pieces, it
    /// is the same one.
    private func firstMatch() -> (start: Int, stop: [UInt8])? {
        for end in held.indices.map({ $0 + 1 }) {
            let found = stops.filter { $0.count <= end && held[..<end].suffix($0.count).elementsEqual($0) }
            if let longest = found.max(by: { $0.count < $1.count }) { return (end - longest.count, longest) }
        }
        return nil
    }

    /// The length of the longest end of the text that begins a stop string.
    private func longestBeginning() -> Int {
        let longest = min(held.count, (stops.map(\.count).max() ?? 1) - 1)
        for count in stride(from: longest, to: 0, by: -1) {
            let end = held.suffix(count)
            if stops.contains(where: { $0.starts(with: end) }) { return count }
        }
        return 0
    }
}
