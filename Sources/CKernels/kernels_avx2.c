// The kernels for AVX2 with FMA and F16C.
#if defined(__x86_64__)
#include <immintrin.h>

#include "internal.h"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#else
#pragma GCC target("avx2,fma,f16c")
#endif

#include "vector_avx2.h"

#include "attention.h"
#include "winograd.h"

enum { PANEL = 16 };

#include "panel_x86.h"

/// How many products of pairs (maddubs) fit one sum of 16 bits: with activations of 127, 8 of 4-bit quants
/// give at most 30480, 4 of 5 bits 31496, 2 of 6 bits 32004; those of 8 bits must be widened at once.
INLINE int run_length(ck_type type) {
    if (wide(type)) return 1;
    if (type == CK_Q6_K) return 2;
    return type == CK_Q5_0 || type == CK_Q5_1 || type == CK_Q5_K || halved(type) ? 4 : 8;
}

/// Activation rows of a register tile.
INLINE int tile_rows(ck_type type) { return run_length(type) == 8 ? 4 : 3; }
#define TILE(type) tile_rows(type)

/// sums[rows][PANEL] += panel . x over one group of `length` (16 or 32) columns.
INLINE void panel_group(ck_type type, int rows, int length, const uint8_t *quants, const float *d,
    const float *m, const int8_t *x, int64_t x_stride, const float *scales, int64_t scale_stride,
    const float *xsums, int64_t sum_stride, float *sums) {
    const __m256i ones = _mm256_set1_epi16(1);
    const int run = run_length(type), steps = length / 4;
    __m256i totals[4][2];
    for (int k0 = 0; k0 < steps; k0 += run) {
        __m256i pairs[4][2];
        for (int k = k0; k < k0 + run; k++) {
            __m256i w0 = _mm256_load_si256((const __m256i *)(quants + k * PANEL * 4));
            __m256i w1 = _mm256_load_si256((const __m256i *)(quants + k * PANEL * 4 + 32));
            for (int r = 0; r < rows; r++) {
                __m256i v = _mm256_set1_epi32((int)load_u32((const uint8_t *)x + r * x_stride + 4 * k)), p0,
                        p1;
                if (wide(type)) {
                    p0 = _mm256_maddubs_epi16(_mm256_abs_epi8(w0), _mm256_sign_epi8(v, w0));
                    p1 = _mm256_maddubs_epi16(_mm256_abs_epi8(w1), _mm256_sign_epi8(v, w1));
                } else {
                    p0 = _mm256_maddubs_epi16(w0, v);
                    p1 = _mm256_maddubs_epi16(w1, v);
                }
                pairs[r][0] = k == k0 ? p0 : _mm256_add_epi16(pairs[r][0], p0);
                pairs[r][1] = k == k0 ? p1 : _mm256_add_epi16(pairs[r][1], p1);
            }
        }
        for (int r = 0; r < rows; r++) {
            for (int v = 0; v < 2; v++) {
                __m256i words = _mm256_madd_epi16(pairs[r][v], ones);
                totals[r][v] = k0 == 0 ? words : _mm256_add_epi32(totals[r][v], words);
            }
        }
    }
    for (int r = 0; r < rows; r++) {
        __m256 scale = _mm256_broadcast_ss(scales + r * scale_stride);
        for (int v = 0; v < 2; v++) {
            __m256 sum = _mm256_load_ps(sums + r * PANEL + 8 * v);
            __m256 scaled = _mm256_mul_ps(_mm256_cvtepi32_ps(totals[r][v]), scale);
            sum = _mm256_fmadd_ps(scaled, _mm256_load_ps(d + 8 * v), sum);
            if (!wide(type)) {
                __m256 total = _mm256_broadcast_ss(xsums + r * sum_stride);
                sum = _mm256_fmadd_ps(total, _mm256_load_ps(m + 8 * v), sum);
            }
            _mm256_store_ps(sums + r * PANEL + 8 * v, sum);
        }
    }
}

/// sums[rows][PANEL] += panel . x over n groups of 32 columns.
INLINE void panel_tile(ck_type type, int rows, int n, const weight_panel *panel, const int8_t *x,
    int64_t x_stride, const float *scales, const float *xsums, float *sums) {
    const int length = halved(type) ? 16 : 32, per = 32 / length;
    for (int g = 0; g < n * per; g++) {
        panel_group(type, rows, length, panel->quants + g * length * PANEL, panel->d + g * PANEL,
            panel->m + g * PANEL, x + g * length, x_stride, scales + g / per, n, xsums + g, n * per, sums);
    }
}

#include "gemm_x86.h"

const ck_kernels ck_kernels_avx2 = {
    CK_ISA_AVX2,
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

const ck_convolution_kernels ck_convolution_kernels_avx2 = CK_CONVOLUTION_KERNELS(CK_ISA_AVX2);

#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
