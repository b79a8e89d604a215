import Foundation
import Testing

@testable import ImageCodecs

/// A file of the folder Fixtures.
func fixture<T: Decodable>(_ name: String, as type: T.Type = T.self) throws -> T {
    let url = try #require(Bundle.module.url(forResource: "Fixtures/\(name)", withExtension: "json"))
    return try JSONDecoder().decode(T.self, from: Data(contentsOf: url))
}

/// A picture as the fixtures describe it.
struct PictureFixture: Decodable {
    var width: Int
    var height: Int
    var channels: Int
    var samples: Data

    var bitmap: Bitmap { Bitmap(width: width, height: height, channels: channels, samples: Array(samples)) }
}

/// A file and the picture in it.
struct FileFixture: Decodable, CustomStringConvertible {
    var name: String
    var file: Data
    var width: Int
    var height: Int
    var channels: Int
    var samples: Data

    var bytes: [UInt8] { Array(file) }
    var bitmap: Bitmap { Bitmap(width: width, height: height, channels: channels, samples: Array(samples)) }
    var description: String { name }
}

/// What `make-fixtures.py` has from Pillow.
struct PillowFixture: Decodable {
    struct Animated: Decodable {
        var name: String
        var file: Data
    }

    struct Resized: Decodable {
        var filter: String
        var from: PictureFixture
        var to: PictureFixture
    }

    struct Grey: Decodable {
        var from: PictureFixture
        var samples: Data
    }

    struct Opaque: Decodable {
        var from: PictureFixture
        var to: PictureFixture
    }

    var files: [FileFixture]
    var animated: [Animated]
    var resized: [Resized]
    var grey: [Grey]
    var opaque: [Opaque]
}

/// The error that `body` throws, or nil.
func failure<T>(_ body: () throws(ImageCodecError) -> T) -> ImageCodecError? {
    do {
        _ = try body()
        return nil
    } catch {
        return error
    }
}

/// Random numbers that a seed repeats (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

extension Bitmap {
    /// Whether two pictures are the same; a failure shows no samples.
    func isSame(as other: Bitmap) -> Bool { self == other }

    /// Smooth waves with some noise, as a photograph has.
    static func waves(_ width: Int, _ height: Int, channels: Int, seed: UInt64 = 1) -> Bitmap {
        var generator = SeededGenerator(state: seed)
        var samples: [UInt8] = []
        for y in 0..<height {
            for x in 0..<width {
                for channel in 0..<channels {
                    let phase = Double(x) / Double(5 + channel) + Double(y) / Double(9 - channel)
                    let noise = Double.random(in: -8...8, using: &generator)
                    samples.append(UInt8(128 + 100 * sin(phase) + noise))
                }
            }
        }
        return Bitmap(width: width, height: height, channels: channels, samples: samples)
    }

    /// The root of the mean square of the differences.
    func distance(to other: Bitmap) -> Double {
        let differences = zip(samples, other.samples).map { Double($0) - Double($1) }
        let squares = differences.map { $0 * $0 }
        return (squares.reduce(0, +) / Double(squares.count)).squareRoot()
    }
}
