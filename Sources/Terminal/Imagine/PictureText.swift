import AssistantAPI

/// Pictures as text for people.
public enum PictureText {
    /// Size, bytes, seed and time, such as "512×512  412 kB  seed 42  12.3 s".
    static func facts(_ picture: Picture, time: Duration) -> String {
        "\(picture.width)×\(picture.height)  \(ConversationText.size(picture.bytes))  "
            + "seed \(picture.recipe.seed)  \(TimeText.precise(time))"
    }
}
