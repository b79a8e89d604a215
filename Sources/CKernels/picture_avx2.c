// The picture kernels for AVX2 with FMA and F16C.
#if defined(__x86_64__)
#include <immintrin.h>

#include "internal.h"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#else
#pragma GCC target("avx2,fma,f16c")
#endif

#include "vector_avx2.h"

#include "picture_attention.h"
#include "picture_norms.h"

const ck_picture_kernels ck_picture_kernels_avx2 = {
    CK_ISA_AVX2,
    WIDE,
    activate,
    gelu_multiply,
    layer_norm,
    group_moments,
    scale_channels,
    pack_context,
    attend,
};

#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
