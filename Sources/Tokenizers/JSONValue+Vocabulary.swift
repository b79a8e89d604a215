import StrictJSON

extension JSONValue {
    // A value takes more memory than its text; the largest vocabularies have about a million.
    private static let valueLimit = 8_000_000

    /// Parses a whole vocabulary file.
    ///
    /// - Parameters:
    ///   - bytes: the file's bytes.
    ///   - name: its name, for errors.
    /// - Throws: ``TokenizerError`` for anything but strict JSON, with the byte and the reason, and for files
    ///   beyond ``Vocabulary/Limit/totalBytes``.
    init(vocabularyFile bytes: [UInt8], name: String) throws(TokenizerError) {
        guard bytes.count <= Vocabulary.Limit.totalBytes else {
            throw .tooLarge(what: name, limit: Vocabulary.Limit.totalBytes, found: bytes.count)
        }
        let limits = JSONLimits(
            byteCount: Vocabulary.Limit.totalBytes, depth: 32, valueCount: Self.valueLimit)
        do {
            self = try JSONValue(parsing: bytes, limits: limits)
        } catch {
            throw .malformed(format: name, offset: error.offset, reason: error.problem.description)
        }
    }
}
