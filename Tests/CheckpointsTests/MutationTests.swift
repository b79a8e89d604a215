import Testing

@testable import Checkpoints

/// Damage of every kind must end in an error or in a checked header, never in a trap or an access outside the file.
struct MutationTests {
    /// Parses, and when that succeeds uses everything that the header promised.
    private func exerciseGGUF(_ bytes: [UInt8]) -> Bool {
        let storage = Storage(bytes)
        let header: GGUFHeader
        do {
            header = try GGUFHeader(storage.bytes, file: "mutant.gguf", owner: storage)
        } catch {
            return error.description.isEmpty
        }
        var touched = 0
        for key in header.metadata.keys {
            if header.metadata[key] != nil { touched += 1 }
            touched += header.metadata.strings(key)?.count ?? 0
            touched += header.metadata.ints(key)?.count ?? 0
            touched += header.metadata.floats(key)?.count ?? 0
        }
        for record in header.records {
            touched += storage.bytes[record.range].reduce(0) { $0 + Int($1) }
        }
        return touched >= 0
    }

    private func exerciseSafetensors(_ bytes: [UInt8]) -> Bool {
        let storage = Storage(bytes)
        do {
            let header = try SafetensorsHeader(storage.bytes, file: "mutant.safetensors")
            // Accepted: the tensors fill the file, no more and no less.
            let covered = header.records.reduce(0) { $0 + storage.bytes[$1.range].count }
            let length = storage.bytes.loadUnaligned(as: UInt64.self)
            return covered + 8 + Int(length) == bytes.count
        } catch {
            return !error.description.isEmpty
        }
    }

    @Test func everyPrefixOfAGGUFFileIsRefused() throws {
        let bytes = GGUFBuilder.small().bytes()
        try parseGGUF(bytes)
        for count in 0..<bytes.count {
            let storage = Storage(Array(bytes.prefix(count)))
            #expect(throws: CheckpointError.self, "\(count) bytes") {
                try GGUFHeader(storage.bytes, file: "prefix.gguf", owner: storage)
            }
        }
    }

    @Test func everyPrefixOfASafetensorsFileIsRefused() throws {
        let bytes = SafetensorsBuilder.small().bytes()
        try parseSafetensors(bytes)
        for count in 0..<bytes.count {
            #expect(throws: CheckpointError.self, "\(count) bytes") {
                try parseSafetensors(Array(bytes.prefix(count)))
            }
        }
    }

    @Test func noChangedByteOfAGGUFHeaderTraps() throws {
        var builder = GGUFBuilder.small()
        builder.entries.removeAll { !$0.key.starts(with: Array("tokenizer".utf8)) && $0.type < 8 }
        let bytes = builder.bytes()
        let headerEnd = try #require(try parseGGUF(bytes).records.map(\.range.lowerBound).min())
        for index in 0..<headerEnd {
            for value in Self.interestingBytes(bytes[index]) {
                var mutant = bytes
                mutant[index] = value
                _ = exerciseGGUF(mutant)
            }
        }
    }

    @Test func noChangedByteOfASafetensorsHeaderTraps() {
        let bytes = SafetensorsBuilder.small().bytes()
        for index in 0..<bytes.count - 24 {
            for value in Self.interestingBytes(bytes[index]) {
                var mutant = bytes
                mutant[index] = value
                #expect(exerciseSafetensors(mutant), "byte \(index) = \(value)")
            }
        }
    }

    /// Every bit flipped, and the values at the edges.
    private static func interestingBytes(_ byte: UInt8) -> [UInt8] {
        (0..<8).map { byte ^ (1 << $0) } + [0x00, 0x01, 0x7F, 0x80, 0xFF]
    }

    @Test(arguments: 0..<4)
    func structuredGGUFMutantsDoNotTrap(part: Int) {
        var accepted = 0
        for seed in 0..<5000 {
            var generator = SeededGenerator(state: UInt64(part * 5000 + seed))
            var mutator = GGUFMutator(builder: .small())
            for _ in 0..<Int.random(in: 1...3, using: &generator) { mutator.edit(using: &generator) }
            let bytes = mutator.builder.bytes()
            if (try? parseGGUF(bytes)) != nil { accepted += 1 }
            _ = exerciseGGUF(bytes)
        }
        // Some edits are harmless; were all of them, or none, the mutator would test nothing.
        #expect((100..<4000).contains(accepted), "\(accepted) of 5000 accepted")
    }

    @Test(arguments: 0..<4)
    func structuredSafetensorsMutantsDoNotTrap(part: Int) {
        var accepted = 0
        for seed in 0..<5000 {
            var generator = SeededGenerator(state: UInt64(part * 5000 + seed))
            let bytes = SafetensorsMutator.mutant(using: &generator)
            if (try? parseSafetensors(bytes)) != nil { accepted += 1 }
            #expect(exerciseSafetensors(bytes), "part \(part), seed \(seed)")
        }
        #expect((50..<4000).contains(accepted), "\(accepted) of 5000 accepted")
    }
}
