public import AssistantAPI
public import FoundationEssentials
import GRDB

extension HistoryStore {
    /// Whether pictures can be saved here: a store in memory keeps no files.
    public var keepsPictures: Bool { pictureFiles != nil }

    /// Saves a picture with its file: both are safe when this returns, or neither is there.
    ///
    /// - Parameters:
    ///   - picture: its record; `sha256` and `bytes` are those of `file`.
    ///   - file: what is written; pictures with the same bytes share one file.
    /// - Throws: `pictureNotSaved`.
    public func save(_ picture: Picture, file: Data) async throws(HistoryError) {
        precondition(
            picture.bytes == file.count && picture.sha256.utf8.count == 64, "a record of another file")
        guard let files = pictureFiles else { throw .pictureNotSaved(finding: "the history is in memory") }
        let draft: PictureFiles.Draft
        let recipe: Data
        do {
            recipe = try Wire.encoder().encode(picture.recipe)
            draft = try files.write(file)
        } catch {
            throw .pictureNotSaved(finding: "\(error)")
        }
        do throws(HistoryError) {
            try await write { db in
                // Inside the one writer, so that the file cannot go with another picture in between.
                try files.place(draft, sha256: picture.sha256, fileExtension: picture.format.rawValue)
                try Self.insert(picture, recipe: recipe, db)
            }
        } catch {
            files.discard(draft)
            await removeUnused(picture)
            if case .notSaved(let finding) = error { throw .pictureNotSaved(finding: finding) }
            throw error
        }
    }

    /// Looks a picture up.
    ///
    /// - Returns: its record; `nil` where there is none.
    /// - Throws: `unreadable`.
    public func picture(_ id: String) async throws(HistoryError) -> Picture? {
        guard Identifier.isPlausible(id) else { return nil }
        return try await read { db in
            try Row.fetchOne(db, sql: "SELECT \(Picture.columns) FROM picture WHERE id = ?", arguments: [id])
                .map(Picture.init(row:))
        }
    }

    /// The file of a picture, as it was saved.
    ///
    /// - Throws: `pictureUnreadable`.
    public func file(of picture: Picture) throws(HistoryError) -> Data {
        guard let files = pictureFiles else { throw .pictureNotFound(picture.id) }
        do {
            return try files.read(
                sha256: picture.sha256, fileExtension: picture.format.rawValue, count: picture.bytes)
        } catch {
            throw .pictureUnreadable(picture.id, finding: error.description)
        }
    }

    /// Lists pictures, the newest first.
    ///
    /// - Parameters:
    ///   - before: the `next` of the page before.
    ///   - limit: most pictures of the page, at least 1.
    /// - Returns: the page.
    /// - Throws: `malformedCursor`, `unreadable`.
    public func pictures(before: String?, limit: Int) async throws(HistoryError) -> PictureList {
        let limit = max(1, min(limit, 1000))
        let position = try Self.position(of: before)
        return try await read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT \(Picture.columns) FROM picture WHERE sequence < ? ORDER BY sequence DESC LIMIT ?
                    """,
                arguments: [position, limit + 1])
            let page = rows.prefix(limit)
            let next = rows.count > limit ? (page.last?["sequence"] as Int64?).map(String.init) : nil
            return PictureList(pictures: try page.map(Picture.init(row:)), next: next)
        }
    }

    /// Deletes a picture for good: its row, and its file unless another picture has the same.
    ///
    /// - Returns: its record.
    /// - Throws: `pictureNotFound`, `notSaved`.
    public func deletePicture(_ id: String) async throws(HistoryError) -> Picture {
        guard let picture = try await picture(id) else { throw .pictureNotFound(id) }
        let isGone = try await write { db in
            try db.execute(sql: "DELETE FROM picture WHERE id = ?", arguments: [id])
            return db.changesCount > 0
        }
        guard isGone else { throw .pictureNotFound(id) }
        // After COMMIT: a row must never be left without its file.
        await removeUnused(picture)
        try await truncateLog()
        return picture
    }

    // MARK: - Files

    /// Removes the file of a picture unless a row still has it.
    private func removeUnused(_ picture: Picture) async {
        guard let files = pictureFiles else { return }
        // Where this fails, the sweep at the next start does it.
        try? await write { db in
            let count = try Int.fetchOne(
                db, sql: "SELECT count(*) FROM picture WHERE sha256 = ?", arguments: [picture.sha256])
            if count == 0 {
                files.remove(sha256: picture.sha256, fileExtension: picture.format.rawValue)
            }
        }
    }

    /// Removes files that a killed daemon left; nothing else may use the store yet.
    func sweepPictures() {
        guard let files = pictureFiles,
            let hashes = try? database.read({ db in
                try Set(String.fetchAll(db, sql: "SELECT DISTINCT sha256 FROM picture"))
            })
        else { return }
        files.sweep(keeping: hashes)
    }

    private static func insert(_ picture: Picture, recipe: Data, _ db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO picture (id, sha256, format, bytes, width, height, recipe, created)
                VALUES (:id, :sha256, :format, :bytes, :width, :height, CAST(:recipe AS TEXT), :created)
                """,
            arguments: [
                "id": picture.id, "sha256": picture.sha256, "format": picture.format.rawValue,
                "bytes": picture.bytes, "width": picture.width, "height": picture.height, "recipe": recipe,
                "created": picture.createdAt.milliseconds,
            ])
    }
}

extension Picture {
    fileprivate static let columns = """
        sequence, id, sha256, format, bytes, width, height, CAST(recipe AS BLOB) AS recipe, created
        """

    fileprivate init(row: Row) throws {
        let id: String = row["id"]
        let recipe = try? (row["recipe"] as Data?).map { try Wire.decoder().decode(Recipe.self, from: $0) }
        guard let recipe, let format = PictureFormat(rawValue: row["format"]) else {
            throw HistoryError.pictureUnreadable(id, finding: "its recipe is of an unknown kind")
        }
        self.init(
            id: id, format: format, width: row["width"], height: row["height"], bytes: row["bytes"],
            sha256: row["sha256"], recipe: recipe, createdAt: row.date("created") ?? .distantPast)
    }
}
