import AssistantAPI

/// What `--json` prints, whatever came of the request.
struct ImagineReport: Encodable, Sendable, Equatable {
    struct Entry: Encodable, Sendable, Equatable {
        /// Where the file was written.
        var path: String
        /// From the beginning of the work on this picture to its end.
        var milliseconds: Double
        var picture: Picture
    }

    struct Failure: Encodable, Sendable, Equatable {
        /// For programs, where the daemon gave one.
        var code: String?
        var message: String
    }

    /// Those that were finished, also when an error ended the work.
    var pictures: [Entry] = []
    var notices: [Notice] = []
    /// `nil` when it did not end by itself.
    var finish: FinishReason?
    var timings: PictureTimings?
    var promptTokens: Int?
    var error: Failure?
}
