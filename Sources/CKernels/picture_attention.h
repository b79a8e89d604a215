// Attention of rows over a packed context, written once over a vector layer; included by one file per
// instruction set.
//
// Queries are the lanes: scores [keys, queries] and sums [channels, queries] are products of a narrow panel,
// whose numbers are spread over all lanes, and a wide one. So the softmax needs no sum across lanes, and no
// head dimension leaves lanes unused.
#pragma once

#include "vector_math.h"

/// One register tile: TALL numbers spread, times WIDE queries.
enum { TALL = VF == 1 ? 1 : VF == 8 ? 4 : 8, WIDE_VECTORS = VF == 1 ? 1 : 3, WIDE = WIDE_VECTORS * VF };

INLINE int64_t padded_dim(int32_t dim) {
    return (dim + CK_ATTENTION_CHANNELS - 1) / CK_ATTENTION_CHANNELS * CK_ATTENTION_CHANNELS;
}

// MARK: - Packing

/// Keys of a tile as [64 / TALL][D][TALL], values as [D / TALL][64][TALL]; what is beyond the context's rows or
/// the head's channels is 0.
static void pack_context(
    const ck_context *context, int64_t tile, const float *keys, const float *values, int64_t stride) {
    const int64_t dim = context->head_dim, padded = padded_dim(context->head_dim);
    const int64_t left = context->rows - tile * CK_ATTENTION_KEYS;
    const int64_t rows = left < CK_ATTENTION_KEYS ? left : CK_ATTENTION_KEYS;
    float *k = context->keys + tile * CK_ATTENTION_KEYS * padded;
    float *v = context->values + tile * CK_ATTENTION_KEYS * padded;
    for (int64_t t = 0; t < CK_ATTENTION_KEYS; t++) {
        float *column = k + t / TALL * TALL * dim + t % TALL;
        if (t >= rows) {
            for (int64_t d = 0; d < dim; d++) column[d * TALL] = 0;
            continue;
        }
        for (int64_t d = 0; d < dim; d++) column[d * TALL] = keys[t * stride + d];
    }
    for (int64_t d0 = 0; d0 < padded; d0 += TALL) {
        for (int64_t t = 0; t < rows; t++) {
            float *row = v + d0 * CK_ATTENTION_KEYS + t * TALL;
            if (d0 + TALL <= dim) {
                memcpy(row, values + t * stride + d0, TALL * 4);
            } else {
                for (int64_t i = 0; i < TALL; i++) row[i] = d0 + i < dim ? values[t * stride + d0 + i] : 0;
            }
        }
    }
}

// MARK: - Products

/// c[TALL][WIDE] = c * factor + narrow[n][TALL] transposed . wide[n][WIDE]; without a factor c begins at 0.
INLINE void product_tile(int64_t n, const float *narrow, const float *wide, const vf *factor, float *c) {
    vf acc[TALL][WIDE_VECTORS];
    for (int i = 0; i < TALL; i++) {
        for (int v = 0; v < WIDE_VECTORS; v++) {
            acc[i][v] = factor ? vf_mul(vf_load(c + i * WIDE + v * VF), factor[v]) : vf_set1(0);
        }
    }
    for (int64_t k = 0; k < n; k++) {
        vf b[WIDE_VECTORS];
        for (int v = 0; v < WIDE_VECTORS; v++) b[v] = vf_load(wide + k * WIDE + v * VF);
        for (int i = 0; i < TALL; i++) {
            vf a = vf_set1(narrow[k * TALL + i]);
            for (int v = 0; v < WIDE_VECTORS; v++) acc[i][v] = vf_fma(a, b[v], acc[i][v]);
#if defined(__x86_64__)
            // With 16 registers there is one for `a`: without this compilers take two and spill a sum.
            if (VF == 8) __asm__ volatile("" : "+x"(acc[i][0]), "+x"(acc[i][1]), "+x"(acc[i][2]));
#endif
        }
    }
    for (int i = 0; i < TALL; i++) {
        for (int v = 0; v < WIDE_VECTORS; v++) vf_store(c + i * WIDE + v * VF, acc[i][v]);
    }
}

// MARK: - Softmax

