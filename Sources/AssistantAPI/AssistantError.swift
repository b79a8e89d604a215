/// A request that could not be served, with a sentence that helps.
public struct AssistantError: Error, Codable, Sendable, Equatable, CustomStringConvertible {
    public enum Code: String, Codable, Sendable {
        case invalidRequest = "invalid_request"
        case notFound = "not_found"
        case modelNotFound = "model_not_found"
        /// The file is there but cannot be used.
        case modelUnusable = "model_unusable"
        case contextLengthExceeded = "context_length_exceeded"
        case requestTooLarge = "request_too_large"
        case outOfMemory = "out_of_memory"
        case queueFull = "queue_full"
        case cancelled
        /// The history cannot be read or written (a full disk, say).
        case historyUnavailable = "history_unavailable"
        case shuttingDown = "shutting_down"
        /// A hub wants an account, or a consent.
        case hubRefused = "hub_refused"
        /// A hub is not to be reached, or answers what it should not.
        case hubUnavailable = "hub_unavailable"
        case rateLimited = "rate_limited"
        case diskFull = "disk_full"
        /// A name is taken, or something is being done to it.
        case conflict
        /// A file of our own cannot be written or read.
        case storageFailed = "storage_failed"
        case internalError = "internal_error"
    }

    public var code: Code
    public var message: String
    /// The request's field that is wrong, where one is.
    public var parameter: String?
    /// When to try again, in seconds, where that helps.
    public var retryAfter: Int?

    public init(_ code: Code, _ message: String, parameter: String? = nil, retryAfter: Int? = nil) {
        self.code = code
        self.message = message
        self.parameter = parameter
        self.retryAfter = retryAfter
    }

    public var description: String { message }
}
