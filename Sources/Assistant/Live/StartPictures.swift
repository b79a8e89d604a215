import Digest
import FoundationEssentials

/// The pictures that a canvas's frames started from, so that earlier ones can be rendered again.
struct StartPictures: Sendable {
    /// How many are kept.
    static let limit = 4

    /// SHA-256 of the one that new frames start from, in hexadecimal.
    private(set) var current: String?
    /// The newest last.
    private var files: [(hash: String, data: Data)] = []

    init(_ picture: Data?) {
        if let picture { begin(with: picture) }
    }

    /// Lets new frames start from a picture's file; from none, where that is empty.
    mutating func begin(with picture: Data) {
        guard !picture.isEmpty else {
            current = nil
            return
        }
        let hash = SHA256.hexadecimal(of: picture)
        files.removeAll { $0.hash == hash }
        files.append((hash, picture))
        if files.count > Self.limit { files.removeFirst() }
        current = hash
    }

    func file(_ hash: String) -> Data? { files.first { $0.hash == hash }?.data }
}
