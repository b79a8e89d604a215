import CKernels
import Tensors
import Testing

@Suite struct DequantizeTests {
    /// What Tests/Fixtures/dequantize-checksums.py prints (gguf 0.19, numpy 2).
    static let checksums: [(type: ElementType, checksum: UInt64)] = [
        (.q40, 0x5fb9_eada_4a37_2b25), (.q41, 0x9668_e8aa_c726_b733), (.q50, 0x6821_81ee_cc08_d525),
        (.q51, 0xb413_2dfa_27a8_4aef), (.q80, 0x8c9b_9315_64b8_2165), (.q2K, 0x2cde_9fde_485b_a7fe),
        (.q3K, 0x03e3_ae30_0c13_9465), (.q4K, 0x4f13_1ee0_5941_bfac), (.q5K, 0x5cb7_3ef2_060a_5d09),
        (.q6K, 0x3b61_77b8_0716_e8b3), (.iq4NL, 0x84ee_506b_c1e9_d565), (.iq4XS, 0x269c_7c8e_9fc6_3d2d),
    ]

    @Test(arguments: checksums)
    func valuesAreBitForBitThoseOfGGML(type: ElementType, checksum: UInt64) {
        var random = SplitMix64(seed: 1)
        var bytes: [UInt8] = []
        for _ in 0..<16 {
            bytes += (0..<type.blockBytes).map { offset in
                let byte = UInt8(truncatingIfNeeded: random.next())
                let isHighByte = type.isScaleByte(offset) && offset % 2 == 1
                return isHighByte ? byte & 0xBB : byte
            }
        }
        let owner = Bytes(bytes)
        let weights = WeightTensor(
            type: type, shape: [16 * type.blockLength], bytes: UnsafeRawBufferPointer(owner.buffer),
            owner: owner)
        var digest: UInt64 = 0xcbf2_9ce4_8422_2325
        for value in weights.floats() {
            digest = (digest ^ UInt64((value + 0).bitPattern)) &* 0x100_0000_01b3
        }
        #expect(digest == checksum)
    }

    @Test func halvesConvertBothWays() {
        for bits in UInt16.min...UInt16.max {
            let value = ck_half_to_float(bits)
            #expect(value.isNaN == ((bits & 0x7FFF) > 0x7C00))
            if !value.isNaN {
                #expect(ck_float_to_half(value) == bits)
                #expect(value == Float(Float16(bitPattern: bits)))
            }
        }
        var random = SplitMix64(seed: 5)
        for _ in 0..<10_000 {
            let value =
                Float.random(in: -2...2, using: &random)
                * Float(sign: .plus, exponent: Int.random(in: -28...17, using: &random), significand: 1)
            #expect(ck_float_to_half(value) == Float16(value).bitPattern)
        }
    }

    @Test func blockSizesAgreeWithTheKernels() {
        for (index, type) in ElementType.allCases.enumerated() {
            #expect(Int(ck_block_length(ck_type(UInt32(index)))) == type.blockLength)
            #expect(Int(ck_block_bytes(ck_type(UInt32(index)))) == type.blockBytes)
        }
        #expect(ElementType.q4K.byteCount(of: 512) == 288)
        #expect(ElementType.q4K.byteCount(of: 100) == nil)
        #expect(ElementType.f32.byteCount(of: .max) == nil)
    }
}
