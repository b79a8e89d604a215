/// libFuzzer's entry: the input is a PNG or WebP file.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzPictures(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start else { return 0 }
    let file = Array(UnsafeBufferPointer(start: start, count: count))
    var limits = DecodingLimits()
    limits.pixels = 1 << 20
    if let picture = try? Bitmap(decoding: file, limits: limits) {
        precondition(picture.samples.count == picture.width * picture.height * picture.channels)
        // AddressSanitizer sees a sample that was never written only where something depends on it.
        sink = sink &+ picture.samples.reduce(0) { $0 &+ Int($1) }
    }
    if let metadata = try? PictureMetadata(reading: file) { sink = sink &+ metadata.software.count }
    return 0
}

/// Where results go, so that the optimiser cannot drop the work.
nonisolated(unsafe) private var sink = 0
