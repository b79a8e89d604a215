#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// One token that may come next.
struct Candidate: Sendable, Equatable {
    var logit: Float
    var id: Int32

    /// Higher logits first; of equal ones the lower id, so that every selection has one result.
    @inline(__always)
    static func precedes(_ a: Candidate, _ b: Candidate) -> Bool {
        a.logit > b.logit || (a.logit == b.logit && a.id < b.id)
    }
}

/// Scans over the logits of one position, `[V]`.
enum Logits {
    typealias Row = UnsafeBufferPointer<Float>

    /// The highest logit, or nil when a logit is NaN, one is infinite, or none is above -infinity.
    static func maximum(of logits: Row) -> Float? {
        var highest = SIMD16<Float>(repeating: -.infinity)
        var sum = SIMD16<Float>()  // x * 0 is 0 for numbers, NaN for NaN and infinities
        var i = 0
        let raw = UnsafeRawBufferPointer(logits)
        while i + 16 <= logits.count {
            let x = raw.loadUnaligned(fromByteOffset: i * 4, as: SIMD16<Float>.self)
            highest.replace(with: x, where: x .> highest)
            sum.replace(with: x, where: x .!= x)
            i += 16
        }
        var result = highest.max()
        var isNumber = !(0..<16).contains { sum[$0].isNaN }
        for x in logits[i...] {
            result = x > result ? x : result
            isNumber = isNumber && !x.isNaN
        }
        return isNumber && result.isFinite ? result : nil
    }

    /// The first token with the highest logit, or nil as in `maximum(of:)`.
    static func greatest(of logits: Row) -> Candidate? {
        guard let highest = maximum(of: logits) else { return nil }
        guard let index = firstIndex(of: highest, in: logits) else { return nil }
        return Candidate(logit: highest, id: Int32(index))
    }

    private static func firstIndex(of value: Float, in logits: Row) -> Int? {
        let raw = UnsafeRawBufferPointer(logits)
        var i = 0
        while i + 16 <= logits.count {
            let x = raw.loadUnaligned(fromByteOffset: i * 4, as: SIMD16<Float>.self)
            if any(x .== value) { break }
            i += 16
        }
        return logits[i...].firstIndex(of: value)
    }

    /// The sum of exp(logit - highest) over all logits; the logarithm's argument in log-softmax.
    static func exponentialSum(of logits: Row, highest: Float) -> Double {
        var total = 0.0
        for x in logits { total += Double(expf(x - highest)) }
        return total
    }

    /// The `count` greatest tokens in order, by a heap of that size: one comparison for most logits.
    static func greatest(_ count: Int, of logits: Row, into heap: inout [Candidate]) {
        heap.removeAll(keepingCapacity: true)
        guard count > 0 else { return }
        heap.reserveCapacity(min(count, logits.count))
        var i = 0
        while i < logits.count, heap.count < count {
            heap.append(Candidate(logit: logits[i], id: Int32(i)))
            i += 1
        }
        for root in stride(from: heap.count / 2 - 1, through: 0, by: -1) { siftDown(&heap, from: root) }
        while i < logits.count {
            // An equal logit further on has a higher id and loses, so the comparison is strict.
            if logits[i] > heap[0].logit {
                heap[0] = Candidate(logit: logits[i], id: Int32(i))
                siftDown(&heap, from: 0)
            }
            i += 1
        }
        heap.sort(by: Candidate.precedes)
    }

    /// Restores the heap's order, last of the chosen at the root.
    private static func siftDown(_ heap: inout [Candidate], from start: Int) {
        var root = start
        while 2 * root + 1 < heap.count {
            var child = 2 * root + 1
            if child + 1 < heap.count, Candidate.precedes(heap[child], heap[child + 1]) { child += 1 }
            guard Candidate.precedes(heap[root], heap[child]) else { return }
            heap.swapAt(root, child)
            root = child
        }
    }

    /// All tokens whose logit is at least `threshold`, by id.
    static func candidates(of logits: Row, from threshold: Float, into result: inout [Candidate]) {
        result.removeAll(keepingCapacity: true)
        for i in 0..<logits.count where logits[i] >= threshold {
            result.append(Candidate(logit: logits[i], id: Int32(i)))
        }
    }
}
