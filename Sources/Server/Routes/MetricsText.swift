import Assistant

/// Values in Prometheus' text exposition format, version 0.0.4.
struct MetricsText {
    static let mediaType = "text/plain; version=0.0.4; charset=utf-8"

    /// One of several values of a name; a label is written as `name="value"`, several with commas between.
    typealias Sample = (label: String, value: Double)

    /// What all names begin with from here on.
    var prefix = "inkling_"
    private(set) var text = ""

    /// A count that only grows; its name ends with `_total`.
    mutating func counter(_ name: String, _ help: String, _ value: Int) {
        counter(name, help, Double(value))
    }

    mutating func counter(_ name: String, _ help: String, _ value: Double) {
        counter(name, help, [("", value)])
    }

    /// The same of several kinds.
    mutating func counter(_ name: String, _ help: String, _ values: [Sample]) {
        write(name, help, "counter", values)
    }

    /// A value that goes up and down.
    mutating func gauge(_ name: String, _ help: String, _ value: Int) {
        gauge(name, help, Double(value))
    }

    mutating func gauge(_ name: String, _ help: String, _ value: Double) {
        gauge(name, help, [("", value)])
    }

    /// The same of several kinds.
    mutating func gauge(_ name: String, _ help: String, _ values: [Sample]) {
        write(name, help, "gauge", values)
    }

    /// Durations by size, in seconds.
    mutating func histogram(
        _ name: String, _ help: String, _ values: [(label: String, value: MillisecondHistogram)]
    ) {
        head(name, help, "histogram")
        for (label, histogram) in values {
            let labels = label.isEmpty ? "" : "\(label),"
            for (bound, count) in zip(MillisecondHistogram.bounds, histogram.counts) {
                text += "\(prefix)\(name)_bucket{\(labels)le=\"\(Self.number(bound / 1000))\"} \(count)\n"
            }
            text += "\(prefix)\(name)_bucket{\(labels)le=\"+Inf\"} \(histogram.count)\n"
            let own = label.isEmpty ? "" : "{\(label)}"
            text += "\(prefix)\(name)_sum\(own) \(Self.number(histogram.sum / 1000))\n"
            text += "\(prefix)\(name)_count\(own) \(histogram.count)\n"
        }
    }

    private mutating func write(_ name: String, _ help: String, _ type: String, _ values: [Sample]) {
        head(name, help, type)
        for (label, value) in values {
            text += "\(prefix)\(name)\(label.isEmpty ? "" : "{\(label)}") \(Self.number(value))\n"
        }
    }

    private mutating func head(_ name: String, _ help: String, _ type: String) {
        text += "# HELP \(prefix)\(name) \(help)\n# TYPE \(prefix)\(name) \(type)\n"
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && value.magnitude < 1e15 ? String(Int(value)) : value.description
    }
}
