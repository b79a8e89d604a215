internal import CImageCodecs

/// WebP files.
public enum WebP {
    /// How a picture is written.
    public enum Quality: Sendable, Equatable {
        /// Every sample comes back as it was.
        case lossless
        /// 0 to 100; what is beyond counts as the nearest.
        case lossy(Int)
    }

    /// Decodes a still picture as 8-bit RGB, or RGBA where it has transparency.
    ///
    /// Samples are taken as they are: colour profiles are left out, as is all metadata.
    ///
    /// - Throws: ``ImageCodecError`` when the file is damaged, cut off, animated or beyond `limits`.
    public static func decode(
        _ file: [UInt8], limits: DecodingLimits = DecodingLimits()
    ) throws(ImageCodecError) -> Bitmap {
        let structure = try WebPStructure(file, limits)
        return try Bitmap(
            decoding: .webp, width: structure.width, height: structure.height, channels: structure.channels
        ) { samples, message in
            file.withUnsafeBufferPointer {
                cic_webp_decode(
                    $0.baseAddress!, structure.count, Int32(structure.width), Int32(structure.height),
                    Int32(structure.channels), samples, message)
            }
        }
    }

    /// Encodes a picture.
    ///
    /// - Throws: ``ImageCodecError`` when libwebp refuses the picture.
    public static func encode(
        _ bitmap: Bitmap, quality: Quality, metadata: PictureMetadata? = nil
    ) throws(ImageCodecError) -> [UInt8] {
        let chunks = metadata.map { $0.webpChunks } ?? []
        return try encoding(.webp, chunks) { chunks, output, message in
            bitmap.samples.withUnsafeBufferPointer {
                cic_webp_encode(
                    $0.baseAddress!, Int32(bitmap.width), Int32(bitmap.height), Int32(bitmap.channels),
                    settings(quality), chunks.baseAddress, chunks.count, output, message)
            }
        }
    }

    private static func settings(_ quality: Quality) -> cic_webp_settings {
        switch quality {
        // Here quality is effort too: a seventh smaller takes eight times as long.
        case .lossless: cic_webp_settings(is_lossless: true, quality: 0, effort: 0)
        // A fortieth smaller takes twice as long.
        case .lossy(let quality):
            cic_webp_settings(is_lossless: false, quality: Float(min(max(quality, 0), 100)), effort: 2)
        }
    }
}
