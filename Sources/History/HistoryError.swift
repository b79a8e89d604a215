public import AssistantAPI

/// Why the history refused something, with what to do about it.
public enum HistoryError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The file was written by a newer version; it was left as it is.
    case newerSchema(path: String, found: Int, supported: Int)
    /// The file is no history of ours; it was left as it is.
    case foreignFile(path: String, finding: String)
    /// The file is ours and damaged; it was left as it is.
    case damaged(path: String, finding: String)
    /// Another daemon has the file open.
    case inUse(path: String)
    case unsafeDirectory(path: String, finding: String)
    case cannotOpen(path: String, finding: String)
    /// Nothing of the change was kept.
    case notSaved(finding: String)
    case unreadable(finding: String)
    case conversationNotFound(String)
    case messageNotFound(String)
    case pictureNotFound(String)
    /// The picture's row is there and its file is not, or cannot be read.
    case pictureUnreadable(String, finding: String)
    /// Neither the picture's row nor its file was kept.
    case pictureNotSaved(finding: String)
    /// Nothing of the response was kept.
    case responseNotSaved(finding: String)
    case messageExists(String)
    /// Ids are letters, digits, "-" and "_", at most 64 of them.
    case malformedID(String)
    /// The message that another one is to follow belongs to another conversation.
    case foreignParent(message: String, conversation: String)
    /// Only an answer that is still being written can be finished.
    case alreadyFinished(String)
    case conversationDeleted(String)
    case malformedCursor(String)

    public var description: String {
        switch self {
        case .newerSchema(let path, let found, let supported):
            "the history \(path) has version \(found) and this Inkling knows versions up to \(supported); "
                + "update Inkling, or name another file in history.path"
        case .foreignFile(let path, let finding):
            "\(path) is not a history of Inkling (\(finding)); name another file in history.path, "
                + "or move it aside and start anew with --start-fresh"
        case .damaged(let path, let finding):
            "the history \(path) is damaged (\(finding)); it was left as it is. Restore a copy, "
                + "or move it aside and start anew with --start-fresh"
        case .inUse(let path):
            "the history \(path) is in use by another daemon; end that one first"
        case .unsafeDirectory(let path, let finding):
            "the directory \(path) cannot hold the history: \(finding)"
        case .cannotOpen(let path, let finding):
            "cannot open the history \(path): \(finding)"
        case .notSaved(let finding):
            "the message was not saved: \(finding)"
        case .unreadable(let finding):
            "the history cannot be read: \(finding)"
        case .conversationNotFound(let id):
            "there is no conversation \(id)"
        case .messageNotFound(let id):
            "there is no message \(id)"
        case .pictureNotFound(let id):
            "there is no picture \(id)"
        case .pictureUnreadable(let id, let finding):
            "the file of picture \(id) cannot be read: \(finding)"
        case .pictureNotSaved(let finding):
            "the picture was not saved: \(finding)"
        case .responseNotSaved(let finding):
            "the response was not saved: \(finding)"
        case .messageExists(let id):
            "there is already a message \(id)"
        case .malformedID(let id):
            "\"\(id.prefix(80))\" cannot be the id of a message"
        case .foreignParent(let message, let conversation):
            "message \(message) is not part of conversation \(conversation)"
        case .alreadyFinished(let id):
            "message \(id) is no unfinished answer"
        case .conversationDeleted(let id):
            "conversation \(id) is deleted; restore it first"
        case .malformedCursor(let cursor):
            "\(cursor) is no place in the list of conversations"
        }
    }
}

extension AssistantError {
    /// The same error in the words of the API.
    public init(_ error: HistoryError) {
        let code: Code =
            switch error {
            case .conversationNotFound, .messageNotFound, .pictureNotFound: .notFound
            case .messageExists, .malformedID, .foreignParent, .alreadyFinished, .conversationDeleted,
                .malformedCursor:
                .invalidRequest
            default: .historyUnavailable
            }
        self.init(code, error.description)
    }
}
