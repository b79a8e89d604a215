import CKernels
import Glibc

/// Memory of weights whose pages can be had again from their file.
public protocol ReloadableStorage: AnyObject, Sendable {
    /// Gives the pages that lie within `bytes` back to the system; a later read brings them back unchanged.
    func releasePages(of bytes: UnsafeRawBufferPointer)
}

extension Operations {
    /// A copy of `weight` in the order that the kernels read fastest, or `weight` itself where there is none.
    ///
    /// The copy takes as much memory as the original, in huge pages, and about a third of a second for a gigabyte; the
    /// pages of the original are released when its owner is a `ReloadableStorage`. Results differ from those of the
    /// original only by the order of f32 sums.
    public func packed(_ weight: WeightTensor) -> WeightTensor {
        guard kernels.pointee.multiplies_packed, weight.type.blockLength > 1 else { return weight }
        return interleaved(weight)
    }

    /// A copy of `weight` whose rows are interleaved, or `weight` itself where its type has no such form.
    func interleaved(_ weight: WeightTensor) -> WeightTensor {
        let matrix = weight.matrix
        let byteCount = Int(ck_packed_bytes(matrix.type, matrix.rows, matrix.columns))
        guard byteCount > 0, !weight.isPacked, let memory = HugePages(byteCount: byteCount) else {
            return weight
        }
        let panelRows = Int(CK_PANEL_ROWS)
        let panels = (weight.rows + panelRows - 1) / panelRows
        let panelsPerPart = max(1, (1 << 20) / max(byteCount / panels, 1))
        let rowBytes = weight.bytes.count / weight.rows
        let source = weight.owner as? any ReloadableStorage
        pool.run(parts: (panels + panelsPerPart - 1) / panelsPerPart) { part in
            let first = part * panelsPerPart
            let last = min(first + panelsPerPart, panels)
            withUnsafePointer(to: matrix) {
                ck_pack($0, Int64(first), Int64(last - first), memory.base)
            }
            // At once, or a large tensor would be in memory twice.
            let rows = first * panelRows..<min(last * panelRows, weight.rows)
            source?.releasePages(
                of: UnsafeRawBufferPointer(
                    rebasing: weight.bytes[rows.lowerBound * rowBytes..<rows.upperBound * rowBytes]))
        }
        source?.releasePages(of: weight.bytes)
        return WeightTensor(
            type: weight.type, shape: weight.shape,
            bytes: UnsafeRawBufferPointer(start: memory.base, count: byteCount), isPacked: true, owner: memory
        )
    }
}

extension WeightTensor {
    /// One row as it is in the file, for packed weights.
    func unpackedRow(_ row: Int) -> [UInt8] {
        let count = type.byteCount(of: columns) ?? 0
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            if let target = buffer.baseAddress {
                withUnsafePointer(to: matrix) { ck_unpack_row($0, Int64(row), target) }
            }
            initialized = count
        }
    }
}

/// Anonymous memory that asks the system for pages of 2 MiB: they cost far fewer address translations when streamed.
final class HugePages: Sendable {
    nonisolated(unsafe) let base: UnsafeMutableRawPointer
    nonisolated(unsafe) private let region: UnsafeMutableRawPointer
    private let regionBytes: Int
    static let pageBytes = 1 << 21

    /// Nil when the system has no room.
    init?(byteCount: Int) {
        regionBytes = byteCount + Self.pageBytes
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        guard let region = mmap(nil, regionBytes, PROT_READ | PROT_WRITE, flags, -1, 0), region != MAP_FAILED
        else {
            return nil
        }
        self.region = region
        let address = (UInt(bitPattern: region) + UInt(Self.pageBytes) - 1) & ~UInt(Self.pageBytes - 1)
        base = region + Int(address - UInt(bitPattern: region))
        Self.ask(for: base, byteCount: byteCount)
    }

    /// Asks for huge pages for the whole ones of the memory at `base`, which begins with one.
    static func ask(for base: UnsafeMutableRawPointer, byteCount: Int) {
        madvise(base, byteCount / pageBytes * pageBytes, MADV_HUGEPAGE)
    }

    deinit { munmap(region, regionBytes) }
}
