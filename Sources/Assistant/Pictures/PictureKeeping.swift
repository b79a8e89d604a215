import AssistantAPI
import Digest
import FoundationEssentials
import History
import ImageCodecs
import Logging

/// The way of a painted picture into the history: a file with its recipe, kept for good.
///
/// Private ones, and those that cannot be saved, are kept in memory for a while.
struct PictureKeeping: Sendable {
    let history: HistoryStore
    let recent: RecentPictures
    let format: PictureFormat
    let logger: Logger

    /// A picture's file, without loss and with its recipe.
    static func file(_ bitmap: Bitmap, recipe: Recipe, format: PictureFormat) throws -> Data {
        let metadata = PictureMetadata(
            software: "Inkling \(Inkling.version)", parameters: recipe.parametersText)
        return switch format {
        case .png: Data(try PNG.encode(bitmap, metadata: metadata))
        case .webp: Data(try WebP.encode(bitmap, quality: .lossless, metadata: metadata))
        }
    }

    /// Makes the file of a picture and keeps it.
    ///
    /// - Throws: what the codec says against the picture.
    func keep(_ bitmap: Bitmap, recipe: Recipe, isPrivate: Bool = false) async throws -> Picture {
        let data = try Self.file(bitmap, recipe: recipe, format: format)
        var picture = Picture(
            id: HistoryStore.makeID(), format: format, width: bitmap.width, height: bitmap.height,
            bytes: data.count, sha256: SHA256.hexadecimal(of: data), recipe: recipe, createdAt: Date())
        if isPrivate || !history.keepsPictures {
            picture.isPrivate = true
            recent.keep(picture, data)
            return picture
        }
        do {
            try await history.save(picture, file: data)
        } catch {
            logger.warning("a picture was not saved", metadata: ["error": "\(error)"])
            picture.isPrivate = true
            recent.keep(picture, data)
        }
        return picture
    }
}
