import Foundation
import Tensors
import Testing

@testable import StableDiffusion

/// Random numbers against torch's (`Fixtures/make-noise-goldens.py`).
@Suite struct NoiseTests {
    struct Case: Decodable, CustomTestStringConvertible, Sendable {
        struct Draw: Decodable, Sendable {
            let size: Int
            let ends: [Float]
            let sum: Double
            let squares: Double
        }

        let seed: String
        let draws: [Draw]
        var testDescription: String { "seed \(seed), sizes \(draws.map(\.size))" }
    }

    static let cases: [Case] = {
        (try? JSONDecoder().decode([Case].self, from: ReferenceNumbers.read("noise.json"))) ?? []
    }()

    @Test func goldensAreThere() { #expect(Self.cases.count == 2 * 14 + 6 * 4) }

    @Test(arguments: cases) func drawsWhatTorchDraws(_ golden: Case) throws {
        var generator = TorchGenerator(seed: try #require(UInt64(golden.seed)))
        for draw in golden.draws {
            let values = generator.normals(draw.size)
            #expect(values.count == draw.size)
            let ends = draw.size <= 32 ? values[...] : values.prefix(8) + values.suffix(24)
            #expect(ReferenceNumbers.difference(ends, draw.ends) < 1e-6)
            let sum = values.reduce(0) { $0 + Double($1) }
            let squares = values.reduce(0) { $0 + Double($1) * Double($1) }
            #expect(abs(sum - draw.sum) < 1e-5 * Double(draw.size).squareRoot())
            #expect(abs(squares - draw.squares) < 1e-5 * Double(draw.size).squareRoot())
        }
    }

    /// `numpy.random.MT19937`'s first outputs for `init_genrand(5489)`, the authors' default seed (mt19937ar.out begins
    /// so for that seed).
    @Test func theEngineIsMT19937() {
        var engine = MersenneTwister(seed: 5489)
        #expect(
            (0..<4).map { _ in engine.next() } == [3_499_211_612, 581_869_302, 3_890_346_734, 3_586_334_585])
        for _ in 4..<9_999 { _ = engine.next() }
        #expect(engine.next() == 4_123_659_995)  // the 10,000th, which the C++ standard demands
    }

    @Test func aCopyGoesOnWithTheSameNumbers() {
        var first = TorchGenerator(seed: 3)
        _ = first.normals(5)
        var second = first
        #expect(first.normals(40) == second.normals(40))
    }

    @Test func aMapTakesTheNumbersPlaneByPlane() {
        var (flat, mapped) = (TorchGenerator(seed: 9), TorchGenerator(seed: 9))
        let planes = flat.normals(2 * 3 * 4)
        let map = mapped.noise(height: 3, width: 4, channels: 2)
        #expect(map.height == 3 && map.width == 4 && map.channels == 2)
        for p in 0..<12 {
            #expect(map.pixels.floats[p * 2] == planes[p])
            #expect(map.pixels.floats[p * 2 + 1] == planes[12 + p])
        }
    }
}
