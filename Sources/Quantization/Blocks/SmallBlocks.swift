/// The types with blocks of 32 numbers and one scale: Q4_0, Q5_0 and Q8_0.
enum SmallBlocks {
    private static let length = 32

    /// A half d, then 16 bytes: number i in the low four bits of byte i, number i + 16 in the high ones; 8 is zero.
    static func encodeQ40(_ x: UnsafePointer<Float>, _ target: UnsafeMutableRawPointer) -> Bool {
        let (fits, inverse) = storeScale(of: x, lowest: -8, target)
        for index in 0..<length / 2 {
            let low = quant(x[index] * inverse, zero: 8.5, highest: 15)
            let high = quant(x[index + length / 2] * inverse, zero: 8.5, highest: 15)
            target.storeBytes(of: low | high << 4, toByteOffset: 2 + index, as: UInt8.self)
        }
        return fits
    }

    /// A half d, the fifth bits of all 32 numbers, then the low four bits as Q4_0 has them; 16 is zero.
    static func encodeQ50(_ x: UnsafePointer<Float>, _ target: UnsafeMutableRawPointer) -> Bool {
        let (fits, inverse) = storeScale(of: x, lowest: -16, target)
        var fifth: UInt32 = 0
        for index in 0..<length / 2 {
            let low = quant(x[index] * inverse, zero: 16.5, highest: 31)
            let high = quant(x[index + length / 2] * inverse, zero: 16.5, highest: 31)
            fifth |= UInt32(low >> 4) << UInt32(index) | UInt32(high >> 4) << UInt32(index + length / 2)
            target.storeBytes(of: low & 15 | high << 4, toByteOffset: 6 + index, as: UInt8.self)
        }
        target.storeBytes(of: fifth.littleEndian, toByteOffset: 2, as: UInt32.self)
        return fits
    }

    /// A half d, then a signed byte for each number.
    static func encodeQ80(_ x: UnsafePointer<Float>, _ target: UnsafeMutableRawPointer) -> Bool {
        var largest: Float = 0
        for index in 0..<length { largest = max(largest, abs(x[index])) }
        let scale = largest / 127
        let inverse = scale == 0 ? 0 : 1 / scale
        for index in 0..<length {
            let value = (x[index] * inverse).rounded(.toNearestOrAwayFromZero)
            // Where the inverse of a tiny scale is infinite, the numbers are nothing beside what a half can tell.
            let quant = value.magnitude <= 127 ? Int8(value) : 0
            target.storeBytes(of: quant, toByteOffset: 2 + index, as: Int8.self)
        }
        return storeHalf(scale, target)
    }

    /// Stores the scale that makes the number of largest magnitude the `lowest` quant, and returns its inverse.
    private static func storeScale(
        of x: UnsafePointer<Float>, lowest: Float, _ target: UnsafeMutableRawPointer
    ) -> (fits: Bool, inverse: Float) {
        var (magnitude, extreme): (Float, Float) = (0, 0)
        for index in 0..<length where magnitude < abs(x[index]) {
            (magnitude, extreme) = (abs(x[index]), x[index])
        }
        let scale = extreme / lowest
        return (storeHalf(scale, target), scale == 0 ? 0 : 1 / scale)
    }

    /// Cut off, not rounded: `zero` has the half that rounds.
    private static func quant(_ scaled: Float, zero: Float, highest: Float) -> UInt8 {
        let value = scaled + zero
        return value >= 0 ? UInt8(min(value, highest)) : 0
    }
}
