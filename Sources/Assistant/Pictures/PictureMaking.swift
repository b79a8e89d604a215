import AssistantAPI
import Digest
import FoundationEssentials
import History
import ImageCodecs
import Logging

/// One request for pictures on its way: pixels from the engine become files, and files are kept.
///
/// A picture that cannot be saved is delivered all the same, with the notice `not_saved`.
struct PictureMaking: Sendable {
    typealias Continuation = AsyncThrowingStream<PictureEvent, any Error>.Continuation

    let request: PictureRequest
    /// Of the first picture, where somebody told it before.
    let firstID: Picture.ID?
    let format: PictureFormat
    let partialSize: PictureService.PartialSize
    let history: HistoryStore
    let recent: RecentPictures
    let cancellation: Cancellation
    let events: Continuation
    let logger: Logger

    /// A picture that was begun.
    private struct Begun {
        var id: Picture.ID
        var outline: PictureOutline
        var recipe: Recipe
    }

    func run(_ running: PictureEngine.Running) async throws {
        cancellation.onCancel(running.cancel)
        var begun: [Int: Begun] = [:]
        var isCompleted = false
        for try await event in running.events {
            switch event {
            case .queued(let ahead): events.yield(.queued(.init(ahead: ahead)))
            case .loading(let fraction): events.yield(.loading(.init(fraction: fraction)))
            case .notice(let notice): events.yield(.notice(notice))
            case .started(let index, let outline):
                let told = index == 0 ? firstID : nil
                let picture = Begun(
                    id: told ?? HistoryStore.makeID(), outline: outline, recipe: running.recipe(outline))
                begun[index] = picture
                events.yield(
                    .started(
                        .init(
                            index: index, id: picture.id, recipe: picture.recipe,
                            promptTokens: outline.promptTokens)))
            case .progress(let progress): events.yield(.progress(progress))
            case .preview(let index, let number, let step, let bitmap):
                guard let picture = begun[index] else { continue }
                let partial = try partial(bitmap, of: picture.outline)
                events.yield(
                    .partial(
                        .init(
                            index: index, number: number, step: step, format: format, width: partial.width,
                            height: partial.height, data: partial.data)))
            case .picture(let index, let bitmap):
                guard let picture = begun[index] else { continue }
                try await finish(bitmap, picture, index: index)
            case .completed(var completed):
                if completed.finish == .cancelled { completed.finish = cancellation.reason ?? .cancelled }
                events.yield(.completed(completed))
                isCompleted = true
            }
        }
        if !isCompleted { throw AssistantError(.internalError, "The pictures ended without a reason.") }
    }

    private func partial(
        _ bitmap: Bitmap, of outline: PictureOutline
    ) throws -> (width: Int, height: Int, data: Data) {
        let isSmall = bitmap.width != outline.width || bitmap.height != outline.height
        let sized =
            partialSize == .full && isSmall
            ? bitmap.resized(width: outline.width, height: outline.height) : bitmap
        // A preview says where it comes from as the finished picture does, and nothing of the prompt.
        return (sized.width, sized.height, try encode(sized, parameters: nil))
    }

    private func finish(_ bitmap: Bitmap, _ begun: Begun, index: Int) async throws {
        let keepsRecipe = request.keepsRecipe ?? true
        let data = try encode(bitmap, parameters: keepsRecipe ? begun.recipe.parametersText : nil)
        var picture = Picture(
            id: begun.id, format: format, width: bitmap.width, height: bitmap.height, bytes: data.count,
            sha256: SHA256.hexadecimal(of: data), recipe: begun.recipe, createdAt: Date())
        if request.isPrivate == true || !history.keepsPictures {
            picture.isPrivate = true
            recent.keep(picture, data)
        } else {
            do {
                try await history.save(picture, file: data)
            } catch {
                logger.warning("a picture was not saved", metadata: ["error": "\(error)"])
                recent.keep(picture, data)
                events.yield(
                    .notice(
                        Notice(
                            code: "not_saved",
                            message: "This picture is not kept (\(error)); save it while you see it.")))
            }
        }
        events.yield(.picture(.init(index: index, picture: picture, data: data)))
    }

    private func encode(_ bitmap: Bitmap, parameters: String?) throws -> Data {
        let metadata = PictureMetadata(software: "Inkling \(Inkling.version)", parameters: parameters)
        let quality = request.quality.map { WebP.Quality.lossy($0) } ?? .lossless
        return switch format {
        case .png: Data(try PNG.encode(bitmap, metadata: metadata))
        case .webp: Data(try WebP.encode(bitmap, quality: quality, metadata: metadata))
        }
    }
}
