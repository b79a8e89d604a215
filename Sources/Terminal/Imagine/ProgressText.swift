/// What a person reads about the progress of pictures.
enum ProgressText {
    /// The longest and shortest bar, in columns.
    private static let barWidths = 10...30

    /// One row for a terminal of that many columns, such as
    /// "picture 2 of 4  ██████████░░░░░░░░░░  step 7/20  1.42 s a step  18 s left".
    static func row(_ progress: PaintingProgress, at now: Duration, columns: Int) -> String {
        let (beginning, fraction, end) = parts(progress, at: now)
        // The last column stays free: some terminals break the line when it is written.
        let room = max(1, columns - 1)
        let text = [beginning, end].filter { !$0.isEmpty }
        let free = room - text.map { DisplayWidth.of($0) + 2 }.reduce(0, +)
        guard let fraction, free >= barWidths.lowerBound else {
            return DisplayWidth.truncate(text.joined(separator: "  "), to: room)
        }
        let bar = bar(fraction, width: min(free, barWidths.upperBound))
        return ([beginning, bar, end].filter { !$0.isEmpty }).joined(separator: "  ")
    }

    /// A bar whose last filled column grows by eighths.
    static func bar(_ fraction: Double, width: Int) -> String {
        let eighths = Int((share(fraction) * Double(width * 8)).rounded(.down))
        let full = eighths / 8
        guard full < width else { return String(repeating: "█", count: width) }
        let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
        let part = parts[eighths % 8]
        let empty = width - full - (part.isEmpty ? 0 : 1)
        return String(repeating: "█", count: full) + part + String(repeating: "░", count: empty)
    }

    /// A line for places where nothing can be drawn over; `nil` where there is no news since `last`.
    ///
    /// Of the steps, each quarter is told.
    static func line(_ progress: PaintingProgress, at now: Duration, last: PaintingProgress?) -> String? {
        let picture = progress.count > 1 ? "picture \(progress.index + 1) of \(progress.count): " : ""
        let isNewPicture = last?.index != progress.index
        switch (progress.phase, last?.phase) {
        case (.sent, _): return nil
        case (.waiting(let ahead), .waiting(let before)?) where ahead == before: return nil
        case (.waiting(let ahead), _): return waiting(ahead)
        case (.loading, .loading?): return nil
        case (.loading, _): return "loading the model"
        case (.encoding, .encoding?) where !isNewPicture: return nil
        case (.encoding, _): return picture + "reading the prompt"
        case (.painting(let done, let total), let before):
            var told = 0
            if !isNewPicture, case .painting(let earlier, _)? = before { told = quarter(earlier, total) }
            guard done > 0, quarter(done, total) > told else { return nil }
            let left = isLast(progress) ? [] : left(progress, now)
            return (["\(picture)step \(done)/\(total)"] + left).joined(separator: ", ")
        case (.decoding, .decoding?) where !isNewPicture: return nil
        case (.decoding, _): return picture + "finishing"
        }
    }

    private static func quarter(_ done: Int, _ total: Int) -> Int { done * 4 / max(1, total) }

    /// What is said before the bar, how full that is, and what is said after it.
    private static func parts(
        _ progress: PaintingProgress, at now: Duration
    ) -> (beginning: String, fraction: Double?, end: String) {
        let picture = progress.count > 1 ? "picture \(progress.index + 1) of \(progress.count)" : ""
        switch progress.phase {
        case .sent: return ("waiting for the daemon", nil, "")
        case .waiting(let ahead): return (waiting(ahead), nil, "")
        case .loading(let fraction):
            let percent = Int((share(fraction) * 100).rounded(.down))
            return ("loading the model", fraction, "\(percent) %")
        case .encoding:
            return (picture, 0, (["reading the prompt"] + left(progress, now)).joined(separator: "  "))
        case .painting(let done, let total):
            let fraction = Double(done) / Double(max(1, total))
            var end = ["step \(done)/\(total)"]
            if let time = progress.stepTime { end.append("\(TimeText.precise(time)) a step") }
            if !isLast(progress) { end += left(progress, now) }
            return (picture, fraction, end.joined(separator: "  "))
        case .decoding(let done, let total):
            let part = total > 1 ? " \(min(done + 1, total))/\(total)" : ""
            return (picture, 1, (["finishing" + part] + left(progress, now)).joined(separator: "  "))
        }
    }

    /// From 0 to 1, whatever the number is.
    private static func share(_ fraction: Double) -> Double { fraction > 0 ? min(1, fraction) : 0 }

    private static func waiting(_ ahead: Int) -> String {
        ahead == 1 ? "waiting for 1 request before this one" : "waiting for \(ahead) requests before this one"
    }

    /// Whether an only picture's last step is done: what follows takes a time that nothing is known of.
    private static func isLast(_ progress: PaintingProgress) -> Bool {
        guard case .painting(let done, let total) = progress.phase else { return false }
        return done >= total && progress.count == 1
    }

    private static func left(_ progress: PaintingProgress, _ now: Duration) -> [String] {
        progress.remaining(at: now).map { ["\(TimeText.whole($0)) left"] } ?? []
    }
}
