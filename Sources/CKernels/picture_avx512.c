// The picture kernels for AVX-512 (F, BW, VL, DQ).
#if defined(__x86_64__)
#include <immintrin.h>

#include "internal.h"

#if defined(__clang__)
#pragma clang attribute push(                                                                                \
    __attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni"))),                  \
    apply_to = function)
#else
#pragma GCC target("avx2,fma,f16c,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")
#endif

#include "vector_avx512.h"

#include "picture_attention.h"
#include "picture_norms.h"

const ck_picture_kernels ck_picture_kernels_avx512 = {
    CK_ISA_AVX512_VNNI,
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
