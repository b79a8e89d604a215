import Foundation
import ImageCodecs

@testable import Terminal

extension Bitmap {
    /// A picture made of a colour for each pixel.
    static func painted(_ width: Int, _ height: Int, _ color: (Int, Int) -> (UInt8, UInt8, UInt8)) -> Bitmap {
        var samples: [UInt8] = []
        for y in 0..<height {
            for x in 0..<width {
                let (red, green, blue) = color(x, y)
                samples += [red, green, blue]
            }
        }
        return Bitmap(width: width, height: height, channels: 3, samples: samples)
    }

    /// Colours that run into each other, as a photograph's do.
    static func gradient(_ width: Int, _ height: Int) -> Bitmap {
        painted(width, height) { x, y in
            (UInt8(x * 255 / width), UInt8(y * 255 / height), UInt8((x * 3 + y * 5) % 200 + 20))
        }
    }

    /// The root of the mean square of the differences.
    func distance(to other: Bitmap) -> Double {
        let differences = zip(samples, other.samples).map { Double($0) - Double($1) }
        let squares = differences.map { $0 * $0 }
        return (squares.reduce(0, +) / Double(squares.count)).squareRoot()
    }
}

/// What stands between two texts, for each time that they occur one after the other.
func parts(of text: String, from start: String, to end: String) -> [String] {
    text.split(separator: start, omittingEmptySubsequences: false).dropFirst().compactMap { part in
        part.range(of: end).map { String(part[..<$0.lowerBound]) }
    }
}
