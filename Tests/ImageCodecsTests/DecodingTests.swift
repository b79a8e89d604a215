import Testing

@testable import ImageCodecs

/// Files of every kind, against the specification's arithmetic and against Pillow.
struct DecodingTests {
    @Test func everyColourTypeDepthAndInterlacingIsDecoded() throws {
        let kinds = try fixture("kinds", as: [FileFixture].self)
        #expect(kinds.count == 104)
        for kind in kinds {
            #expect(try PNG.decode(kind.bytes).isSame(as: kind.bitmap), "\(kind)")
        }
    }

    @Test func filesByPillowAreDecoded() throws {
        let files = try fixture("pillow", as: PillowFixture.self).files
        #expect(files.count == 7)
        for file in files {
            #expect(try Bitmap(decoding: file.bytes).isSame(as: file.bitmap), "\(file)")
        }
    }

    @Test func formatsAreToldByTheirFirstBytes() throws {
        let picture = Bitmap.waves(5, 4, channels: 3)
        #expect(ImageFormat(sniffing: try PNG.encode(picture)) == .png)
        #expect(ImageFormat(sniffing: try WebP.encode(picture, quality: .lossy(80))) == .webp)
        #expect(
            failure { () throws(ImageCodecError) in try Bitmap(decoding: [0xFF, 0xD8, 0xFF, 0xE0]) }
                == .unknownFormat(found: "bytes that start with ff d8 ff e0"))
        #expect(
            failure { () throws(ImageCodecError) in try Bitmap(decoding: []) }
                == .unknownFormat(found: "no bytes"))
    }

    @Test(arguments: [3, 4])
    func whatIsWrittenWithoutLossIsReadAgain(channels: Int) throws {
        for (width, height) in [(1, 1), (7, 3), (64, 65), (300, 2)] {
            var picture = Bitmap.waves(width, height, channels: channels)
            // Colours under transparent pixels come back too.
            if channels == 4 { picture.samples[3] = 0 }
            #expect(try Bitmap(decoding: PNG.encode(picture)).isSame(as: picture))
            #expect(try Bitmap(decoding: WebP.encode(picture, quality: .lossless)).isSame(as: picture))
        }
    }

    @Test func lossyFilesAreCloserTheHigherTheirQuality() throws {
        let picture = Bitmap.waves(96, 80, channels: 3)
        let files = try [30, 60, 90].map { try WebP.encode(picture, quality: .lossy($0)) }
        let distances = try files.map { try WebP.decode($0).distance(to: picture) }
        #expect(
            distances[0] > distances[1] && distances[1] > distances[2] && distances[2] < 8, "\(distances)")
        #expect(files[0].count < files[1].count && files[1].count < files[2].count)
        // What is out of range is the nearest that isn't.
        #expect(try WebP.encode(picture, quality: .lossy(-5)) == WebP.encode(picture, quality: .lossy(0)))
        #expect(try WebP.encode(picture, quality: .lossy(700)) == WebP.encode(picture, quality: .lossy(100)))
    }

    @Test func transparencySurvivesALossyFile() throws {
        let picture = Bitmap.waves(40, 30, channels: 4)
        let decoded = try WebP.decode(try WebP.encode(picture, quality: .lossy(90)))
        #expect(decoded.channels == 4)
        for index in stride(from: 3, to: picture.samples.count, by: 4) {
            #expect(decoded.samples[index] == picture.samples[index])
        }
    }

    @Test func picturesTooBigForWebPAreRefused() {
        let wide = Bitmap(
            width: 16384, height: 1, channels: 3, samples: [UInt8](repeating: 9, count: 3 * 16384))
        #expect(
            failure { () throws(ImageCodecError) in try WebP.encode(wide, quality: .lossless) }
                == .unencodable(format: .webp, reason: "WebP has at most 16383 x 16383 pixels"))
    }
}
