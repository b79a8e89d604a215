import Testing

@testable import ImageCodecs

/// Damage of every kind ends in an error or in a whole picture, never in a trap.
struct MutationTests {
    /// Decodes, and checks what came out; true when it was accepted.
    private func exercise(_ bytes: [UInt8]) -> Bool {
        do {
            let picture = try Bitmap(decoding: bytes)
            #expect(picture.samples.count == picture.width * picture.height * picture.channels)
            _ = try PictureMetadata(reading: bytes)
            return true
        } catch {
            #expect(!error.description.isEmpty)
            return false
        }
    }

    private static func originals(_ format: ImageFormat) throws -> [ChunkBuilder] {
        let metadata = PictureMetadata(software: "test", parameters: "a fox \u{1F98A}")
        let ours =
            format == .png
            ? try PNG.encode(.waves(6, 5, channels: 3), metadata: metadata)
            : try WebP.encode(.waves(6, 5, channels: 3), quality: .lossy(60), metadata: metadata)
        let kinds = try fixture("kinds", as: [FileFixture].self).filter { $0.width > 1 }.map(\.bytes)
        let pillow = try fixture("pillow", as: PillowFixture.self).files.map(\.bytes)
        return ([ours] + kinds + pillow).filter { ImageFormat(sniffing: $0) == format }
            .map { ChunkBuilder(parsing: $0) }
    }

    @Test(arguments: 0..<4)
    func structuredPNGMutantsDoNotTrap(part: Int) throws { try mutate(.png, part) }

    @Test(arguments: 0..<4)
    func structuredWebPMutantsDoNotTrap(part: Int) throws { try mutate(.webp, part) }

    private func mutate(_ format: ImageFormat, _ part: Int) throws {
        let originals = try Self.originals(format)
        var accepted = 0
        for seed in 0..<5000 {
            var generator = SeededGenerator(state: UInt64(part * 5000 + seed))
            var builder = originals[seed % originals.count]
            for _ in 0..<Int.random(in: 1...3, using: &generator) { edit(&builder, &generator) }
            if exercise(builder.bytes()) { accepted += 1 }
        }
        // Some edits are harmless; were all of them, or none, the mutants would test nothing.
        #expect((200..<3500).contains(accepted), "\(accepted) of 5000 accepted")
    }

    private func edit(_ builder: inout ChunkBuilder, _ generator: inout SeededGenerator) {
        guard !builder.chunks.isEmpty else { return }
        let index = Int.random(in: builder.chunks.indices, using: &generator)
        switch Int.random(in: 0..<10, using: &generator) {
        case 0: builder.chunks.remove(at: index)
        case 1:
            builder.chunks.insert(
                builder.chunks[index], at: Int.random(in: builder.chunks.indices, using: &generator))
        case 2: builder.chunks.swapAt(index, Int.random(in: builder.chunks.indices, using: &generator))
        case 3:
            let edges = [0, 1, 12, 0x7FFF_FFFF, 0xFFFF_FFFF, builder.chunks[index].contents.count - 1]
            builder.chunks[index].length = max(0, edges.randomElement(using: &generator) ?? 0)
        case 4: builder.chunks[index].checksumError = UInt32.random(in: 0...1, using: &generator)
        case 5:
            let names = [
                "tRNS", "PLTE", "IDAT", "IEND", "iCCP", "acTL", "zTXt", "VP8X", "ALPH", "VP8 ", "EXIF",
            ]
            builder.chunks[index].name = Array((names.randomElement(using: &generator) ?? "").utf8)
        case 6:
            let count = builder.chunks[index].contents.count
            builder.chunks[index].contents.removeLast(Int.random(in: 0...count, using: &generator))
        default:
            // Contents with a right checksum: the codec's own matter.
            guard !builder.chunks[index].contents.isEmpty else { return }
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let place = Int.random(in: builder.chunks[index].contents.indices, using: &generator)
                let edges: [UInt8] = [0, 1, 0x7F, 0x80, 0xFF, builder.chunks[index].contents[place] ^ 1]
                builder.chunks[index].contents[place] = edges.randomElement(using: &generator) ?? 0
            }
        }
    }

    @Test func noChangedByteTraps() throws {
        let files = try [Self.originals(.png)[0], Self.originals(.webp)[0]].map { $0.bytes() }
        for bytes in files {
            for index in bytes.indices {
                for value in [bytes[index] ^ 1, bytes[index] ^ 0x80, 0, 0xFF] {
                    var mutant = bytes
                    mutant[index] = value
                    _ = exercise(mutant)
                }
            }
        }
    }
}
