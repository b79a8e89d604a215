// Panels of quantised weights: rows x 256 columns, unpacked into bytes interleaved by 4 columns.
// The including file defines PANEL, the rows of a panel.
#pragma once

#include "matvec_x86.h"

/// One unpacked panel: quants [64, PANEL, 4], d and m [groups, PANEL] (8 groups, or 16 for types with halved groups).
typedef struct {
    _Alignas(64) uint8_t quants[CK_CHUNK * PANEL];
    _Alignas(64) float d[16 * PANEL];
    _Alignas(64) float m[16 * PANEL];
} weight_panel;

INLINE void transpose_8x8(__m256i r[8]) {
    __m256i t[8], u[8];
    for (int i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm256_unpackhi_epi32(r[i], r[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
        u[i] = _mm256_unpacklo_epi64(t[i], t[i + 2]);
        u[i + 1] = _mm256_unpackhi_epi64(t[i], t[i + 2]);
        u[i + 2] = _mm256_unpacklo_epi64(t[i + 1], t[i + 3]);
        u[i + 3] = _mm256_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    for (int i = 0; i < 4; i++) {
        r[i] = _mm256_permute2x128_si256(u[i], u[i + 4], 0x20);
        r[i + 4] = _mm256_permute2x128_si256(u[i], u[i + 4], 0x31);
    }
}

INLINE void store_transposed(const __m256 *rows, int64_t row_stride, float *out) {
    __m256i t[8];
    for (int r = 0; r < 8; r++) t[r] = _mm256_castps_si256(rows[r * row_stride]);
    transpose_8x8(t);
    for (int g = 0; g < 8; g++) _mm256_store_si256((__m256i *)(out + g * PANEL), t[g]);
}

/// Unpacks n groups of 32 columns of PANEL rows that are `stride` bytes apart; rows from `used` on repeat the last.
INLINE void unpack_panel(ck_type type, const uint8_t *p, int64_t stride, int64_t used, int n, weight_panel *panel) {
    for (int r0 = 0; r0 < PANEL; r0 += 8) {
        unpacked u[8];
        for (int r = 0; r < 8; r++) {
            int64_t row = r0 + r < used ? r0 + r : used - 1;
            unpack(type, p + row * stride, n, &u[r]);
        }
        for (int g = 0; g < n; g++) {
            __m256i t[8];
            for (int r = 0; r < 8; r++) t[r] = u[r].q[g];
            transpose_8x8(t);
            for (int j = 0; j < 8; j++) {
                _mm256_store_si256((__m256i *)(panel->quants + ((g * 8 + j) * PANEL + r0) * 4), t[j]);
            }
        }
        const int64_t step = sizeof(unpacked) / sizeof(__m256);
        store_transposed(&u[0].d[0], step, panel->d + r0);
        store_transposed(&u[0].m[0], step, panel->m + r0);
        if (halved(type)) {
            store_transposed(&u[0].d[1], step, panel->d + 8 * PANEL + r0);
            store_transposed(&u[0].m[1], step, panel->m + 8 * PANEL + r0);
        }
    }
}
