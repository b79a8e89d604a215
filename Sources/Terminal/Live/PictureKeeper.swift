import AssistantAPI

/// Writes pictures that were kept in the history to a folder, too.
struct PictureKeeper: Sendable {
    let client: DaemonClient
    let folder: String

    /// Writes a picture under the first of its names that is free; returns the path, and what was written.
    ///
    /// - Throws: `ClientError`.
    func write(_ picture: Picture) async throws -> (path: String, file: [UInt8]) {
        let file = Array(try await client.pictureFile(picture.id))
        for attempt in 1...9999 {
            let path = PictureName.automatic(for: picture, in: folder, attempt: attempt)
            do throws(PictureFile.Failure) {
                try PictureFile.write(
                    file, to: path, replacing: false, guarding: { RawMode.removeAtEnd($0) })
                return (path, file)
            } catch {
                guard case .system(let code) = error else { continue }
                throw ClientError.failed(
                    "\(TextSanitizer.line(path)) cannot be written: \(ClientError.system(code)); the picture is "
                        + "kept: inkling pictures save \(TextSanitizer.line(picture.id)) -o FILE")
            }
        }
        throw ClientError.failed("there are too many pictures of this name in \(TextSanitizer.line(folder))")
    }
}
