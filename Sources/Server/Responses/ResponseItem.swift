import AssistantAPI
import FoundationEssentials

/// A part of a response's output: a message, a call of a function, or a picture.
struct ResponseItem: Sendable {
    enum Kind: Sendable, Equatable {
        case message
        /// What is called, and the id by which its result comes back.
        case call(name: String, id: String)
        /// Painted with this `quality`, as it was asked for.
        case picture(quality: String)
    }

    enum Status: String, Sendable {
        case inProgress = "in_progress"
        case completed, incomplete, generating, failed
    }

    let kind: Kind
    let id: String
    var status = Status.inProgress
    /// The message's text, or the call's arguments, so far.
    var text = ""
    /// What the picture is to show.
    var prompt: String?
    var picture: PictureEvent.Finished?
    var timings: PictureTimings?

    init(_ kind: Kind, id: String) {
        self.kind = kind
        self.id = id
    }

    static let picturePrefix = "ig"

    /// The id of a picture's item.
    static func id(ofPicture id: Picture.ID) -> String { "\(picturePrefix)_\(id)" }

    /// The picture of an item; `nil` where it has another's id.
    static func picture(ofItem id: String) -> Picture.ID? {
        id.hasPrefix(picturePrefix + "_") ? String(id.dropFirst(picturePrefix.count + 1)) : nil
    }

    /// The item as OpenAI's clients read it; without its picture's file where that is kept elsewhere.
    func json(withFile: Bool = true) -> JSON {
        var members: [(String, JSON)] = [("id", .string(id)), ("status", .string(status.rawValue))]
        switch kind {
        case .message:
            members.append(("type", "message"))
            members.append(("role", "assistant"))
            // A part is told of by an event of its own.
            members.append(("content", status == .inProgress ? [] : [Self.part(text)]))
        case .call(let name, let id):
            members.append(("type", "function_call"))
            members.append(("call_id", .string(id)))
            members.append(("name", .string(name)))
            members.append(("arguments", .string(status == .inProgress ? "" : text)))
        case .picture(let quality):
            let file = withFile ? picture?.data.base64EncodedString() : nil
            members.append(("type", "image_generation_call"))
            members.append(("result", JSON(file)))
            members.append(("revised_prompt", JSON(prompt)))
            members.append(("action", "generate"))
            members += Self.look(quality) + pictureMembers
        }
        return JSON(members)
    }

    /// Text as a part of a message.
    static func part(_ text: String) -> JSON {
        ["type": "output_text", "text": .string(text), "annotations": [], "logprobs": []]
    }

    /// What clients read back of how they wanted a picture.
    static func look(_ quality: String) -> [(String, JSON)] {
        [("quality", .string(quality)), ("background", "opaque")]
    }

    private var pictureMembers: [(String, JSON)] {
        guard let picture = picture?.picture else { return [] }
        var members: [(String, JSON)] = [
            ("size", .string("\(picture.width)x\(picture.height)")),
            ("output_format", .string(picture.format.rawValue)),
            ("seed", .number(JSONNumber(picture.recipe.seed))),
        ]
        if let timings { members.append(("timings", AnswerFrame.timings(timings))) }
        return members
    }
}
