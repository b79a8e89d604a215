import Glibc
import Tensors

/// Times one layer of a picture network and prints what it reached; the peers' side is `peers/layers`.
///
///     inkling-layers conv HEIGHT WIDTH INPUTS OUTPUTS KERNEL STRIDE
///     inkling-layers linear ROWS INPUTS OUTPUTS
///
/// then `--threads 1`, `--instructions best`, `--type f16`, `--seconds 0.5`. The figure is the least processor time of
/// one call, over all threads, so that other work on the machine disturbs it little; operations are counted as a direct
/// convolution has them, two for each product.
@main enum Layers {
    static func main() {
        do {
            let options = try Options(CommandLine.arguments.dropFirst())
            print(options.layer.measure(options))
        } catch {
            write(2, "inkling-layers: \(error.text)\n", error.text.utf8.count + 17)
            exit(64)
        }
    }
}

struct UsageError: Error {
    let text: String
}

/// What the command line asks for.
struct Options {
    var layer = Layer.linear(rows: 0, inputs: 0, outputs: 0)
    var threads = 1
    var instructionSet = Operations.InstructionSet.best
    var type = ElementType.f16
    var seconds = 0.5

    init(_ arguments: some Sequence<String>) throws(UsageError) {
        var words: [String] = []
        var iterator = arguments.makeIterator()
        while let word = iterator.next() {
            guard word.hasPrefix("--") else {
                words.append(word)
                continue
            }
            guard let value = iterator.next() else { throw UsageError(text: "\(word) wants a value") }
            switch word {
            case "--threads": threads = try Self.number(value)
            case "--seconds": seconds = Double(value) ?? 0.5
            case "--type": type = try Self.choice(value, of: [.f32, .f16, .bf16])
            case "--instructions":
                if value != "best" {
                    instructionSet = try Self.choice(value, of: Operations.InstructionSet.allCases)
                }
            default: throw UsageError(text: "unknown option \(word)")
            }
        }
        var sizes: [Int] = []
        for word in words.dropFirst() { sizes.append(try Self.number(word)) }
        switch (words.first, sizes.count) {
        case ("conv", 6):
            layer = .convolution(
                height: sizes[0], width: sizes[1], inputs: sizes[2], outputs: sizes[3], size: sizes[4],
                stride: sizes[5])
        case ("linear", 3): layer = .linear(rows: sizes[0], inputs: sizes[1], outputs: sizes[2])
        default:
            throw UsageError(
                text: "wants conv HEIGHT WIDTH INPUTS OUTPUTS KERNEL STRIDE or linear ROWS INPUTS OUTPUTS")
        }
    }

    private static func number(_ word: String) throws(UsageError) -> Int {
        guard let value = Int(word), value > 0 else { throw UsageError(text: "\(word) is no size") }
        return value
    }

    private static func choice<T>(_ word: String, of choices: [T]) throws(UsageError) -> T {
        for choice in choices where "\(choice)" == word { return choice }
        throw UsageError(text: "\(word) is none of \(choices)")
    }
}
