import AssistantAPI

/// How far a pull is, from the events of its stream, as a person reads it.
///
/// Times are counted from when the request was sent; they are handed in, so that this is a value that tests can drive.
struct PullProgressText: Sendable, Equatable {
    private enum Phase: Sendable, Equatable {
        case asking, loading, verifying
    }

    /// The times that the rate is taken over.
    private static let window = Duration.seconds(10)
    /// The longest and shortest bar, in columns.
    private static let barWidths = 10...30

    private(set) var planned: PullEvent.Planned?
    private var phase = Phase.asking
    private var completed = 0
    private var total = 0
    private var verified = 0
    /// When how many bytes were there.
    private var samples: [(time: Duration, bytes: Int)] = []
    private var toldTenth = -1

    static func == (one: Self, other: Self) -> Bool {
        one.phase == other.phase && one.completed == other.completed && one.verified == other.verified
    }

    /// Takes in an event that came `now`; the daemon's numbers are not trusted to make sense.
    mutating func receive(_ event: PullEvent, at now: Duration) {
        switch event {
        case .planned(let planned):
            self.planned = planned
            total = max(0, planned.bytes)
            phase = .loading
        case .progress(let progress):
            phase = .loading
            // What is shown never goes back.
            completed = max(completed, min(total, progress.completed))
            samples.append((now, completed))
            samples.removeAll { now - $0.time > Self.window }
        case .verifying(let progress):
            phase = .verifying
            verified = max(verified, min(total, progress.completed))
        case .notice, .completed, .failed: break
        }
    }

    /// Bytes a second over the last seconds, where enough is known to say.
    private func rate(at now: Duration) -> Double? {
        guard let first = samples.first, let last = samples.last, last.bytes > first.bytes else { return nil }
        let seconds = (max(now, last.time) - first.time).seconds
        return seconds >= 0.5 ? Double(last.bytes - first.bytes) / seconds : nil
    }

    // MARK: - Text

    /// One row for a terminal of that many columns, such as
    /// "██████████░░░░░░░░░░  412 MB of 808 MB  23.1 MB/s  17 s left".
    func row(at now: Duration, columns: Int) -> String {
        // The last column stays free: some terminals break the line when it is written.
        let room = max(1, columns - 1)
        let end = end(at: now)
        let free = room - DisplayWidth.of(end) - 2
        guard let fraction, free >= Self.barWidths.lowerBound else {
            return DisplayWidth.truncate(end, to: room)
        }
        return ProgressText.bar(fraction, width: min(free, Self.barWidths.upperBound)) + "  " + end
    }

    /// A line for places where nothing can be drawn over, for each tenth that is done; `nil` where there is no news.
    mutating func line(at now: Duration) -> String? {
        guard let fraction else { return nil }
        let tenth = (phase == .verifying ? 100 : 0) + Int(fraction * 10)
        guard tenth > toldTenth else { return nil }
        defer { toldTenth = tenth }
        if phase == .verifying { return toldTenth < 100 ? "comparing with the digests" : nil }
        return "\(Int(fraction * 100)) %: " + end(at: now)
    }

    private var fraction: Double? {
        guard phase != .asking else { return nil }
        return total > 0 ? Double(phase == .verifying ? verified : completed) / Double(total) : 1
    }

    private func end(at now: Duration) -> String {
        switch phase {
        case .asking: return "asking the hub"
        case .verifying: return "comparing with the digests"
        case .loading:
            var parts = ["\(ConversationText.size(completed)) of \(ConversationText.size(total))"]
            if let rate = rate(at: now), completed < total {
                parts.append("\(ConversationText.size(Int(rate)))/s")
                parts.append("\(TimeText.whole(.seconds(Double(total - completed) / rate))) left")
            }
            return parts.joined(separator: "  ")
        }
    }
}
