import StrictJSON

/// Keeps the fuzzer's input for the header's lifetime.
private final class Input: Sendable {}

/// libFuzzer's entry: the first byte chooses the parser, the rest is the file.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzCheckpoints(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count > 1 else { return 0 }
    let file = UnsafeRawBufferPointer(start: start + 1, count: count - 1)
    switch start[0] % 3 {
    case 0: fuzzGGUF(file)
    case 1: fuzzSafetensors(file)
    default: sink += (try? JSONValue(parsing: file, limits: JSONLimits())) == nil ? 0 : 1
    }
    return 0
}

/// Where results go, so that the optimiser cannot drop the work.
nonisolated(unsafe) private var sink = 0

private func fuzzGGUF(_ file: UnsafeRawBufferPointer) {
    guard let header = try? GGUFHeader(file, file: "fuzz", owner: Input()) else { return }
    for key in header.metadata.keys {
        sink &+= header.metadata[key] == nil ? 0 : 1
        sink &+= header.metadata.strings(key)?.count ?? 0
        sink &+= header.metadata.ints(key)?.count ?? 0
        sink &+= header.metadata.floats(key)?.count ?? 0
    }
    touch(header.records, file)
}

private func fuzzSafetensors(_ file: UnsafeRawBufferPointer) {
    guard let header = try? SafetensorsHeader(file, file: "fuzz") else { return }
    touch(header.records, file)
}

private func touch(_ records: [TensorRecord], _ file: UnsafeRawBufferPointer) {
    for record in records {
        for byte in file[record.range] { sink &+= Int(byte) }
    }
}
