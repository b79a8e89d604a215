/// The number at the end of the name of a part: `-00001-of-00003`.
public struct SplitName: Equatable {
    /// What stands before the number.
    public var base: Substring
    /// From 1.
    public var index: Int
    public var count: Int

    /// - Parameter stem: The name without its ending.
    public init?(stem: Substring) {
        let parts = stem.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 4, parts[parts.count - 2] == "of" else { return nil }
        let numbers = [parts[parts.count - 3], parts[parts.count - 1]]
        guard numbers.allSatisfy({ $0.utf8.count == 5 }), let index = Int(numbers[0]),
            let count = Int(numbers[1]), (1...max(1, count)).contains(index)
        else { return nil }
        base = stem.dropLast("-00001-of-00001".count)
        (self.index, self.count) = (index, count)
    }
}

/// The GGUF files of a repository, those in parts put together.
struct GGUFFiles {
    struct File: Equatable {
        /// Without the number of a part and the ending.
        var name: String
        /// With its folder; no two files have the same.
        var path: String
        /// In their order.
        var parts: [HubFile]
    }

    /// Types that the engine reads, as good a compromise of size and quality as there is first.
    private static let types = [
        "Q4_K_M", "Q4_K_S", "Q4_0", "Q4_1", "IQ4_NL", "IQ4_XS", "Q5_K_M", "Q5_K_S", "Q5_0", "Q5_1", "Q6_K",
        "Q8_0", "Q3_K_L", "Q3_K_M", "Q3_K_S", "Q2_K", "F16", "BF16", "F32",
    ]

    /// By path.
    let all: [File]
    private let repository: RepositoryFiles

    init(_ repository: RepositoryFiles) {
        self.repository = repository
        var groups: [String: File] = [:]
        for file in repository.files where file.path.hasSuffix(".gguf") {
            // Projectors of pictures and statistics of calibrations are no models.
            let lowered = file.name.lowercased()
            if lowered.contains("mmproj") || lowered.contains("imatrix") { continue }
            let stem = file.name.dropLast(5)
            let base = SplitName(stem: stem)?.base ?? stem
            let path = (file.folder.isEmpty ? "" : file.folder + "/") + base
            groups[String(path), default: File(name: String(base), path: String(path), parts: [])].parts
                .append(file)
        }
        all = groups.values.map { group in
            var group = group
            group.parts.sort { $0.path < $1.path }
            return group
        }.sorted { $0.path < $1.path }
    }

    /// The file of a type such as `Q4_K_M`.
    func file(ofType type: String) throws(HubError) -> File {
        let found = all.filter { Self.names($0, type) }
        switch found.count {
        case 1: return try whole(found[0])
        case 0:
            throw .noFile(
                "GGUF file of the type \(type)", repository: repository.repository, there: all.map(\.path))
        default:
            throw repository.nothing(
                "it has several of the type \(type); name one of \(found.map(\.path).joined(separator: ", "))"
            )
        }
    }

    /// The one there is, or the one of the best type.
    func preferred() throws(HubError) -> File {
        if all.count == 1 { return try whole(all[0]) }
        for type in Self.types {
            let found = all.filter { Self.names($0, type) }
            if found.count == 1 { return try whole(found[0]) }
        }
        throw repository.nothing(
            "it has several models; name one of \(all.map(\.path).prefix(20).joined(separator: ", "))")
    }

    /// The file that a part belongs to.
    func file(with part: HubFile) throws(HubError) -> File {
        guard let file = all.first(where: { $0.parts.contains(part) }) else {
            throw repository.nothing("\(part.path) is no language model")
        }
        return try whole(file)
    }

    private func whole(_ file: File) throws(HubError) -> File {
        let numbers = file.parts.map { SplitName(stem: $0.name.dropLast(5)) }
        guard let first = numbers.first, let number = first else { return file }
        guard number.count == file.parts.count,
            numbers.enumerated().allSatisfy({ $1?.index == $0 + 1 && $1?.count == number.count })
        else {
            throw repository.nothing(
                "\(file.path) has \(number.count) parts, of which \(file.parts.count) are there")
        }
        return file
    }

    /// Whether a type stands in a file's path as a word of its own.
    private static func names(_ file: File, _ type: String) -> Bool {
        let path = Array(file.path.lowercased().utf8)
        let word = Array(type.lowercased().utf8)
        guard !word.isEmpty, path.count >= word.count else { return false }
        func isLetter(_ index: Int) -> Bool {
            guard path.indices.contains(index) else { return false }
            return switch path[index] {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "_"):
                true
            default: false
            }
        }
        return (0...path.count - word.count).contains { start in
            path[start..<start + word.count].elementsEqual(word) && !isLetter(start - 1)
                && !isLetter(start + word.count)
        }
    }
}
