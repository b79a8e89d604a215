import Tensors

extension FileMapping: ReloadableStorage {
    func releasePages(of part: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, let start = part.baseAddress else { return }
        let offset = start - base
        release(offset..<offset + part.count)
    }
}
