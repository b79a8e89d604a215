internal import CImageCodecs

/// PNG files.
public enum PNG {
    static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

    /// Decodes a still picture of any colour type and depth as 8-bit RGB, or RGBA where it has transparency.
    ///
    /// Samples are taken as they are: colour profiles and gamma are left out, as is all metadata.
    ///
    /// - Throws: ``ImageCodecError`` when the file is damaged, cut off, animated or beyond `limits`.
    public static func decode(
        _ file: [UInt8], limits: DecodingLimits = DecodingLimits()
    ) throws(ImageCodecError) -> Bitmap {
        let structure = try PNGStructure(file, limits)
        return try Bitmap(
            decoding: .png, width: structure.width, height: structure.height, channels: structure.channels
        ) { samples, message in
            file.withUnsafeBufferPointer {
                cic_png_decode(
                    $0.baseAddress!, $0.count, structure.dataEnd, UInt32(structure.width),
                    UInt32(structure.height), Int32(structure.channels), samples, message)
            }
        }
    }

    /// Encodes a picture without loss.
    ///
    /// - Throws: ``ImageCodecError`` when libpng refuses the picture.
    public static func encode(
        _ bitmap: Bitmap, metadata: PictureMetadata? = nil
    ) throws(ImageCodecError) -> [UInt8] {
        let chunks = metadata.map { $0.pngChunks } ?? []
        return try encoding(.png, chunks) { chunks, output, message in
            bitmap.samples.withUnsafeBufferPointer {
                cic_png_encode(
                    $0.baseAddress!, UInt32(bitmap.width), UInt32(bitmap.height), Int32(bitmap.channels),
                    chunks.baseAddress, chunks.count, output, message)
            }
        }
    }
}
