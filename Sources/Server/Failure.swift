import AssistantAPI
import HTTPTypes
import Hummingbird

/// A failed request, in the shape of OpenAI's errors.
struct Failure: Error, Sendable, Equatable {
    var status: HTTPResponse.Status
    /// The family: `invalid_request_error`, `not_found_error`, `unavailable_error` or `api_error`.
    var type: String
    var code: String
    var message: String
    var parameter: String?
    /// In seconds.
    var retryAfter: Int?
    /// The methods that the path does have, for 405.
    var allowed: String?

    init(
        _ status: HTTPResponse.Status, code: String, _ message: String, parameter: String? = nil,
        retryAfter: Int? = nil, allowed: String? = nil
    ) {
        self.status = status
        self.type = Self.type(of: status)
        self.code = code
        self.message = message
        self.parameter = parameter
        self.retryAfter = retryAfter
        self.allowed = allowed
    }

    static func invalid(_ message: String, parameter: String? = nil) -> Failure {
        Failure(.badRequest, code: "invalid_request", message, parameter: parameter)
    }

    /// Something that is part of the protocol but that this daemon does not do.
    static func unsupported(_ message: String, parameter: String) -> Failure {
        Failure(.badRequest, code: "unsupported", message, parameter: parameter)
    }

    /// The body of the response, and of an event in a stream that has begun, as OpenAI's clients read it.
    var json: JSON {
        [
            "error": [
                "message": .string(message), "type": .string(type), "code": .string(code),
                "param": JSON(parameter),
            ]
        ]
    }

    var response: Response { response(.openAI) }

    /// The response as clients of an API read it.
    func response(_ shape: ErrorShape) -> Response {
        var response = Response.json(shape.body(of: self), status: status)
        if let retryAfter { response.headers[.retryAfter] = String(retryAfter) }
        if let allowed { response.headers[.allow] = allowed }
        return response
    }

    private static func type(of status: HTTPResponse.Status) -> String {
        switch status.code {
        case 404: "not_found_error"
        case 503: "unavailable_error"
        case 500...: "api_error"
        default: "invalid_request_error"
        }
    }
}

extension Failure {
    /// Any error, as a client is told of it; what is not meant for clients becomes a plain 500.
    init(_ error: any Error) {
        switch error {
        case let failure as Failure: self = failure
        case let error as AssistantError: self.init(error)
        case is CancellationError: self.init(AssistantError(.cancelled, "The request was cancelled."))
        case let error as HTTPError where error.status == .contentTooLarge:
            self.init(.contentTooLarge, code: "request_too_large", "The body is too large.")
        case let error as HTTPError where error.status.code < 500:
            self.init(error.status, code: "invalid_request", error.body ?? error.status.reasonPhrase)
        default:
            self.init(
                .internalServerError, code: "internal_error",
                "Something went wrong inside the daemon; its log says what.")
        }
    }

    init(_ error: AssistantError) {
        self.init(
            Self.status(of: error), code: error.code.rawValue, error.message, parameter: error.parameter,
            retryAfter: error.retryAfter ?? Self.defaultRetryAfter(error.code))
    }

    private static func status(of error: AssistantError) -> HTTPResponse.Status {
        switch error.code {
        // What never fits is no matter of waiting, and clients repeat what ends with 503.
        case .outOfMemory where error.retryAfter == nil: .unprocessableContent
        case .invalidRequest, .contextLengthExceeded: .badRequest
        case .notFound, .modelNotFound: .notFound
        case .modelUnusable: .unprocessableContent
        case .requestTooLarge: .contentTooLarge
        case .cancelled: HTTPResponse.Status(code: 499, reasonPhrase: "Client Closed Request")
        case .queueFull, .shuttingDown, .outOfMemory, .historyUnavailable: .serviceUnavailable
        case .internalError: .internalServerError
        }
    }

    private static func defaultRetryAfter(_ code: AssistantError.Code) -> Int? {
        switch code {
        case .queueFull: 2
        case .shuttingDown: 1
        case .historyUnavailable: 30
        default: nil
        }
    }
}

extension Response {
    /// A whole response with a JSON body.
    static func json(_ json: JSON, status: HTTPResponse.Status = .ok) -> Response {
        var bytes: [UInt8] = []
        json.write(to: &bytes)
        return .json(ByteBuffer(bytes: bytes), status: status)
    }

    static func json(_ body: ByteBuffer, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json; charset=utf-8"],
            body: .init(byteBuffer: body))
    }
}
