/// A picture's size as people write it: `512x768`, `512×768`, or `512` for a square.
public struct PictureSize: Sendable, Equatable {
    /// In pixels.
    public var width: Int
    /// In pixels.
    public var height: Int

    public init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }

    /// Reads a size; whether the model can paint it is the daemon's to say.
    ///
    /// - Throws: `ClientError.usage`.
    public init(_ text: String) throws(ClientError) {
        let parts = text.split(omittingEmptySubsequences: false) { "xX×".contains($0) }
        let numbers = parts.compactMap(Self.number)
        guard numbers.count == parts.count, (1...2).contains(numbers.count) else {
            throw .usage(
                "--size takes width and height in pixels, such as 512x768, or one number for a square; not "
                    + "\"\(TextSanitizer.line(text))\"")
        }
        self.init(width: numbers[0], height: numbers[numbers.count - 1])
    }

    /// A positive number of at most six digits.
    private static func number(_ text: Substring) -> Int? {
        guard (1...6).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(text).flatMap { $0 > 0 ? $0 : nil }
    }
}
