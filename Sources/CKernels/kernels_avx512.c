// The kernels for AVX-512 (F, BW, VL, DQ) with VNNI.
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

#define CK_VNNI 1

#include "vector_avx512.h"

#include "attention.h"
#include "winograd.h"

enum { PANEL = 32 };

#include "panel_x86.h"

#define TILE(type) 6

/// Dot products of `length` columns of PANEL weight rows with `rows` activation rows, as f32.
INLINE void panel_group(
    int rows, int length, const uint8_t *quants, const int8_t *x, int64_t x_stride, __m512 dots[6][2]) {
    __m512i totals[6][2];
    for (int r = 0; r < rows; r++) totals[r][0] = totals[r][1] = _mm512_setzero_si512();
    for (int k = 0; k < length / 4; k++) {
        __m512i w0 = _mm512_load_si512(quants + k * PANEL * 4),
                w1 = _mm512_load_si512(quants + k * PANEL * 4 + 64);
        for (int r = 0; r < rows; r++) {
            __m512i v = _mm512_set1_epi32((int)load_u32((const uint8_t *)x + r * x_stride + 4 * k));
            totals[r][0] = _mm512_dpbusd_epi32(totals[r][0], w0, v);
            totals[r][1] = _mm512_dpbusd_epi32(totals[r][1], w1, v);
        }
    }
    for (int r = 0; r < rows; r++) {
        dots[r][0] = _mm512_cvtepi32_ps(totals[r][0]);
        dots[r][1] = _mm512_cvtepi32_ps(totals[r][1]);
    }
}

/// sums[rows][PANEL] += panel . x over n groups of 32 columns.
INLINE void panel_tile(ck_type type, int rows, int n, const weight_panel *panel, const int8_t *x,
    int64_t x_stride, const float *scales, const float *xsums, float *sums) {
    const int length = halved(type) ? 16 : 32, per = 32 / length;
    __m512 acc[6][2];
    for (int r = 0; r < rows; r++) {
        acc[r][0] = _mm512_load_ps(sums + r * PANEL);
        acc[r][1] = _mm512_load_ps(sums + r * PANEL + 16);
    }
    for (int g = 0; g < n * per; g++) {
        __m512 dots[6][2];
        panel_group(rows, length, panel->quants + g * length * PANEL, x + g * length, x_stride, dots);
        for (int v = 0; v < 2; v++) {
            __m512 d = _mm512_load_ps(panel->d + g * PANEL + 16 * v),
                   m = _mm512_load_ps(panel->m + g * PANEL + 16 * v);
            for (int r = 0; r < rows; r++) {
                __m512 scaled = _mm512_mul_ps(dots[r][v], _mm512_set1_ps(scales[r * n + g / per]));
                acc[r][v] = _mm512_fmadd_ps(scaled, d, acc[r][v]);
                acc[r][v] = _mm512_fmadd_ps(_mm512_set1_ps(xsums[r * n * per + g]), m, acc[r][v]);
            }
        }
    }
    for (int r = 0; r < rows; r++) {
        _mm512_store_ps(sums + r * PANEL, acc[r][0]);
        _mm512_store_ps(sums + r * PANEL + 16, acc[r][1]);
    }
}

#include "gemm_x86.h"

const ck_kernels ck_kernels_avx512 = {
    CK_ISA_AVX512_VNNI,
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

const ck_convolution_kernels ck_convolution_kernels_avx512 = CK_CONVOLUTION_KERNELS(CK_ISA_AVX512_VNNI);

#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
