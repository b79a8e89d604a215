import Testing

@testable import ImageCodecs

/// Pictures made of pictures, against Pillow's.
struct BitmapTests {
    @Test func resizedPicturesArePillowsBitForBit() throws {
        let cases = try fixture("pillow", as: PillowFixture.self).resized
        #expect(cases.count == 24)
        for item in cases {
            let filter = item.filter == "box" ? Bitmap.ResizeFilter.box : .lanczos
            let resized = item.from.bitmap.resized(
                width: item.to.width, height: item.to.height, filter: filter)
            #expect(
                resized.isSame(as: item.to.bitmap),
                "\(item.filter), \(item.to.width)x\(item.to.height)x\(item.to.channels)")
        }
    }

    @Test func lightnessIsPillows() throws {
        for item in try fixture("pillow", as: PillowFixture.self).grey {
            #expect(item.from.bitmap.luminance() == Array(item.samples))
        }
    }

    @Test func transparencyIsLeftOutAsPillowDoes() throws {
        for item in try fixture("pillow", as: PillowFixture.self).opaque {
            #expect(item.from.bitmap.withoutAlpha().isSame(as: item.to.bitmap))
        }
    }

    @Test func transparentPixelsShowTheGround() {
        let picture = Bitmap(
            width: 3, height: 1, channels: 4, samples: [10, 20, 30, 255, 10, 20, 30, 0, 100, 0, 255, 51])
        #expect(picture.flattened(over: .white).samples == [10, 20, 30, 255, 255, 255, 224, 204, 255])
        let faint = Bitmap(width: 1, height: 1, channels: 4, samples: [1, 2, 3, 128])
        #expect(faint.flattened(over: .black).samples == [1, 1, 2])
        #expect(picture.flattened(over: .black).samples == [10, 20, 30, 0, 0, 0, 20, 0, 51])
    }

    @Test func whatIsFullyTransparentBecomesWhite() {
        let picture = Bitmap(
            width: 3, height: 1, channels: 4, samples: [10, 20, 30, 255, 10, 20, 30, 0, 100, 0, 255, 1])
        #expect(picture.transparentPixels()?.samples == [0, 0, 0, 255, 255, 255, 0, 0, 0])
        #expect(Bitmap(width: 1, height: 1, channels: 4, samples: [0, 0, 0, 1]).transparentPixels() == nil)
        #expect(Bitmap(width: 1, height: 1, channels: 3, samples: [0, 0, 0]).transparentPixels() == nil)
    }

    @Test func picturesFitIntoABoxInTheirProportions() {
        let picture = Bitmap.waves(200, 100, channels: 3)
        #expect(picture.fitting(width: 50, height: 50) == (50, 25))
        #expect(picture.fitting(width: 400, height: 100) == (200, 100))
        #expect(picture.fitting(width: 1, height: 1) == (1, 1))
    }
}
