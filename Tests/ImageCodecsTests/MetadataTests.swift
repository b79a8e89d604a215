import Foundation
import Testing

@testable import ImageCodecs

/// What written files say about their origin.
struct MetadataTests {
    private static let settings = """
        a fox, reading <news> & "views"
        Negative prompt: blurry
        Steps: 20, Sampler: Euler a, CFG scale: 7.5, Seed: 42, Size: 512x512, Model: tiny
        """

    private func files(_ metadata: PictureMetadata) throws -> [[UInt8]] {
        let picture = Bitmap.waves(12, 10, channels: 3)
        return [
            try PNG.encode(picture, metadata: metadata),
            try WebP.encode(picture, quality: .lossless, metadata: metadata),
            try WebP.encode(picture, quality: .lossy(80), metadata: metadata),
        ]
    }

    private func text(_ file: [UInt8], _ chunk: String) -> String? {
        let builder = ChunkBuilder(parsing: file)
        let found = builder.chunks.first { $0.name == Array(chunk.utf8) }
        return found.map { String(decoding: $0.contents, as: UTF8.self) }
    }

    @Test(arguments: [
        settings, "a fox \u{1F98A} in the caf\u{E9}", "caf\u{E9}", "", "two\nlines", "\u{7F}\u{85}",
    ])
    func parametersAreReadAgain(parameters: String) throws {
        let metadata = PictureMetadata(software: "inkling 1.0", parameters: parameters)
        for file in try files(metadata) { #expect(try PictureMetadata(reading: file) == metadata) }
    }

    @Test func withoutParametersOnlyTheOriginIsTold() throws {
        let secret = "a fox in a wood"
        let told = PictureMetadata(software: "x", parameters: secret)
        let metadata = PictureMetadata(software: "inkling 1.0")
        for (file, open) in zip(try files(metadata), try files(told)) {
            #expect(try PictureMetadata(reading: file) == metadata)
            #expect(!contains(file, Array(secret.utf8)))
            #expect(
                contains(open, Array(secret.utf8))
                    || contains(open, Array(secret.utf16.flatMap { [0, UInt8($0)] })))
            #expect(contains(file, Array(PictureMetadata.digitalSourceType.utf8)))
        }
    }

    @Test func metadataChangesNoPixel() throws {
        let picture = Bitmap.waves(12, 10, channels: 3)
        let metadata = PictureMetadata(software: "x", parameters: Self.settings)
        #expect(try PNG.decode(try PNG.encode(picture, metadata: metadata)) == picture)
        for quality in [WebP.Quality.lossless, .lossy(70)] {
            #expect(
                try WebP.decode(try WebP.encode(picture, quality: quality, metadata: metadata))
                    == WebP.decode(try WebP.encode(picture, quality: quality)))
        }
    }

    @Test func chunksStandWhereReadersLookForThem() throws {
        let files = try files(PictureMetadata(software: "x", parameters: "a"))
        let names = files.map {
            ChunkBuilder(parsing: $0).chunks.map { String(decoding: $0.name, as: UTF8.self) }
        }
        #expect(names[0] == ["IHDR", "tEXt", "tEXt", "iTXt", "IDAT", "IEND"])
        #expect(names[1] == ["VP8X", "VP8L", "EXIF", "XMP "])
        #expect(names[2] == ["VP8X", "VP8 ", "EXIF", "XMP "])
        #expect(text(files[0], "tEXt") == "parameters\0a")
    }

    @Test func exifIsWhatOthersRead() throws {
        let metadata = PictureMetadata(software: "abc", parameters: "\u{1F98A}")
        let expected: [[UInt8]] = [
            Array("MM".utf8), [0, 42, 0, 0, 0, 8],
            // Two entries: Software, which stands in its entry, and where the second directory is.
            [0, 2], [0x01, 0x31, 0, 2, 0, 0, 0, 4], Array("abc\0".utf8),
            [0x87, 0x69, 0, 4, 0, 0, 0, 1, 0, 0, 0, 42],
            [0, 0, 0, 0], [0, 0, 0, 0],
            // One entry: UserComment, twelve bytes behind the directory.
            [0, 1], [0x92, 0x86, 0, 7, 0, 0, 0, 12, 0, 0, 0, 60], [0, 0, 0, 0],
            Array("UNICODE\0".utf8), [0xD8, 0x3E, 0xDD, 0x8A],
        ]
        #expect(metadata.webpChunks[0] == MetadataChunk(name: "EXIF", contents: Array(expected.joined())))
    }

    @Test func damagedExifIsPassedOver() throws {
        let whole = PictureMetadata(software: "inkling", parameters: "a fox").webpChunks[0].contents
        for count in 0..<whole.count { _ = PictureMetadata.readExif(Array(whole.prefix(count))) }
        for index in whole.indices {
            for value in [0, 1, 0x7F, 0x80, 0xFF] as [UInt8] {
                var mutant = whole
                mutant[index] = value
                _ = PictureMetadata.readExif(mutant)
            }
        }
    }

    @Test func filesWithoutMetadataSayNothing() throws {
        let picture = Bitmap.waves(12, 10, channels: 3)
        #expect(try PictureMetadata(reading: try PNG.encode(picture)) == nil)
        #expect(try PictureMetadata(reading: try WebP.encode(picture, quality: .lossless)) == nil)
    }

    @Test func xmpIsXMLWhateverTheSoftwareIsCalled() throws {
        let name = "<\"a\" & 'b'>\u{1}\u{FFFF}\r\n\u{1F98A}"
        let escaped = "&lt;&quot;a&quot; &amp; &apos;b&apos;&gt;\u{FFFD}\u{FFFD}&#13;\n\u{1F98A}"
        let xmp = PictureMetadata(software: name).xmp
        #expect(xmp.contains("<xmp:CreatorTool>\(escaped)</xmp:CreatorTool>"))
        #expect(xmp.contains(">\(PictureMetadata.digitalSourceType)</Iptc4xmpExt:DigitalSourceType>"))
    }

    private func contains(_ file: [UInt8], _ part: [UInt8]) -> Bool {
        Data(file).range(of: Data(part)) != nil
    }
}
