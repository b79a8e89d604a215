public import AssistantAPI

/// What a response of OpenAI's API is made of.
public struct ResponseRequest: Sendable, Equatable {
    /// The chat, with the functions that may be called: `ImagineTool.tool` among them where `picture` is there.
    public var completion: CompletionRequest
    /// How a picture is painted that the model calls for, but for its prompt; `nil` where it calls for none.
    public var picture: PictureRequest?

    public init(completion: CompletionRequest, picture: PictureRequest? = nil) {
        self.completion = completion
        self.picture = picture
    }
}

/// What happens while a response is made: the completion to its end, then the pictures, one after the other.
public enum ResponseEvent: Sendable, Equatable {
    case completion(CompletionEvent)
    /// Before the first piece of a call that asks for a picture: its place among the calls, and the id that the picture
    /// will have.
    case pictureCalled(call: Int, id: Picture.ID)
    /// Of the picture that a call asked for.
    case picture(call: Int, PictureEvent)
}
