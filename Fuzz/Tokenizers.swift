import StrictJSON

/// What libFuzzer calls: a selector byte, then a file of a tokenizer, or a text.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ pointer: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 0 else { return 0 }
    let bytes = [UInt8](UnsafeBufferPointer(start: pointer + 1, count: count - 1))
    switch pointer[0] % 6 {
    case 0: use(try? CLIPVocabulary(vocabulary: bytes, merges: merges, settings: CLIPSettingsFiles()))
    case 1: use(try? CLIPVocabulary(vocabulary: vocabulary, merges: bytes, settings: CLIPSettingsFiles()))
    case 2:
        let settings = CLIPSettingsFiles(configuration: bytes, specialTokens: bytes, addedTokens: bytes)
        use(try? CLIPVocabulary(vocabulary: vocabulary, merges: merges, settings: settings))
    case 3: use(try? CLIPVocabulary(tokenizerJSON: bytes, settings: CLIPSettingsFiles()))
    case 4: sink &+= encode(String(decoding: bytes, as: UTF8.self), known)
    default:
        guard let vocabulary = try? Vocabulary(tokenizerJSON: bytes, config: bytes),
            let tokenizer = try? Tokenizer(vocabulary)
        else { return 0 }
        sink &+= tokenizer.encode("a b").count
    }
    return 0
}

private let vocabulary = Array(
    #"{"a":0,"b":1,"a</w>":2,"b</w>":3,"ab</w>":4,"!":5,"<|startoftext|>":6,"<|endoftext|>":7}"#.utf8)
private let merges = Array("#version: 0.2\na b</w>\n".utf8)
private let known = try? CLIPVocabulary(
    vocabulary: vocabulary, merges: merges, settings: CLIPSettingsFiles())

/// What was computed, so that the optimiser keeps it.
nonisolated(unsafe) private var sink = 0

private func use(_ vocabulary: CLIPVocabulary?) {
    sink &+= encode("a B! é <|endoftext|>", vocabulary)
}

/// Encodes, and checks what holds for every text.
private func encode(_ text: String, _ vocabulary: CLIPVocabulary?) -> Int {
    guard let vocabulary else { return 0 }
    let tokenizer = CLIPTokenizer(vocabulary)
    let encoding = tokenizer.encode(text)
    precondition(encoding.tokens.count == tokenizer.contextLength && encoding.tokens.first == tokenizer.bos)
    precondition(encoding.tokens.allSatisfy { (0..<tokenizer.vocabularySize).contains(Int($0)) })
    return encoding.length
}
