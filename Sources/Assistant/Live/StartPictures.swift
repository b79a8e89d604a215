import AssistantAPI
import Digest
import FoundationEssentials
import ImageCodecs

/// A picture to start from, which is read once, however often something is painted from it.
struct StartPicture: Sendable, Equatable {
    let file: Data
    let bitmap: Bitmap
    /// SHA-256 of the file, in hexadecimal.
    let hash: String

    /// - Throws: `invalidRequest` naming the field for a file that cannot be read.
    init(_ file: Data) throws(AssistantError) {
        self.file = file
        bitmap = try PicturePlan.bitmap(file, "init_image")
        hash = SHA256.hexadecimal(of: file)
    }

    /// The picture of a setting; an empty file is none.
    ///
    /// - Throws: As `init`.
    static func read(_ file: Data?) throws(AssistantError) -> StartPicture? {
        guard let file, !file.isEmpty else { return nil }
        return try StartPicture(file)
    }
}

/// The pictures that a canvas's frames started from, so that earlier ones can be rendered again.
struct StartPictures: Sendable {
    /// How many are kept.
    static let limit = 4

    /// The one that new frames start from.
    private(set) var current: StartPicture?
    /// The newest last.
    private var files: [(hash: String, data: Data)] = []

    init(_ picture: StartPicture?) { begin(with: picture) }

    /// Lets new frames start from a picture; from none, where that is `nil`.
    mutating func begin(with picture: StartPicture?) {
        current = picture
        guard let picture else { return }
        files.removeAll { $0.hash == picture.hash }
        files.append((picture.hash, picture.file))
        if files.count > Self.limit { files.removeFirst() }
    }

    func file(_ hash: String) -> Data? { files.first { $0.hash == hash }?.data }

    /// What files and the read picture take.
    var byteCount: Int { files.reduce(current?.bitmap.samples.count ?? 0) { $0 + $1.data.count } }
}
