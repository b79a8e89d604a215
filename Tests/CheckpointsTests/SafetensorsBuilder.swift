/// Writes a safetensors file from its header's text, including files that no honest writer makes.
struct SafetensorsBuilder {
    var header: String
    var data: [UInt8]
    /// What the file says about the header's length; nil for the true one.
    var announcedLength: UInt64?

    init(_ header: String, data: [UInt8] = [], announcedLength: UInt64? = nil) {
        self.header = header
        self.data = data
        self.announcedLength = announcedLength
    }

    func bytes() -> [UInt8] {
        littleEndian(announcedLength ?? UInt64(header.utf8.count)) + Array(header.utf8) + data
    }

    /// One entry of the header.
    static func entry(_ name: String, _ type: String, _ shape: [Int], _ begin: Int, _ end: Int) -> String {
        let shape = shape.map(String.init).joined(separator: ",")
        return "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":[\(shape)],\"data_offsets\":[\(begin),\(end)]}"
    }

    /// A small valid file with metadata and a tensor of each type that is read.
    static func small() -> SafetensorsBuilder {
        let entries = [
            "\"__metadata__\":{\"format\":\"pt\"}",
            entry("norm.weight", "F32", [2], 0, 8),
            entry("a.weight", "F16", [2, 3], 8, 20),
            entry("b.weight", "BF16", [1, 2], 20, 24),
        ]
        let data: [UInt8] =
            [1.5, -2].flatMap { littleEndian(Float($0).bitPattern) } + (0..<16).map { UInt8($0) }
        return SafetensorsBuilder("{" + entries.joined(separator: ",") + "}", data: data)
    }
}
