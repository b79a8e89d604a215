import CKernels

// S rows, N columns

extension Operations {
    /// The elements of `x` after `activation`.
    public func apply(_ activation: Activation, to x: Tensor) -> Tensor {
        let out = makeTensor(rows: x.rows, columns: x.columns)
        let activate = pictureKernels.pointee.activate
        forRows(x.rows, columns: x.columns) { row in
            let offset = row * x.columns
            activate(activation.kernel, x.pointer + offset, Int64(x.columns), out.pointer + offset)
        }
        extendLifetime(x)
        return out
    }

    /// `[S, N]`: the first half of each row of `x` [S, 2 N] times the gelu of the second (Shazeer 2020).
    ///
    /// - Throws: `Interrupted` when `checkpoint` does.
    public func geglu(_ x: Tensor, checkpoint: InterruptionCheck) throws(Interrupted) -> Tensor {
        precondition(x.columns % 2 == 0, "two halves of equal size")
        let out = makeTensor(rows: x.rows, columns: x.columns / 2)
        let multiply = pictureKernels.pointee.gelu_multiply
        try forRows(x.rows, columns: x.columns, checkpoint: checkpoint) { row in
            let source = x.pointer + row * x.columns
            multiply(source, source + out.columns, Int64(out.columns), out.pointer + row * out.columns)
        }
        extendLifetime(x)
        return out
    }
}

extension Activation {
    /// The kernels' name of it.
    var kernel: ck_activation {
        switch self {
        case .none: CK_ACTIVATION_NONE
        case .silu: CK_ACTIVATION_SILU
        case .relu: CK_ACTIVATION_RELU
        case .gelu: CK_ACTIVATION_GELU
        case .quickGELU: CK_ACTIVATION_QUICK_GELU
        }
    }
}
