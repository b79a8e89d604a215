extension PictureMetadata {
    private static let xmpKeyword = "XML:com.adobe.xmp"

    /// Text chunks, as they stand before the picture's data.
    var pngChunks: [MetadataChunk] {
        var chunks: [MetadataChunk] = []
        if let parameters { chunks.append(Self.text("parameters", parameters)) }
        chunks.append(Self.text("Software", software))
        chunks.append(Self.internationalText(Self.xmpKeyword, xmp))
        return chunks
    }

    /// A tEXt chunk where the text is Latin-1, else an iTXt chunk.
    private static func text(_ keyword: String, _ text: String) -> MetadataChunk {
        // A zero ends a text in both; control characters other than line feeds are not for tEXt.
        let text = text.replacingZeros()
        let isLatin = text.unicodeScalars.allSatisfy {
            $0 == "\n" || (0x20...0x7E).contains($0.value) || (0xA0...0xFF).contains($0.value)
        }
        guard isLatin else { return internationalText(keyword, text) }
        let latin = text.unicodeScalars.map { UInt8($0.value) }
        return MetadataChunk(name: "tEXt", contents: Array(keyword.utf8) + [0] + latin)
    }

    /// An iTXt chunk: UTF-8, not compressed, without a language or translated keyword.
    private static func internationalText(_ keyword: String, _ text: String) -> MetadataChunk {
        MetadataChunk(
            name: "iTXt", contents: Array(keyword.utf8) + [0, 0, 0, 0, 0] + Array(text.replacingZeros().utf8))
    }

    /// What the text chunks of a PNG say; compressed ones are left out.
    static func pngTexts(
        _ file: [UInt8], _ limits: DecodingLimits
    ) throws(ImageCodecError) -> [String: String] {
        var texts: [String: String] = [:]
        for (name, contents) in try PNGStructure(file, limits).texts where name != "zTXt" {
            let bytes = file[contents]
            guard let end = bytes.firstIndex(of: 0) else { continue }
            let keyword = String(decoding: bytes[..<end], as: UTF8.self)
            var rest = bytes[(end + 1)...]
            if name == "tEXt" {
                let scalars = rest.map { Character(Unicode.Scalar($0)) }
                texts[keyword] = texts[keyword] ?? String(scalars)
                continue
            }
            // A flag and a method of compression, then a language and a translated keyword, each up to a zero.
            guard rest.first == 0 else { continue }
            rest = rest.dropFirst(2)
            for _ in 0..<2 { rest = rest.drop { $0 != 0 }.dropFirst() }
            texts[keyword] = texts[keyword] ?? String(decoding: rest, as: UTF8.self)
        }
        return texts
    }
}

extension String {
    fileprivate func replacingZeros() -> String {
        String(String.UnicodeScalarView(unicodeScalars.map { $0 == "\0" ? "\u{FFFD}" : $0 }))
    }
}
