/// Walks through the bytes of a form in parts.
struct MultipartReader {
    private let body: [UInt8]
    /// A line break, two hyphens and the boundary.
    private let delimiter: [UInt8]
    /// Behind the last delimiter, header or content that was read.
    private var position: Int

    private static let lineBreak: [UInt8] = [0x0D, 0x0A]
    private static let hyphens: [UInt8] = [0x2D, 0x2D]

    /// A reader at the form's first boundary, which must be its beginning.
    init(_ body: [UInt8], boundary: String) throws(Failure) {
        let line = Self.hyphens + Array(boundary.utf8)
        guard body.starts(with: line) else {
            throw .invalidForm("it must begin with its boundary, --\(boundary)")
        }
        self.body = body
        delimiter = Self.lineBreak + line
        position = line.count
    }

    /// Whether a part follows the boundary that was read, and not the form's end.
    mutating func beginsPart() throws(Failure) -> Bool {
        let isEnd = skip(Self.hyphens)
        while position < body.count, body[position] == 0x20 || body[position] == 0x09 { position += 1 }
        let endsLine = skip(Self.lineBreak)
        guard isEnd else {
            guard endsLine else {
                throw .invalidForm(
                    "behind each boundary there must be a line break, or -- behind the last one; byte \(position) is "
                        + "neither")
            }
            return true
        }
        guard position == body.count else {
            throw .invalidForm("\(body.count - position) bytes follow its last boundary; none were expected")
        }
        return false
    }

    /// A part's headers, by their names in lower case.
    mutating func headers() throws(Failure) -> [String: String] {
        let end = min(body.count, position + MultipartForm.maximumHeaderBytes)
        var headers: [String: String] = [:]
        while true {
            guard let lineEnd = place(of: Self.lineBreak, before: end) else {
                throw .invalidForm(
                    end < body.count
                        ? "a part has more than \(MultipartForm.maximumHeaderBytes) bytes of headers"
                        : "it ends within a part's headers")
            }
            let line = body[position..<lineEnd]
            position = lineEnd + Self.lineBreak.count
            if line.isEmpty { return headers }
            guard let text = String(validating: line, as: UTF8.self), let colon = text.firstIndex(of: ":")
            else {
                throw .invalidForm("a part's headers must be lines such as Content-Type: image/png, in UTF-8")
            }
            let name = text[..<colon].lowercased()
            let value = text[text.index(after: colon)...].trimmingBlanks()
            guard headers.updateValue(value, forKey: name) == nil else {
                throw .invalidForm("a part has the header \(name.prefix(80)) twice")
            }
        }
    }

    /// A part's content, up to the next boundary.
    mutating func content(of name: String) throws(Failure) -> [UInt8] {
        guard let end = place(of: delimiter, before: body.count) else {
            throw .invalidForm("it ends within '\(name.prefix(80))', behind which its boundary was expected")
        }
        defer { position = end + delimiter.count }
        return Array(body[position..<end])
    }

    private mutating func skip(_ bytes: [UInt8]) -> Bool {
        guard body[position...].starts(with: bytes) else { return false }
        position += bytes.count
        return true
    }

    /// Where `bytes` begin, here or further on, with their end at most at `end`.
    private func place(of bytes: [UInt8], before end: Int) -> Int? {
        body.withUnsafeBufferPointer { body in
            var index = position
            while index <= end - bytes.count {
                let window = body[index..<index + bytes.count]
                if body[index] == bytes[0], window.elementsEqual(bytes) { return index }
                index += 1
            }
            return nil
        }
    }
}
