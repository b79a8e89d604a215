import Checkpoints
import Digest
import Foundation
import Llama
import Tensors
import Testing
import Tokenizers

@testable import Quantization

/// Models become quantised files.
@Suite struct QuantizerTests {
    private static let models = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "LlamaTests/Fixtures").path

    private static func quantize(_ source: String, _ type: QuantizationType, to target: String) throws {
        try Quantizer(source, to: type).write(to: target, pool: WorkerPool(threadCount: 2))
    }

    // MARK: - llama.cpp's files

    @Test(arguments: ["untied", "tied", "uneven", "eighty"])
    func filesAreThoseOfLlamaQuantizeToTheByte(_ name: String) throws {
        let goldens = try Goldens.load()
        let golden = try #require(goldens.models[name])
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let source = folder.path + "/source.gguf"
        let file = RandomModel(name: name, shapes: try #require(goldens.shapes[name])).file()
        #expect(SHA256.hexadecimal(of: file) == golden.source)
        try Data(file).write(to: URL(filePath: source))
        for type in QuantizationType.allCases {
            let expected = try #require(golden.files[type.rawValue])
            let target = "\(folder.path)/\(type.rawValue).gguf"
            try Self.quantize(source, type, to: target)
            let made = try Checkpoint.open(target)
            let types = Self.inFileOrder(made.tensorNames).compactMap { made.tensor($0)?.type.rawValue }
            #expect(types == expected.types.split(separator: " ").map(String.init), "\(type)")
            #expect(
                SHA256.hexadecimal(of: try Data(contentsOf: URL(filePath: target))) == expected.sha256,
                "\(type)")
        }
    }

    private static func inFileOrder(_ names: [String]) -> [String] {
        func layer(_ name: String) -> Int {
            name.hasPrefix("blk.") ? Int(name.split(separator: ".")[1]) ?? -1 : -1
        }
        return names.sorted { (layer($0), $0) < (layer($1), $1) }
    }

    // MARK: - Hugging Face's layout

    @Test(arguments: ["tied", "linear-rope", "llama3-rope"], QuantizationType.allCases)
    func aDirectoryGivesTheTensorsOfItsConvertedFile(_ name: String, _ type: QuantizationType) throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let (ours, theirs) = (folder.path + "/ours.gguf", folder.path + "/theirs.gguf")
        try Self.quantize("\(Self.models)/\(name)", type, to: ours)
        try Self.quantize("\(Self.models)/\(name).gguf", type, to: theirs)
        let (first, second) = (try Checkpoint.open(ours), try Checkpoint.open(theirs))
        #expect(first.tensorNames == second.tensorNames)
        for name in first.tensorNames {
            let (one, other) = (try #require(first.tensor(name)), try #require(second.tensor(name)))
            #expect(one.type == other.type && one.shape == other.shape, "\(name)")
            guard name != "rope_freqs.weight" else {
                // Computed in double precision here, in single there.
                #expect(zip(one.floats(), other.floats()).allSatisfy { abs($0 - $1) <= 1e-6 * $1 })
                continue
            }
            #expect(one.bytes.elementsEqual(other.bytes), "\(name)")
        }
        #expect(try LlamaConfiguration(first).hiddenSize == LlamaConfiguration(second).hiddenSize)
        #expect(try LlamaConfiguration(first).ropeScaling == LlamaConfiguration(second).ropeScaling)
    }

    @Test func theVocabularyOfADirectoryIsKept() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let (source, target) = ("\(Self.models)/tied", folder.path + "/made.gguf")
        try Self.quantize(source, .q80, to: target)
        let (before, after) = (
            try LlamaModel.tokenizer(of: Checkpoint.open(source)),
            try LlamaModel.tokenizer(of: Checkpoint.open(target))
        )
        #expect(before.vocabularySize == after.vocabularySize)
        #expect(before.bos == after.bos && before.addsBOS == after.addsBOS)
        #expect(before.endOfGeneration == after.endOfGeneration)
        for text in ["the inn and an ant", "Größe 💡\n\ttab", "<|begin|>the<|end|>", ""] {
            for parses in [false, true] {
                let tokens = before.encode(text, parsingSpecial: parses)
                #expect(after.encode(text, parsingSpecial: parses) == tokens)
                #expect(
                    after.decode(tokens, rendersSpecial: true) == before.decode(tokens, rendersSpecial: true))
            }
        }
    }

    @Test func aQuantisedModelAnswersNearlyAsBefore() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let source = "\(Self.models)/tied.gguf"
        let tokens: [Int32] = (0..<24).map { $0 * 7 % 260 }
        func logits(_ path: String) throws -> [Float] {
            let model = try LlamaModel.load(path, operations: Operations(pool: WorkerPool(threadCount: 1)))
            var cache = model.makeCache(capacity: 32)
            let logits = try model.prefill(tokens, cache: &cache)
            return Array(logits.floats)
        }
        let before = try logits(source)
        let range = (before.max() ?? 0) - (before.min() ?? 0)
        for (type, bound) in [(QuantizationType.q80, 0.02), (.q6K, 0.05), (.q4KM, 0.2), (.q40, 0.25)] {
            let target = "\(folder.path)/\(type.rawValue).gguf"
            try Self.quantize(source, type, to: target)
            let after = try logits(target)
            let worst = zip(before, after).map { abs($0 - $1) }.max() ?? .infinity
            #expect(worst < Float(bound) * range, "\(type): \(worst / range)")
        }
    }

    // MARK: - What must not be

    @Test func anInterruptedWorkLeavesNothing() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let quantizer = try Quantizer("\(Self.models)/tied", to: .q4KM)
        for stop in [0, 1, 5, 20] {
            var count = 0
            #expect(throws: Interrupted.self) {
                try quantizer.write(
                    to: folder.path + "/made.gguf", pool: WorkerPool(threadCount: 2),
                    checkpoint: { () throws(Interrupted) in
                        count += 1
                        if count > stop { throw Interrupted() }
                    })
            }
            #expect(try folder.names == [])
        }
    }

    @Test func aFileThatIsThereStays() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let target = folder.path + "/made.gguf"
        try Data("mine".utf8).write(to: URL(filePath: target))
        #expect(throws: QuantizationError.exists(file: target)) {
            try Self.quantize("\(Self.models)/tied", .q80, to: target)
        }
        // One that comes while the work is done, too.
        let other = folder.path + "/late.gguf"
        #expect(throws: QuantizationError.exists(file: other)) {
            try Quantizer("\(Self.models)/tied", to: .q80).write(
                to: other, pool: WorkerPool(threadCount: 1),
                progress: { _ in try? Data("late".utf8).write(to: URL(filePath: other)) })
        }
        #expect(try folder.names == ["late.gguf", "made.gguf"])
        #expect(try Data(contentsOf: URL(filePath: target)) == Data("mine".utf8))
        #expect(try Data(contentsOf: URL(filePath: other)) == Data("late".utf8))
    }

    @Test func aDiskWithoutRoomIsToldBeforeAnythingIsWritten() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        do {
            _ = try OutputFile(folder.path + "/made.gguf", byteCount: 1 << 60)
            Issue.record("a file of 2^60 bytes was begun")
        } catch {
            guard case .notEnoughSpace(_, let needed, let available) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(needed == 1 << 60 && available < needed && available > 0)
        }
        #expect(try folder.names == [])
    }

    @Test(arguments: ["q4_0.gguf", "k-quants.gguf"]) func quantisedSourcesAreRefused(_ name: String) {
        #expect {
            try Quantizer("\(Self.models)/\(name)", to: .q80)
        } throws: { error in
            if case .alreadyQuantized? = error as? QuantizationError { true } else { false }
        }
    }

    @Test func aWeightThatIsNoNumberIsRefusedByName() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let source = folder.path + "/source.gguf"
        var file = try Data(contentsOf: URL(filePath: "\(Self.models)/tied.gguf"))
        let place = try Checkpoint.open("\(Self.models)/tied.gguf")
        // The last tensor's last number becomes NaN, whatever its type.
        let end = file.count
        file.replaceSubrange(end - 32..<end, with: [UInt8](repeating: 0xFF, count: 32))
        try file.write(to: URL(filePath: source))
        #expect(place.tensorNames.count > 3)
        #expect {
            try Self.quantize(source, .q80, to: folder.path + "/made.gguf")
        } throws: { error in
            if case .invalidNumbers(_, let tensor, _, _)? = error as? QuantizationError {
                place.tensorNames.contains(tensor)
            } else {
                false
            }
        }
        #expect(try folder.names == ["source.gguf"])
    }

    @Test func aFileWithoutALlamaIsRefused() {
        #expect(throws: (any Error).self) { try Quantizer("/dev/null", to: .q80) }
        #expect(throws: (any Error).self) { try Quantizer("/nowhere", to: .q80) }
        #expect(throws: (any Error).self) { try Quantizer(#filePath, to: .q80) }
    }
}
