public import StrictJSON

extension JSONValue {
    /// Parses a file, which may come from anywhere: its size and what is in it are limited.
    ///
    /// - Throws: `CheckpointError` for a file that is missing, no regular file, or no JSON.
    public init(
        file path: String, limits: JSONLimits = JSONLimits(byteCount: 1 << 20)
    ) throws(CheckpointError) {
        let file = try FileMapping(path)
        do {
            self = try JSONValue(parsing: file.bytes, limits: limits)
        } catch {
            throw .invalidJSON(file: path, error: error)
        }
    }
}
