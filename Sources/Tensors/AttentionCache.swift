import CKernels
import Glibc

/// Keys and values of one layer, addressed by position.
///
/// The memory for `capacity` positions is reserved at once and taken from the system only where it is written;
/// `discardRows(from:)` gives it back.
public final class AttentionCache: @unchecked Sendable {
    /// How keys and values are kept.
    public enum Precision: Sendable {
        /// 16-bit floats.
        case f16
        /// 8-bit integers with an f16 scale for every 32: about half the memory of f16.
        case q80
    }

    /// The number of positions that fit.
    public let capacity: Int
    /// The number of key/value heads.
    public let kvHeadCount: Int
    /// Elements of one head's key or value.
    public let headDim: Int
    /// How keys and values are kept.
    public let precision: Precision

    /// Elements of a head as stored: filled up with zeros.
    let paddedDim: Int
    private let planeBytes: Int
    private let blockBytes: Int
    private let region: UnsafeMutableRawPointer

    /// Reserves room for `capacity` positions of `kvHeadCount` heads of `headDim` elements.
    public init(capacity: Int, kvHeadCount: Int, headDim: Int, precision: Precision) {
        precondition(capacity > 0 && kvHeadCount > 0 && headDim > 0, "an attention cache has positive sizes")
        let padding = precision == .f16 ? 16 : 32
        let paddedDim = (headDim + padding - 1) / padding * padding
        precondition(paddedDim <= CK_MAX_HEAD_DIM, "head dimension too large")
        self.capacity = capacity
        self.kvHeadCount = kvHeadCount
        self.headDim = headDim
        self.precision = precision
        self.paddedDim = paddedDim
        blockBytes = Self.blockBytes(paddedDim: paddedDim, precision: precision)
        let blocks = (capacity + Self.blockLength - 1) / Self.blockLength
        planeBytes = (blocks * blockBytes + Self.pageBytes - 1) / Self.pageBytes * Self.pageBytes
        let bytes = 2 * kvHeadCount * planeBytes
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        guard let region = mmap(nil, bytes, PROT_READ | PROT_WRITE, flags, -1, 0), region != MAP_FAILED else {
            preconditionFailure("no address space for \(bytes) bytes of attention cache")
        }
        self.region = region
    }

    deinit { munmap(region, 2 * kvHeadCount * planeBytes) }

    /// Bytes that `rows` positions take, to the block of 16.
    public func bytesInUse(rows: Int) -> Int {
        2 * kvHeadCount * ((rows + Self.blockLength - 1) / Self.blockLength) * blockBytes
    }

    /// Bytes that one position of one layer takes with these sizes.
    public static func bytesPerPosition(kvHeadCount: Int, headDim: Int, precision: Precision) -> Int {
        let padding = precision == .f16 ? 16 : 32
        let paddedDim = (headDim + padding - 1) / padding * padding
        return 2 * kvHeadCount * blockBytes(paddedDim: paddedDim, precision: precision) / blockLength
    }

    /// Takes over the first `count` positions of a cache with the same sizes.
    public func copyRows(from other: AttentionCache, count: Int) {
        precondition(
            other.kvHeadCount == kvHeadCount && other.headDim == headDim && other.precision == precision
                && count <= min(capacity, other.capacity), "caches of different sizes")
        let bytes = (count + Self.blockLength - 1) / Self.blockLength * blockBytes
        for plane in 0..<2 * kvHeadCount {
            memcpy(region + plane * planeBytes, other.region + plane * other.planeBytes, bytes)
        }
    }

    /// Forgets the positions from `row` on and gives their memory back to the system, to the page.
    public func discardRows(from row: Int) {
        let used = (max(row, 0) + Self.blockLength - 1) / Self.blockLength * blockBytes
        let kept = (used + Self.pageBytes - 1) / Self.pageBytes * Self.pageBytes
        guard kept < planeBytes else { return }
        for plane in 0..<2 * kvHeadCount {
            madvise(region + plane * planeBytes + kept, planeBytes - kept, MADV_DONTNEED)
        }
    }

    /// The cache as the kernels see it, valid as long as this object lives.
    var kernelView: ck_cache {
        let bytes = region.assumingMemoryBound(to: UInt8.self)
        return ck_cache(
            keys: bytes, values: bytes + kvHeadCount * planeBytes, plane_bytes: Int64(planeBytes),
            head_count: Int32(kvHeadCount), head_dim: Int32(headDim), padded_dim: Int32(paddedDim),
            type: precision == .f16 ? CK_CACHE_F16 : CK_CACHE_Q8_0)
    }

    static let blockLength = Int(CK_CACHE_BLOCK)
    private static let pageBytes = 4096

    private static func blockBytes(paddedDim: Int, precision: Precision) -> Int {
        precision == .f16 ? 2 * blockLength * paddedDim : blockLength * paddedDim + paddedDim
    }
}
