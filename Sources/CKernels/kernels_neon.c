// The kernels for NEON, which every 64-bit ARM has.
#if defined(__aarch64__)
#include "vector_neon.h"

#include "attention.h"

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
#endif