/// The state of WIDE queries: greatest score so far, sum of exponentials, and what older sums are to be scaled
/// by.
typedef struct {
    vf maximum[WIDE_VECTORS], weight[WIDE_VECTORS], factor[WIDE_VECTORS];
} softmax_state;

/// Hides from every query the keys of the tile that it may not see.
static void mask_scores(float *scores, int64_t count, int64_t visible, int64_t step) {
    for (int64_t t = 0; t < count; t++) {
        for (int64_t r = 0; r < WIDE; r++) {
            if (t >= visible + r * step) scores[t * WIDE + r] = -INFINITY;
        }
    }
}

/// Turns scores [count, WIDE], in powers of 2, into exponentials relative to the greatest so far.
INLINE void softmax_tile(float *scores, int64_t count, softmax_state *state) {
    vf top[WIDE_VECTORS], total[WIDE_VECTORS];
    for (int v = 0; v < WIDE_VECTORS; v++) top[v] = state->maximum[v];
    for (int64_t t = 0; t < count; t++) {
        for (int v = 0; v < WIDE_VECTORS; v++) top[v] = vf_max(top[v], vf_load(scores + t * WIDE + v * VF));
    }
    for (int v = 0; v < WIDE_VECTORS; v++) {
        state->factor[v] = vf_exp2_negative(vf_sub(state->maximum[v], top[v]));
        state->maximum[v] = top[v];
        total[v] = vf_set1(0);
    }
    for (int64_t t = 0; t < count; t++) {
        for (int v = 0; v < WIDE_VECTORS; v++) {
            float *score = scores + t * WIDE + v * VF;
            vf e = vf_exp2_negative(vf_sub(vf_load(score), top[v]));
            vf_store(score, e);
            total[v] = vf_add(total[v], e);
        }
    }
    for (int v = 0; v < WIDE_VECTORS; v++) {
        state->weight[v] = vf_fma(state->weight[v], state->factor[v], total[v]);
    }
}

// MARK: - Attention

static void attend(const ck_context *context, const float *q, int64_t rows, int64_t stride, float scale,
    int64_t visible, int64_t step, float *scratch, float *out) {
    const int64_t dim = context->head_dim, padded = padded_dim(context->head_dim);
    float *queries = scratch, *sums = queries + padded * WIDE, *scores = sums + padded * WIDE;
    softmax_state state;
    // Powers of 2 instead of e, one product less for each score.
    scale *= 1.44269504089f;
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t d = 0; d < dim; d++) queries[d * WIDE + r] = q[r * stride + d] * scale;
    }
    for (int64_t r = rows; r < WIDE; r++) {
        for (int64_t d = 0; d < dim; d++) queries[d * WIDE + r] = 0;
    }
    memset(sums, 0, (size_t)(padded * WIDE) * 4);
    for (int v = 0; v < WIDE_VECTORS; v++) {
        state.maximum[v] = vf_set1(-INFINITY);
        state.weight[v] = vf_set1(0);
    }
    int64_t last = visible + (rows - 1) * step;
    if (last > context->rows) last = context->rows;
    for (int64_t t0 = 0; t0 < last; t0 += CK_ATTENTION_KEYS) {
        const int64_t count = last - t0 < CK_ATTENTION_KEYS ? last - t0 : CK_ATTENTION_KEYS;
        const float *keys = context->keys + t0 * padded, *values = context->values + t0 * padded;
        for (int64_t t = 0; t < count; t += TALL) {
            product_tile(dim, keys + t * dim, queries, NULL, scores + t * WIDE);
        }
        if (visible < t0 + count) mask_scores(scores, count, visible - t0, step);
        softmax_tile(scores, count, &state);
        for (int64_t d = 0; d < padded; d += TALL) {
            product_tile(
                count, values + d * CK_ATTENTION_KEYS, scores, state.factor, sums + d * WIDE);
        }
    }
    float weights[WIDE];
    for (int v = 0; v < WIDE_VECTORS; v++) {
        vf_store(weights + v * VF, vf_div(vf_set1(1), state.weight[v]));
    }
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t d = 0; d < dim; d++) out[r * stride + d] = sums[d * WIDE + r] * weights[r];
    }
}
