/// The tokens that end an answer, recognised by their text as llama.cpp does.
///
/// A file names one end only (`eos`), while chat models end a turn with another.
enum EndOfGeneration {
    static let names: Set<String> = [
        "<|eot_id|>", "<|eom_id|>", "<|end_of_text|>", "<|im_end|>", "<|endoftext|>", "<|end|>", "</s>",
        "<end_of_turn>", "<eos>", "<EOT>", "[EOT]", "[EOS]", "<end_of_utterance>",
    ]

    static func ids(of vocabulary: Vocabulary) -> Set<Int32> {
        var ids = Set([vocabulary.options.eos, vocabulary.options.eot].compactMap(\.self))
        for id in 0..<vocabulary.count where [.control, .unknown].contains(vocabulary.types[id]) {
            if names.contains(vocabulary.tokens.text(id)) { ids.insert(Int32(id)) }
        }
        return ids
    }
}
