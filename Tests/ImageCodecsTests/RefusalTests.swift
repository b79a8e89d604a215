import Testing

@testable import ImageCodecs

/// Files that are refused, and what their refusal says.
struct RefusalTests {
    private typealias Chunk = ChunkBuilder.Chunk

    private static func small(_ format: ImageFormat) throws -> [UInt8] {
        let picture = Bitmap.waves(9, 7, channels: 4)
        return format == .png ? try PNG.encode(picture) : try WebP.encode(picture, quality: .lossless)
    }

    private func error(_ bytes: [UInt8], _ limits: DecodingLimits = DecodingLimits()) -> ImageCodecError? {
        failure { () throws(ImageCodecError) in try Bitmap(decoding: bytes, limits: limits) }
    }

    @Test func claimsOfHugePicturesAreRefusedByTheirHead() {
        #expect(
            error(ChunkBuilder.claim(65535, 65535))
                == .exceedsLimit(format: .png, what: "width", limit: 4096, found: 65535))
        #expect(
            error(ChunkBuilder.claim(4096, 4097))
                == .exceedsLimit(format: .png, what: "height", limit: 4096, found: 4097))
        #expect(
            error(ChunkBuilder.claim(0xFFFF_FFFF, 1))
                == .exceedsLimit(format: .png, what: "width", limit: 4096, found: 0xFFFF_FFFF))
        #expect(error(ChunkBuilder.claim(0, 5)) == .damaged(format: .png, expected: "pixels", found: "0 x 5"))
        var limits = DecodingLimits()
        limits.pixels = 1000
        #expect(
            error(ChunkBuilder.claim(100, 11), limits)
                == .exceedsLimit(format: .png, what: "number of pixels", limit: 1000, found: 1100))
    }

    @Test func moreThanDataCanHoldGetsNoMemory() {
        #expect(
            error(ChunkBuilder.claim(4096, 4096))
                == .damaged(format: .png, expected: "more than 48770 bytes of picture data", found: "4"))
    }

    @Test(arguments: [UInt8(0), 1])
    func dataBehindTheLastRowAreNotUnpacked(interlaced: UInt8) throws {
        for height in [1, 2, 16] {
            let head = ChunkBuilder.head(16, height, interlaced: interlaced)
            func error(_ data: [UInt8], _ partSize: Int = 5000) -> ImageCodecError? {
                let parts = stride(from: 0, to: data.count, by: partSize).map {
                    Chunk("IDAT", Array(data[$0..<min($0 + partSize, data.count)]))
                }
                return self.error(ChunkBuilder(.png, [head] + parts + [Chunk("IEND")]).bytes())
            }
            // 166 MB in all.
            #expect(
                error(ChunkBuilder.zeros(runs: 640_000))
                    == .undecodable(format: .png, reason: "it has more data than pixels"))
            #expect(error(ChunkBuilder.zeros(runs: 4)) == nil)
            #expect(error(ChunkBuilder.zeros(runs: 4), 1) == nil)
        }
    }

    @Test(arguments: ImageFormat.allCases)
    func crowdsOfChunksAreRefused(format: ImageFormat) throws {
        var builder = ChunkBuilder(parsing: try Self.small(format))
        let empty = Chunk(format == .png ? "IDAT" : "ALPH")
        builder.chunks.insert(contentsOf: repeatElement(empty, count: 1 << 16), at: 1)
        #expect(
            error(builder.bytes())
                == .exceedsLimit(format: format, what: "number of chunks", limit: 65536, found: 65537))
    }

    @Test func hugeWebPClaimsAreRefusedByTheirHead() throws {
        // A lossless head: its signature, then 14 bits each for width - 1 and height - 1.
        let head: [UInt8] = [0x2F, 0xFF, 0xFF, 0xFF, 0x0F, 0, 0, 0, 0, 0]
        #expect(
            error(ChunkBuilder(.webp, [Chunk("VP8L", head)]).bytes())
                == .exceedsLimit(format: .webp, what: "width", limit: 4096, found: 16384))
    }

    @Test(arguments: ImageFormat.allCases)
    func bigFilesAndMuchMetadataAreRefused(format: ImageFormat) throws {
        var limits = DecodingLimits()
        let file = try Self.small(format)
        limits.fileBytes = file.count - 1
        #expect(
            error(file, limits)
                == .exceedsLimit(
                    format: format, what: "size in bytes", limit: file.count - 1, found: file.count))

        var builder = ChunkBuilder(parsing: file)
        let extra = Chunk(format == .png ? "zzZz" : "ZZZZ", [UInt8](repeating: 7, count: 600 << 10))
        builder.chunks.insert(extra, at: 1)
        #expect(error(builder.bytes()) == nil)
        builder.chunks.insert(extra, at: 1)
        #expect(
            error(builder.bytes())
                == .exceedsLimit(
                    format: format, what: "metadata", limit: 1 << 20,
                    found: 2 * (600 << 10) + (format == .png ? 24 : 16)))
        // What follows the end counts too.
        builder.chunks.remove(at: 1)
        builder.trailer = [UInt8](repeating: 1, count: 500 << 10)
        guard case .exceedsLimit(format, "metadata", _, _) = error(builder.bytes()) else {
            Issue.record("a trailer was accepted")
            return
        }
    }

    @Test func animationsAreRefused() throws {
        let animated = try fixture("pillow", as: PillowFixture.self).animated
        #expect(
            animated.map { error(Array($0.file)) } == [.animated(format: .png), .animated(format: .webp)])
    }

    @Test func everyPrefixOfAFileIsRefused() throws {
        let kinds = try fixture("kinds", as: [FileFixture].self).filter { $0.width > 1 }.map(\.bytes)
        let files = try fixture("pillow", as: PillowFixture.self).files.map(\.bytes)
        for bytes in kinds + files {
            for count in 0..<bytes.count {
                #expect(error(Array(bytes.prefix(count))) != nil, "\(count) of \(bytes.count) bytes")
            }
        }
    }

    @Test func picturesWithoutAllOfTheirDataAreRefused() throws {
        for bytes in try [Self.small(.png), Self.small(.webp)] {
            let whole = ChunkBuilder(parsing: bytes)
            let index = try #require(
                whole.chunks.firstIndex {
                    ["IDAT", "VP8L"].contains(String(decoding: $0.name, as: UTF8.self))
                })
            for count in 0..<whole.chunks[index].contents.count {
                var builder = whole
                builder.chunks[index].contents.removeLast(count + 1)
                // Of libpng's data, the last four bytes are the checksum of what is all there.
                if whole.format == .png, count < 4 { continue }
                #expect(error(builder.bytes()) != nil, "\(whole.format) without its last \(count + 1)")
            }
        }
    }

    @Test func wrongChecksumsAreRefused() throws {
        let whole = ChunkBuilder(
            parsing: try PNG.encode(.waves(9, 7, channels: 3), metadata: .init(software: "x")))
        for index in whole.chunks.indices {
            var builder = whole
            builder.chunks[index].checksumError = 1
            let name = String(decoding: whole.chunks[index].name, as: UTF8.self)
            #expect(error(builder.bytes()) == .undecodable(format: .png, reason: "\(name): CRC error"))
        }
    }

    @Test func damagedStructuresAreRefused() {
        let head = ChunkBuilder.head(4, 4), data = Chunk("IDAT", [8, 9]), end = Chunk("IEND")
        func png(_ chunks: Chunk...) -> ImageCodecError? { error(ChunkBuilder(.png, chunks).bytes()) }
        let expected = "one IHDR chunk, at the start"
        #expect(png(data, head, end) == .damaged(format: .png, expected: expected, found: "IDAT"))
        #expect(png(head, head, data, end) == .damaged(format: .png, expected: expected, found: "IHDR"))
        #expect(
            png(Chunk("IHDR", [1]), data, end)
                == .damaged(format: .png, expected: "an IHDR chunk of 13 bytes", found: "one of 1"))
        #expect(
            png(head, Chunk("a1bc"), end)
                == .damaged(format: .png, expected: "a chunk's name of four letters", found: "61 31 62 63"))
        #expect(
            png(head, end)
                == .damaged(format: .png, expected: "more than 0 bytes of picture data", found: "0"))
        #expect(
            png(ChunkBuilder.head(4, 4, color: 5), data, end)
                == .damaged(format: .png, expected: "a colour type of 0, 2, 3, 4 or 6", found: "5"))
        #expect(png(ChunkBuilder.head(4, 4, depth: 3), data, end) != nil)
        #expect(png(ChunkBuilder.head(4, 4, depth: 16, color: 3), data, end) != nil)
        #expect(png(ChunkBuilder.head(4, 4, interlaced: 2), data, end) != nil)
        #expect(png(ChunkBuilder.head(4, 4, color: 3), data, end) != nil, "no palette")
    }

    @Test func refusalsAreSentences() {
        #expect(
            error([])?.description
                == "This is no picture that can be read: expected a PNG or WebP file, found no bytes.")
        #expect(
            error(ChunkBuilder.claim(5000, 5))?.description
                == "The PNG file is refused: its width is 5000, and at most 4096 is accepted.")
    }
}
