import HTTPTypes

/// The parts of a form as browsers and HTTP libraries send it: `multipart/form-data`, RFC 7578.
///
/// Nothing is guessed or repaired: what is not as it should be is a 400 that says what was expected and found.
struct MultipartForm: Sendable, Equatable {
    /// A field's value.
    struct Part: Sendable, Equatable {
        /// The field's name, as it came.
        var name: String
        /// Whether it is a file's content, and no text.
        var isFile: Bool
        var content: [UInt8]
    }

    static let maximumPartCount = 64
    /// Of all headers of a part, with their line breaks.
    static let maximumHeaderBytes = 8192

    private static let boundaryBytes = Set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'()+_,-./:=? ".utf8)

    let parts: [Part]

    /// Reads a whole body, whose length the caller has bounded.
    ///
    /// - Parameters:
    ///   - body: The form.
    ///   - boundary: What stands between its parts, as its content type says.
    /// - Throws: `Failure` 400.
    init(_ body: [UInt8], boundary: String) throws(Failure) {
        var reader = try MultipartReader(body, boundary: boundary)
        var parts: [Part] = []
        while try reader.beginsPart() {
            guard parts.count < Self.maximumPartCount else {
                throw .invalidForm("it has more than \(Self.maximumPartCount) parts")
            }
            let headers = try reader.headers()
            let (name, isFile) = try Self.field(headers)
            parts.append(Part(name: name, isFile: isFile, content: try reader.content(of: name)))
        }
        self.parts = parts
    }

    /// What a part's headers say of it.
    private static func field(_ headers: [String: String]) throws(Failure) -> (name: String, isFile: Bool) {
        let disposition = headers["content-disposition"].flatMap { HeaderParameters($0) }
        guard let disposition, disposition.value == "form-data", let name = disposition.parameters["name"],
            !name.isEmpty
        else {
            let found = headers["content-disposition"].map { "\"\($0.prefix(80))\"" } ?? "none"
            throw .invalidForm(
                "each part must have a Content-Disposition such as form-data; name=\"prompt\", but one has \(found)"
            )
        }
        if let encoding = headers["content-transfer-encoding"]?.lowercased(),
            !["binary", "8bit", "7bit"].contains(encoding)
        {
            throw .invalidForm(
                "'\(name.prefix(80))' has the Content-Transfer-Encoding \(encoding.prefix(80)), but parts must come as "
                    + "they are")
        }
        let type = headers["content-type"]?.lowercased() ?? ""
        let isFile = disposition.parameters["filename"] != nil || disposition.parameters["filename*"] != nil
        return (name, isFile || type.hasPrefix("image/") || type.hasPrefix("application/octet-stream"))
    }

    // MARK: - The content type

    /// Whether a `Content-Type` says that a body is a form in parts.
    static func isNamed(in contentType: String) -> Bool {
        contentType.lowercased().hasPrefix("multipart/form-data")
    }

    /// The boundary that a `Content-Type` names.
    ///
    /// - Throws: `Failure` 400 where there is none, or none that RFC 2046 allows.
    static func boundary(in contentType: String) throws(Failure) -> String {
        guard let header = HeaderParameters(contentType), header.value == "multipart/form-data",
            let boundary = header.parameters["boundary"]
        else {
            throw .invalidForm(
                "its Content-Type must be multipart/form-data; boundary=…, not \"\(contentType.prefix(200))\""
            )
        }
        let isPlain = boundary.utf8.allSatisfy { boundaryBytes.contains($0) }
        guard isPlain, (1...70).contains(boundary.utf8.count), !boundary.hasSuffix(" ") else {
            throw .invalidForm(
                "its boundary must be 1 to 70 letters, digits or any of '()+_,-./:=? and not end with a space, but is "
                    + "\"\(boundary.prefix(80))\" with \(boundary.utf8.count) bytes")
        }
        return boundary
    }
}

extension Failure {
    /// A form that is none, with the end of a sentence about it.
    static func invalidForm(_ problem: String) -> Failure {
        Failure(.badRequest, code: "invalid_form", "The form is not valid: \(problem).")
    }
}
