import Glibc
import Tensors

extension Conditioning {
    /// How far two texts are from each other for the network, from 0 for the same rows to about 1 for nothing in common.
    ///
    /// Each row of a text is held against the row of the other that is most like it, by their cosine (BERTScore: Zhang
    /// et al. 2020), so that a word put in at the beginning counts as one word and not as all that moved. Of prompt and
    /// negative prompt the greater distance counts. Take both from the same model and `clipSkip`.
    public func distance(to other: Conditioning) -> Double {
        let distance = prompt.distance(to: other.prompt)
        switch (negative, other.negative) {
        case (nil, nil): return distance
        case (let mine?, let other?): return max(distance, mine.distance(to: other))
        default: return 1
        }
    }
}

extension PromptEmbedding {
    /// The mean of both directions' distances; what pads a text to its full length says nothing of its own.
    func distance(to other: PromptEmbedding) -> Double {
        precondition(context.columns == other.context.columns, "contexts of one model")
        if context.rows == other.context.rows, context.floats.elementsEqual(other.context.floats) {
            return 0
        }
        let (mine, others) = (directions, other.directions)
        return (Self.distance(from: mine, to: others) + Self.distance(from: others, to: mine)) / 2
    }

    /// The text's rows but the first, which is the same for all, each with the length 1.
    private var directions: [[Float]] {
        let rows = (min(1, length - 1)..<length).map { row in
            let values = Array(context[row].floats)
            let norm = Self.product(values, values).squareRoot()
            return norm > 0 ? values.map { $0 / norm } : values
        }
        extendLifetime(context)
        return rows
    }

    /// How far the rows of `texts` are from those of `others` that are nearest to them, on average.
    private static func distance(from texts: [[Float]], to others: [[Float]]) -> Double {
        let sum = texts.reduce(0.0) { sum, row in
            let nearest = others.reduce(Float(-1)) { max($0, product(row, $1)) }
            return sum + Double(1 - min(max(nearest, 0), 1))
        }
        return sum / Double(max(1, texts.count))
    }

    /// Sums in eight lanes, which the compiler keeps in one register.
    private static func product(_ a: [Float], _ b: [Float]) -> Float {
        a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                var sums = SIMD8<Float>()
                let whole = a.count / 8 * 8
                for i in stride(from: 0, to: whole, by: 8) {
                    let (x, y) = (UnsafeRawPointer(a.baseAddress! + i), UnsafeRawPointer(b.baseAddress! + i))
                    sums += x.loadUnaligned(as: SIMD8<Float>.self) * y.loadUnaligned(as: SIMD8<Float>.self)
                }
                return (whole..<a.count).reduce(sums.sum()) { $0 + a[$1] * b[$1] }
            }
        }
    }
}
