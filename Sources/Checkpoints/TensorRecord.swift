internal import Tensors

/// A tensor as a file's header announces it, checked against the file.
struct TensorRecord {
    let name: String
    /// The type's name in its file, for errors.
    let typeName: String
    /// nil for a type of the format that no kernel reads; such a tensor may lie in a file but cannot be used.
    let type: ElementType?
    /// Outermost dimension first.
    let shape: [Int]
    /// Where the elements lie in the file.
    let range: Range<Int>
}

extension [TensorRecord] {
    /// Checks that no two tensors share bytes.
    func checkDisjoint(file: String) throws(CheckpointError) {
        let sorted = self.filter { !$0.range.isEmpty }.sorted { $0.range.lowerBound < $1.range.lowerBound }
        for (previous, next) in zip(sorted, sorted.dropFirst())
        where next.range.lowerBound < previous.range.upperBound {
            throw .overlappingTensors(file: file, tensor: previous.name, other: next.name)
        }
    }

    /// Checks that no name occurs twice.
    func checkUnique(file: String) throws(CheckpointError) {
        var names = Set<String>(minimumCapacity: count)
        for record in self where !names.insert(record.name).inserted {
            throw .duplicateTensor(file: file, tensor: record.name)
        }
    }
}

/// The product of `dimensions`; nil when it overflows.
func checkedProduct(_ dimensions: [Int]) -> Int? {
    var product = 1
    for dimension in dimensions {
        let (next, overflow) = product.multipliedReportingOverflow(by: dimension)
        guard !overflow else { return nil }
        product = next
    }
    return product
}
