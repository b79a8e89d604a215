import Foundation
import Tensors

/// The files of `Fixtures`.
enum Fixture {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")

    static func path(_ name: String) -> String { folder.appending(path: name).path }
}

extension Tensor {
    var elements: [Float] {
        withUnsafeMutablePointer { Array(UnsafeBufferPointer(start: $0, count: rows * columns)) }
    }

    init(rows: Int, columns: Int, _ values: [Float]) {
        precondition(values.count == rows * columns, "as many values as elements")
        self.init(rows: rows, columns: columns)
        withUnsafeMutablePointer { $0.update(from: values, count: values.count) }
    }
}

/// The largest difference of two results, as a fraction of the expected one's largest magnitude; NaN counts as infinite.
func difference(_ found: [Float], _ expected: [Float]) -> Float {
    guard found.count == expected.count, let scale = expected.map({ $0.magnitude }).max() else {
        return .infinity
    }
    var largest: Float = 0
    for (a, b) in zip(found, expected) {
        let difference = (a - b).magnitude
        guard difference.isFinite else { return .infinity }
        largest = max(largest, difference)
    }
    return largest / scale
}
