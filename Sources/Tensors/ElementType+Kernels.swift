import CKernels

extension ElementType {
    var kernelType: ck_type {
        switch self {
        case .f32: CK_F32
        case .f16: CK_F16
        case .bf16: CK_BF16
        case .q40: CK_Q4_0
        case .q41: CK_Q4_1
        case .q50: CK_Q5_0
        case .q51: CK_Q5_1
        case .q80: CK_Q8_0
        case .q2K: CK_Q2_K
        case .q3K: CK_Q3_K
        case .q4K: CK_Q4_K
        case .q5K: CK_Q5_K
        case .q6K: CK_Q6_K
        case .iq4NL: CK_IQ4_NL
        case .iq4XS: CK_IQ4_XS
        }
    }
}

extension WeightTensor {
    /// The elements as f32, row-major: a copy, for small tensors and tests.
    public func floats() -> [Float] {
        let count = rows * columns
        return [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            if count > 0, let target = buffer.baseAddress {
                for row in 0..<rows { dequantize(row: row, into: target + row * columns) }
            }
            initialized = count
        }
    }

    /// Writes row `row` as f32, `columns` numbers, to `target`.
    public func dequantize(row: Int, into target: UnsafeMutablePointer<Float>) {
        if isPacked {
            unpackedRow(row).withUnsafeBytes { bytes in
                guard let source = bytes.baseAddress else { return }
                ck_dequantize(type.kernelType, source, Int64(columns), target)
            }
        } else if let source = bytes.baseAddress, let rowBytes = type.byteCount(of: columns) {
            ck_dequantize(type.kernelType, source + row * rowBytes, Int64(columns), target)
        }
    }

    /// The weights as the kernels see them, valid as long as this value lives.
    var matrix: ck_matrix {
        guard let base = bytes.baseAddress else { preconditionFailure("weights without memory") }
        return ck_matrix(
            type: type.kernelType, rows: Int64(rows), columns: Int64(columns), bytes: base,
            packed: isPacked)
    }
}
