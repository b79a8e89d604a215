// Matrix x matrix over quantised weights: a panel is unpacked once, then multiplied with all rows of
// activations. The including file defines `panel_tile` and TILE(type), the activation rows of a register
// tile.
#pragma once

#include "panel_x86.h"

INLINE void gemm(ck_type type, bool packed, const ck_matrix *w, int64_t first, int64_t count,
    const ck_activations *x, float *y, int64_t y_stride, bool accumulate) {
    const int64_t columns = w->columns, bytes = row_bytes(w);
    const int per = halved(type) ? 2 : 1;
    const float *all_sums = halved(type) ? x->half_sums : x->sums;
    weight_panel panel;
    _Alignas(64) float sums[TILE_ROWS * PANEL];
    for (int64_t s0 = 0; s0 < x->rows; s0 += TILE_ROWS) {
        const int64_t rows = x->rows - s0 < TILE_ROWS ? x->rows - s0 : TILE_ROWS;
        for (int64_t r = first; r < first + count; r += PANEL) {
            const int64_t used = first + count - r < PANEL ? first + count - r : PANEL;
            const uint8_t *p = (const uint8_t *)w->bytes + r * bytes;
            memset(sums, 0, (size_t)rows * PANEL * 4);
            for (int64_t k = 0; k < columns; k += CK_CHUNK, p += chunk_bytes(type)) {
                const int64_t width = columns - k < CK_CHUNK ? columns - k : CK_CHUNK;
                const int n = (int)width / 32;
                const int64_t last = (first + count - 1) / CK_PANEL_ROWS;
                if (packed && n == 8) unpack_packed_panel(type, w, r / CK_PANEL_ROWS, last, k, 8, &panel);
                else if (packed) unpack_packed_panel(type, w, r / CK_PANEL_ROWS, last, k, n, &panel);
                else if (n == 8) unpack_panel(type, p, bytes, used, 8, &panel);
                else unpack_panel(type, p, bytes, used, n, &panel);
                const int64_t at = k * x->rows + s0 * width;
                const int8_t *quants = x->quants + at;
                const float *scales = x->scales + at / 32, *xsums = all_sums + at / 32 * per;
                int64_t s = 0;
                for (; s + TILE(type) <= rows; s += TILE(type)) {
                    panel_tile(type, TILE(type), n, &panel, quants + s * width, width, scales + s * n,
                        xsums + s * n * per, sums + s * PANEL);
                }
                for (; s < rows; s++) {
                    panel_tile(type, 1, n, &panel, quants + s * width, width, scales + s * n,
                        xsums + s * n * per, sums + s * PANEL);
                }
            }
            write_tile(sums, PANEL, rows, used, y + s0 * y_stride + r, y_stride, accumulate);
        }
    }
}

#define GEMM_OF(type, ...) gemm(type, __VA_ARGS__)

static void multiply_many(const ck_matrix *w, int64_t first, int64_t count, const ck_activations *x, float *y,
    int64_t y_stride, bool accumulate) {
    FOR_QUANTISED_TYPE(w->type, GEMM_OF, false, w, first, count, x, y, y_stride, accumulate)
}

static void multiply_packed_many(const ck_matrix *w, int64_t first, int64_t count, const ck_activations *x,
    float *y, int64_t y_stride, bool accumulate) {
    FOR_PACKED_TYPE(w->type, GEMM_OF, true, w, first, count, x, y, y_stride, accumulate)
}

static void multiply(const ck_matrix *w, int64_t first, int64_t count, const ck_activations *x, float *y,
    int64_t y_stride, bool accumulate) {
    if (ck_type_traits[w->type].block_length == 1)
        multiply_floats(w, first, count, x, y, y_stride, accumulate);
    else if (w->packed && x->rows == 1) multiply_packed_one(w, first, count, x, y, accumulate);
    else if (w->packed) multiply_packed_many(w, first, count, x, y, y_stride, accumulate);
    else if (x->rows == 1) multiply_one(w, first, count, x, y, y_stride, accumulate);
    else if (x->rows <= MATVEC_ROWS) multiply_few(w, first, count, x, y, y_stride, accumulate);
    else multiply_many(w, first, count, x, y, y_stride, accumulate);
}
