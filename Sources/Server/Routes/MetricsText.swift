import Assistant

/// Values in Prometheus' text exposition format, version 0.0.4.
struct MetricsText {
    static let mediaType = "text/plain; version=0.0.4; charset=utf-8"

    private(set) var text = ""

    /// A count that only grows; its name ends with `_total`.
    mutating func counter(_ name: String, _ help: String, _ value: Int) {
        head(name, help, "counter")
        text += "inkling_\(name) \(value)\n"
    }

    /// A value that goes up and down.
    mutating func gauge(_ name: String, _ help: String, _ value: Int) {
        gauge(name, help, [("", value)])
    }

    /// The same of several kinds; a label is written as `name="value"`.
    mutating func gauge(_ name: String, _ help: String, _ values: [(label: String, value: Int)]) {
        head(name, help, "gauge")
        for (label, value) in values {
            text += "inkling_\(name)\(label.isEmpty ? "" : "{\(label)}") \(value)\n"
        }
    }

    /// Durations by size, in seconds.
    mutating func histogram(
        _ name: String, _ help: String, _ values: [(label: String, value: MillisecondHistogram)]
    ) {
        head(name, help, "histogram")
        for (label, histogram) in values {
            let labels = label.isEmpty ? "" : "\(label),"
            for (bound, count) in zip(MillisecondHistogram.bounds, histogram.counts) {
                text += "inkling_\(name)_bucket{\(labels)le=\"\(Self.number(bound / 1000))\"} \(count)\n"
            }
            text += "inkling_\(name)_bucket{\(labels)le=\"+Inf\"} \(histogram.count)\n"
            let own = label.isEmpty ? "" : "{\(label)}"
            text += "inkling_\(name)_sum\(own) \(Self.number(histogram.sum / 1000))\n"
            text += "inkling_\(name)_count\(own) \(histogram.count)\n"
        }
    }

    private mutating func head(_ name: String, _ help: String, _ type: String) {
        text += "# HELP inkling_\(name) \(help)\n# TYPE inkling_\(name) \(type)\n"
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && value.magnitude < 1e15 ? String(Int(value)) : value.description
    }
}
