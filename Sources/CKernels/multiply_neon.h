// Products with quantised weights for NEON.
#pragma once

#include "packed.h"

/// Sum of n products of bytes, n a multiple of 16.
INLINE int32_t dot_bytes(const int8_t *w, const int8_t *x, int n) {
    dot_sum sum = dot_zero();
    for (int i = 0; i < n; i += 16) {
        dot_add(&sum, vreinterpretq_u8_s8(vld1q_s8(w + i)), vreinterpretq_u8_s8(vld1q_s8(x + i)));
    }
    return vaddvq_s32(sum.words);
}

/// Rows as they lie in the file: each block is unpacked once for all rows of activations.
static void multiply_rows(const ck_matrix *w, int64_t first, int64_t count, const ck_activations *x, float *y,
    int64_t y_stride, bool accumulate) {
    const ck_traits *t = &ck_type_traits[w->type];
    const bool whole_byte = t->offset == 128;
    for (int64_t n = first; n < first + count; n++) {
        const uint8_t *block = (const uint8_t *)w->bytes + n * row_bytes(w);
        for (int64_t k = 0; k < w->columns; k += t->block_length, block += t->block_bytes) {
            uint8_t q[256];
            float d[16], m[16];
            ck_ref_unpack(w->type, block, q, d, m);
            if (whole_byte)
                for (int j = 0; j < t->block_length; j++) q[j] ^= 128; // signed
            for (int64_t s = 0; s < x->rows; s++) {
                const int64_t at = activation_index(x, s, k);
                float sum = 0;
                for (int g = 0; g < t->block_length / t->group; g++) {
                    const int64_t from = at + g * t->group;
                    const int8_t *quants = (const int8_t *)q + g * t->group;
                    int32_t dot = dot_bytes(quants, x->quants + from, t->group);
                    float total = t->group == 32 ? x->sums[from / 32] : x->half_sums[from / 16];
                    float minimum = t->has_minimum ? m[g] : whole_byte ? 0 : -(float)t->offset * d[g];
                    sum += d[g] * x->scales[from / 32] * (float)dot + minimum * total;
                }
                float *out = y + s * y_stride + n;
                *out = k > 0 || accumulate ? *out + sum : sum;
            }
        }
    }
}

INLINE void packed_matmul(ck_type type, const ck_matrix *w, int64_t first, int64_t count,
    const ck_activations *x, float *y, int64_t y_stride, bool accumulate) {
    const int64_t bytes = panel_bytes(type, w->columns);
    for (int64_t r = first; r < first + count; r += CK_PANEL_ROWS) {
        const uint8_t *panel = (const uint8_t *)w->bytes + r / CK_PANEL_ROWS * bytes;
        const int64_t used = first + count - r < CK_PANEL_ROWS ? first + count - r : CK_PANEL_ROWS;
        for (int64_t s = 0; s < x->rows; s++) {
            vf sums[LINE];
            float values[CK_PANEL_ROWS];
            packed_row(type, 1, false, panel, w->columns, &x, s, sums);
            for (int v = 0; v < LINE; v++) vf_store(values + v * VF, sums[v]);
            write_tile(values, CK_PANEL_ROWS, 1, used, y + s * y_stride + r, y_stride, accumulate);
        }
    }
}

static void multiply(const ck_matrix *w, int64_t first, int64_t count, const ck_activations *x, float *y,
    int64_t y_stride, bool accumulate) {
    if (ck_type_traits[w->type].block_length == 1) {
        multiply_floats(w, first, count, x, y, y_stride, accumulate);
    } else if (w->packed && x->rows == 1) {
        multiply_packed_one(w, first, count, x, y, accumulate);
    } else if (w->packed) {
        FOR_PACKED_TYPE(w->type, packed_matmul, w, first, count, x, y, y_stride, accumulate)
    } else {
        multiply_rows(w, first, count, x, y, y_stride, accumulate);
    }
}
