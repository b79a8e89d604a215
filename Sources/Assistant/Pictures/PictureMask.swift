import AssistantAPI
import Digest
import FoundationEssentials
import ImageCodecs

/// Where a start picture is painted anew.
struct PictureMask: Sendable {
    /// White is painted anew, black is kept.
    let bitmap: Bitmap
    let channel: MaskChannel
    /// SHA-256 of the file that it is in, in hexadecimal.
    let hash: String

    /// The mask of a request; `nil` where the whole picture is painted anew.
    ///
    /// - Parameters:
    ///   - request: What is asked.
    ///   - start: Its start picture.
    /// - Throws: `invalidRequest` naming the field for a file that cannot be read, and for a mask by transparency that
    ///   has none.
    init?(_ request: PictureRequest, start: Bitmap?) throws(AssistantError) {
        let mask = try request.mask.map { file throws(AssistantError) in
            try PicturePlan.bitmap(file, "mask")
        }
        channel = request.maskChannel ?? .lightness
        guard channel == .alpha, let file = request.mask ?? request.initImage else {
            guard let mask, let file = request.mask else { return nil }
            (bitmap, hash) = (mask, SHA256.hexadecimal(of: file))
            return
        }
        guard let transparent = (mask ?? start)?.transparentPixels() else {
            guard mask != nil else { return nil }
            throw AssistantError(
                .invalidRequest,
                "mask has no fully transparent pixel; what is painted anew must be transparent in it (alpha 0).",
                parameter: "mask")
        }
        (bitmap, hash) = (transparent, SHA256.hexadecimal(of: file))
    }
}
