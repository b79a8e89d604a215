import AssistantAPI

/// What `POST /v1/images/…` makes.
enum ImageOperation: String, Sendable, CaseIterable {
    /// A picture of a prompt.
    case generation
    /// A picture painted anew, by a prompt, where a mask says so or everywhere.
    case edit
    /// A picture like another.
    case variation

    var path: String { "/v1/images/\(rawValue)s" }
    /// What its events are called.
    var eventName: String { "image_\(rawValue)" }

    /// How much of a picture its variation has anew, where nobody says: what is where stays, details change.
    static let variationStrength = 0.5

    /// Sets the picture that is started from.
    ///
    /// - Throws: `Failure` 400 that names the field.
    func readStart(_ fields: Fields, into request: inout PictureRequest) throws(Failure) {
        guard self != .generation else { return }
        guard let image = try fields.onlyPicture("image") else {
            throw fields.missing("image", "a PNG or WebP file")
        }
        request.initImage = image
        switch self {
        case .generation: break
        case .edit: request.maskChannel = request.maskChannel ?? .alpha
        case .variation: request.strength = request.strength ?? Self.variationStrength
        }
    }

    /// An error of the native API's with the names that this one has for its fields.
    func renamed(_ error: any Error) -> any Error {
        guard var error = error as? AssistantError else { return error }
        var names = ["width": "size", "height": "size", "count": "n", "format": "output_format"]
        if self != .generation {
            names["init_image"] = "image"
            if error.parameter == "init_image" {
                error.message = error.message.replacing("init_image", with: "image", maxReplacements: 1)
            }
        }
        error.parameter = error.parameter.map { names[$0] ?? $0 }
        return error
    }
}
