// Matrix x vector over quantised rows: each row is read once, straight from its file's layout.
#pragma once

#include "unpack_x86.h"

/// Sums of products of 4 neighbours, as 8 x int32 (a quarter of 32 columns each).
INLINE __m256i dot_32(ck_type type, __m256i q, __m256i x) {
#ifdef CK_VNNI
    (void)type;
    return _mm256_dpbusd_epi32(_mm256_setzero_si256(), q, x);
#else
    __m256i pairs = wide(type) ? _mm256_maddubs_epi16(_mm256_abs_epi8(q), _mm256_sign_epi8(x, q))
                               : _mm256_maddubs_epi16(q, x);
    return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
#endif
}

/// One chunk of one row times one row of activations, added to 4 accumulators.
INLINE void dot_chunk(ck_type type, const unpacked *u, int n, const int8_t *x, const float *scales,
    const float *sums, __m256 acc[4]) {
    float d[16];
    if (halved(type)) {
        __m256 s = _mm256_loadu_ps(scales);
        __m256 low = _mm256_permutevar8x32_ps(s, _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3));
        __m256 high = _mm256_permutevar8x32_ps(s, _mm256_setr_epi32(4, 4, 5, 5, 6, 6, 7, 7));
        _mm256_storeu_ps(d, _mm256_mul_ps(u->d[0], low));
        _mm256_storeu_ps(d + 8, _mm256_mul_ps(u->d[1], high));
    } else if (n == 8) {
        _mm256_storeu_ps(d, _mm256_mul_ps(u->d[0], _mm256_loadu_ps(scales)));
    } else {
        _mm256_storeu_ps(d, u->d[0]);
        for (int j = 0; j < n; j++) d[j] *= scales[j];
    }
    for (int j = 0; j < n; j++) {
        __m256 dot =
            _mm256_cvtepi32_ps(dot_32(type, u->q[j], _mm256_loadu_si256((const __m256i *)(x + 32 * j))));
        __m256 scale = halved(type) ? _mm256_insertf128_ps(
                                          _mm256_broadcast_ss(d + 2 * j), _mm_broadcast_ss(d + 2 * j + 1), 1)
                                    : _mm256_broadcast_ss(d + j);
        acc[j % 4] = _mm256_fmadd_ps(dot, scale, acc[j % 4]);
    }
#ifndef CK_VNNI
    if (wide(type)) return;
#endif
    if (halved(type)) {
        acc[0] = _mm256_fmadd_ps(u->m[0], _mm256_loadu_ps(sums), acc[0]);
        acc[1] = _mm256_fmadd_ps(u->m[1], _mm256_loadu_ps(sums + 8), acc[1]);
    } else if (n == 8) {
        acc[0] = _mm256_fmadd_ps(u->m[0], _mm256_loadu_ps(sums), acc[0]);
    } else {
        float s[8] = {0};
        for (int j = 0; j < n; j++) s[j] = sums[j];
        acc[0] = _mm256_fmadd_ps(u->m[0], _mm256_loadu_ps(s), acc[0]);
    }
}

INLINE float sum_8(const __m256 acc[4]) {
    __m256 a = _mm256_add_ps(_mm256_add_ps(acc[0], acc[1]), _mm256_add_ps(acc[2], acc[3]));
    __m128 x = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    x = _mm_add_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
}

/// Rows of activations that share one unpacking.
enum { MATVEC_ROWS = 4 };

INLINE void matvec(ck_type type, int rows, const ck_matrix *w, int64_t first, int64_t count,
    const ck_activations *x, float *y, int64_t y_stride, bool accumulate) {
    const int64_t columns = w->columns, bytes = row_bytes(w);
    const int per = halved(type) ? 2 : 1;
    const float *all_sums = halved(type) ? x->half_sums : x->sums;
    for (int64_t r = first; r < first + count; r++) {
        const uint8_t *p = (const uint8_t *)w->bytes + r * bytes;
        __m256 acc[MATVEC_ROWS][4];
        for (int s = 0; s < rows; s++)
            for (int j = 0; j < 4; j++) acc[s][j] = _mm256_setzero_ps();
        int64_t k = 0;
        for (; k + CK_CHUNK <= columns; k += CK_CHUNK, p += chunk_bytes(type)) {
            unpacked u;
            unpack(type, p, 8, &u);
            for (int s = 0; s < rows; s++) {
                int64_t at = k * rows + s * CK_CHUNK;
                dot_chunk(type, &u, 8, x->quants + at, x->scales + at / 32, all_sums + at / 32 * per, acc[s]);
            }
        }
        if (k < columns) {
            int n = (int)(columns - k) / 32;
            unpacked u;
            unpack(type, p, n, &u);
            for (int s = 0; s < rows; s++) {
                int64_t at = k * rows + s * (columns - k);
                dot_chunk(type, &u, n, x->quants + at, x->scales + at / 32, all_sums + at / 32 * per, acc[s]);
            }
        }
        for (int s = 0; s < rows; s++) {
            float *out = y + s * y_stride + r, sum = sum_8(acc[s]);
            *out = accumulate ? *out + sum : sum;
        }
    }
}

#define MATVEC_OF(type, rows, ...) matvec(type, rows, __VA_ARGS__)

static void multiply_one(const ck_matrix *w, int64_t first, int64_t count, const ck_activations *x, float *y,
    int64_t y_stride, bool accumulate) {
    FOR_QUANTISED_TYPE(w->type, MATVEC_OF, 1, w, first, count, x, y, y_stride, accumulate)
}

static void multiply_few(const ck_matrix *w, int64_t first, int64_t count, const ck_activations *x, float *y,
    int64_t y_stride, bool accumulate) {
    FOR_QUANTISED_TYPE(w->type, MATVEC_OF, (int)x->rows, w, first, count, x, y, y_stride, accumulate)
}
