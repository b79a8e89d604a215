import AssistantAPI
import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore

extension Request {
    /// The body as the members of a JSON object, or where there may be one of a form.
    ///
    /// - Throws: `Failure`: 415 for another content type, 413 for a body over `limit` bytes, 400 for no JSON or form.
    func fields(upTo limit: Int, orForm takesForm: Bool = false) async throws -> Fields {
        if takesForm, let header = headers[.contentType], MultipartForm.isNamed(in: header) {
            let boundary = try MultipartForm.boundary(in: header)
            return try Fields(MultipartForm(await self.bytes(upTo: limit), boundary: boundary))
        }
        try checkContentType(takesForm: takesForm)
        let bytes = try await bytes(upTo: limit)
        guard !bytes.isEmpty else { throw Failure.invalid("The body is empty; it must be a JSON object.") }
        do {
            return try Fields(JSONParser.parse(bytes))
        } catch let error as JSONSyntaxError {
            throw Failure(.badRequest, code: "invalid_json", "The body is not valid JSON: \(error).")
        }
    }

    private func checkContentType(takesForm: Bool) throws {
        guard let header = headers[.contentType] else { return }
        let type = header.prefix { $0 != ";" }.trimmingBlanks().lowercased()
        // curl calls whatever follows -d a form, and nobody but this user's programs reaches the socket.
        let curls = "application/x-www-form-urlencoded"
        guard type == "application/json" || type.hasSuffix("+json") || type == curls else {
            let form = takesForm ? " or a form (multipart/form-data)" : ""
            throw Failure(
                .unsupportedMediaType, code: "unsupported_media_type",
                "The body must be JSON (Content-Type: application/json)\(form), not \(type).")
        }
    }

    private func bytes(upTo limit: Int) async throws -> [UInt8] {
        let tooLarge = Failure(
            .contentTooLarge, code: "request_too_large", "The body must be at most \(limit) bytes.")
        if let length = headers[.contentLength].flatMap({ Int($0) }), length > limit { throw tooLarge }
        do {
            return Array(buffer: try await body.collect(upTo: limit))
        } catch is NIOTooManyBytesError {
            throw tooLarge
        }
    }

    // MARK: - Query

    func query(_ name: String) -> String? {
        uri.queryParameters.get(name)
    }

    func query(_ name: String, in range: ClosedRange<Int>, default standard: Int) throws(Failure) -> Int {
        guard let text = query(name) else { return standard }
        guard let value = Int(text), range.contains(value) else {
            throw .invalid(
                "'\(name)' must be an integer from \(range.lowerBound) to \(range.upperBound).",
                parameter: name)
        }
        return value
    }

    func queryFlag(_ name: String) throws(Failure) -> Bool {
        switch query(name) {
        case nil, "false", "0": false
        case "true", "1", "": true
        default: throw .invalid("'\(name)' must be true or false.", parameter: name)
        }
    }
}

extension Response {
    /// A native value, as `Wire` writes it.
    static func wire(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
        .json(ByteBuffer(bytes: try Wire.encoder().encode(value)), status: status)
    }
}
