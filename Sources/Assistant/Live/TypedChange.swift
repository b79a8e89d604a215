/// What was typed between two texts.
struct TypedChange {
    /// Whether it ended a word: a space or a punctuation mark, or several characters at once, as when something is pasted.
    let endsWord: Bool

    /// The place of the change is found by what both texts begin with; a person may type in the middle.
    init(from old: String, to new: String) {
        let (before, after) = (old.unicodeScalars, new.unicodeScalars)
        let added = after.count - before.count
        // What was deleted leaves a half word more often than a whole one.
        guard added > 0 else {
            endsWord = false
            return
        }
        guard added < 3 else {
            endsWord = true
            return
        }
        var (place, other) = (after.startIndex, before.startIndex)
        while place < after.endIndex, other < before.endIndex, after[place] == before[other] {
            place = after.index(after: place)
            other = before.index(after: other)
        }
        let last = after[after.index(place, offsetBy: added - 1, limitedBy: after.endIndex) ?? place]
        endsWord = !last.properties.isAlphabetic && last.properties.numericType == nil
    }
}
