// The kernels for NEON, which every 64-bit ARM has.
#if defined(__aarch64__)
#include "vector_neon.h"

#include "attention.h"
#include "winograd.h"

#include "multiply_neon.h"

const ck_kernels ck_kernels_neon = {
    CK_ISA_NEON,
    true,
    quantize,
    multiply,
    multiply_pair,
    rms_norm,
    silu_multiply,
    add,
    rotate,
    store,
    attention,
};

const ck_convolution_kernels ck_convolution_kernels_neon = CK_CONVOLUTION_KERNELS(CK_ISA_NEON);
#endif
