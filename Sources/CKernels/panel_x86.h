// Panels of quantised weights: rows x 256 columns, unpacked into bytes interleaved by 4 columns.
// The including file defines PANEL, the rows of a panel.
#pragma once

#include "matvec_x86.h"
#include "packed.h"

/// One unpacked panel: quants [64, PANEL, 4], d and m [groups, PANEL] (8 groups, or 16 for types with halved
/// groups).
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

/// Unpacks n groups of 32 columns of PANEL rows that are `stride` bytes apart; rows from `used` on repeat the
/// last.
INLINE void unpack_panel(
    ck_type type, const uint8_t *p, int64_t stride, int64_t used, int n, weight_panel *panel) {
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

/// The same from packed weights: blocks from column k on of the panels of 16 rows from `first` on; panels
/// after `last` repeat it.
INLINE void unpack_packed_panel(
    ck_type type, const ck_matrix *w, int64_t first, int64_t last, int64_t k, int n, weight_panel *panel) {
    const int length = ck_type_traits[type].block_length == 256 ? 256 : 32;
    const int line_bytes = ck_packings[type].lines * 64, scale_bytes = ck_packings[type].scale_bytes;
    const int per = halved(type) ? 2 : 1;
    for (int r0 = 0; r0 < PANEL; r0 += CK_PANEL_ROWS) {
        int64_t index = first + r0 / CK_PANEL_ROWS < last ? first + r0 / CK_PANEL_ROWS : last;
        const uint8_t *base = (const uint8_t *)w->bytes + index * panel_bytes(type, w->columns);
        const uint8_t *lines = base + k / length * line_bytes;
        const uint8_t *scales = base + panel_line_bytes(type, w->columns) + k / length * scale_bytes;
#pragma GCC unroll 8
        for (int g = 0; g < n; g++) {
            const int block = length == 32 ? g : 0, group = length == 32 ? 0 : g;
            for (int v = 0; v < LINE; v++) {
                const int row = r0 + v * VF;
                for (int j = 0; j < 8; j++) {
                    vi q = packed_step(type, lines + block * line_bytes, group, j, v);
                    vi_store(panel->quants + ((g * 8 + j) * PANEL + row) * 4, q);
                }
                for (int h = 0; h < per; h++) {
                    vf d, m;
                    packed_scales(type, scales + block * scale_bytes, group * per + h, v, &d, &m);
                    vf_store(panel->d + (g * per + h) * PANEL + row, d);
                    vf_store(panel->m + (g * per + h) * PANEL + row, m);
                }
            }
        }
    }
}
