import AssistantAPI

/// The names of picture files.
enum PictureName {
    /// Longest name that is made from a prompt, in bytes: a file's name may have 255.
    static let promptLimit = 60

    /// A name from what was asked for and the seed, such as "a-fox-reading-42.png"; from `attempt` 2 on with a number.
    static func automatic(prompt: String, seed: UInt64, format: PictureFormat, attempt: Int = 1) -> String {
        let words = words(of: prompt)
        let number = attempt > 1 ? "-\(attempt)" : ""
        return "\(words.isEmpty ? "picture" : words)-\(seed)\(number).\(format.rawValue)"
    }

    /// Where a picture goes in a folder: under its automatic name.
    static func automatic(for picture: Picture, in folder: String, attempt: Int = 1) -> String {
        let recipe = picture.recipe
        let name = automatic(
            prompt: recipe.prompt, seed: recipe.seed, format: picture.format, attempt: attempt)
        return folder == "." ? name : folder.hasSuffix("/") ? folder + name : folder + "/" + name
    }

    /// The path for one of several pictures: "fox.png" becomes "fox-2.png", or "fox-02.png" among ten or more.
    static func numbered(_ path: String, index: Int, count: Int) -> String {
        guard count > 1 else { return path }
        let number = String(index + 1)
        let width = String(count).count
        let padded = String(repeating: "0", count: max(0, width - number.count)) + number
        let (stem, ending) = split(path)
        return "\(stem)-\(padded)\(ending)"
    }

    /// The format that a path's ending names; `nil` where it has none.
    ///
    /// - Throws: `ClientError.usage` for the ending of something else.
    static func format(of path: String) throws(ClientError) -> PictureFormat? {
        let ending = split(path).ending.dropFirst().lowercased()
        if ending.isEmpty { return nil }
        guard let format = PictureFormat(rawValue: ending) else {
            throw .usage(
                "\(TextSanitizer.line(path)) ends in .\(TextSanitizer.line(ending)); pictures are written as "
                    + ".png or .webp")
        }
        return format
    }

    /// What is before and from the last dot of a path's last component on.
    private static func split(_ path: String) -> (stem: String, ending: String) {
        let name = path.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return (path, "") }
        return (String(path[..<dot]), String(path[dot...]))
    }

    /// The letters and digits of a prompt, in lower case, with a hyphen for each run of anything else.
    private static func words(of prompt: String) -> String {
        var words: [Substring] = []
        var length = 0
        for word in prompt.lowercased().split(whereSeparator: { !($0.isLetter || $0.isNumber) }) {
            let added = word.utf8.count + (words.isEmpty ? 0 : 1)
            guard length + added <= promptLimit else {
                if words.isEmpty { words.append(beginning(of: word)) }
                break
            }
            words.append(word)
            length += added
        }
        return words.joined(separator: "-")
    }

    /// The beginning of one long word, or of a text in a script without spaces.
    private static func beginning(of word: Substring) -> Substring {
        var end = word.startIndex
        while end < word.endIndex {
            let next = word.index(after: end)
            guard word[..<next].utf8.count <= promptLimit else { break }
            end = next
        }
        return word[..<end]
    }
}
