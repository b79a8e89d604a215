// Attention over one layer's cache, written once over a vector layer; included by one file per instruction
// set.
#pragma once

#include "vector_kernels.h"

/// Vectors across the 16 positions of a block; query rows of one register tile; positions of one softmax
/// step.
enum { BLOCK_VECTORS = CK_CACHE_BLOCK / VF, QUERY_ROWS = VF == 16 ? 8 : VF == 1 ? 1 : 4, STEP = 64 };

INLINE int64_t cache_block_bytes(const ck_cache *c) {
    return c->type == CK_CACHE_F16 ? 32 * (int64_t)c->padded_dim : 17 * (int64_t)c->padded_dim;
}

// MARK: - Storing

static void store_half_head(const float *keys, const float *values, int32_t dim, int32_t padded,
    uint16_t *key_column, uint16_t *value_row) {
    for (int32_t i = 0; i < padded; i += 16) {
        float k[16] = {0}, v[16] = {0};
        uint16_t halves[16];
        int32_t count = dim - i < 16 ? dim - i : 16;
        if (count > 0) {
            memcpy(k, keys + i, (size_t)count * 4);
            memcpy(v, values + i, (size_t)count * 4);
        }
        for (int j = 0; j < 16; j += VF) vf_store_half(value_row + i + j, vf_load(v + j));
        for (int j = 0; j < 16; j += VF) vf_store_half(halves + j, vf_load(k + j));
        for (int j = 0; j < 16; j++) key_column[(i + j) * CK_CACHE_BLOCK] = halves[j];
    }
}

/// 32 elements to int8 with the f16 scale that is returned.
static uint16_t quantize_32(const float *x, int32_t count, int8_t *out) {
    float padded[32] = {0}, top = 0;
    if (count > 0) memcpy(padded, x, (size_t)(count < 32 ? count : 32) * 4);
    for (int j = 0; j < 32; j++) top = fmaxf(top, fabsf(padded[j]));
    uint16_t scale = ck_float_to_half(top / 127.0f);
    // The rounded scale can be too small for the greatest element by a hair: clamp.
    float rounded = half_to_float(scale), inverse = rounded > 0 ? 1.0f / rounded : 0;
    for (int j = 0; j < 32; j++) out[j] = (int8_t)lrintf(fmaxf(-127, fminf(127, padded[j] * inverse)));
    return scale;
}

static void store_int8_head(const float *keys, const float *values, int32_t dim, int32_t padded, int slot,
    uint8_t *key_block, uint8_t *value_block) {
    uint8_t *key_scales = key_block + 16 * padded, *value_scales = value_block + 16 * padded;
    for (int32_t i = 0; i < padded; i += 32) {
        int8_t quants[32];
        uint16_t scale = quantize_32(keys + i, dim - i, quants);
        for (int j = 0; j < 32; j++) key_block[(i + j) * CK_CACHE_BLOCK + slot] = (uint8_t)quants[j];
        memcpy(key_scales + 2 * (i / 32 * CK_CACHE_BLOCK + slot), &scale, 2);
        scale = quantize_32(values + i, dim - i, (int8_t *)value_block + slot * padded + i);
        memcpy(value_scales + 2 * (slot * (padded / 32) + i / 32), &scale, 2);
    }
}

static void store(const ck_cache *c, int64_t position, const float *keys, const float *values) {
    int64_t offset = position / CK_CACHE_BLOCK * cache_block_bytes(c);
    int slot = (int)(position % CK_CACHE_BLOCK);
    for (int32_t h = 0; h < c->head_count; h++) {
        uint8_t *key_block = c->keys + h * c->plane_bytes + offset,
                *value_block = c->values + h * c->plane_bytes + offset;
        const float *k = keys + (int64_t)h * c->head_dim, *v = values + (int64_t)h * c->head_dim;
        if (c->type == CK_CACHE_F16) {
            uint16_t *column = (uint16_t *)(void *)key_block + slot;
            uint16_t *row = (uint16_t *)(void *)value_block + slot * c->padded_dim;
            store_half_head(k, v, c->head_dim, c->padded_dim, column, row);
        } else {
            store_int8_head(k, v, c->head_dim, c->padded_dim, slot, key_block, value_block);
        }
    }
}

// MARK: - Scores

/// scores[r][16] = queries[r] . keys of the block's 16 positions.
INLINE void block_scores(
    ck_cache_type type, int rows, int32_t dim, const float *q, const uint8_t *block, float *scores) {
    vf acc[QUERY_ROWS][BLOCK_VECTORS];
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < BLOCK_VECTORS; v++) acc[r][v] = vf_set1(0);
    if (type == CK_CACHE_F16) {
        for (int32_t d = 0; d < dim; d++) {
            vf k[BLOCK_VECTORS];
            for (int v = 0; v < BLOCK_VECTORS; v++) k[v] = vf_load_half(block + 32 * d + 2 * v * VF);
            for (int r = 0; r < rows; r++) {
                vf x = vf_set1(q[r * dim + d]);
                for (int v = 0; v < BLOCK_VECTORS; v++) acc[r][v] = vf_fma(x, k[v], acc[r][v]);
            }
        }
    } else {
        const int8_t *quants = (const int8_t *)block;
        for (int32_t g = 0; g < dim / 32; g++) {
            vf part[QUERY_ROWS][BLOCK_VECTORS];
            for (int r = 0; r < rows; r++)
                for (int v = 0; v < BLOCK_VECTORS; v++) part[r][v] = vf_set1(0);
            for (int32_t d = 32 * g; d < 32 * g + 32; d++) {
                vf k[BLOCK_VECTORS];
                for (int v = 0; v < BLOCK_VECTORS; v++) k[v] = vf_load_int8(quants + 16 * d + v * VF);
                for (int r = 0; r < rows; r++) {
                    vf x = vf_set1(q[r * dim + d]);
                    for (int v = 0; v < BLOCK_VECTORS; v++) part[r][v] = vf_fma(x, k[v], part[r][v]);
                }
            }
            for (int v = 0; v < BLOCK_VECTORS; v++) {
                vf scale = vf_load_half(block + 16 * dim + 2 * (16 * g + v * VF));
                for (int r = 0; r < rows; r++) acc[r][v] = vf_fma(part[r][v], scale, acc[r][v]);
            }
        }
    }
    for (int r = 0; r < rows; r++) {
        for (int v = 0; v < BLOCK_VECTORS; v++) vf_store(scores + r * STEP + v * VF, acc[r][v]);
    }
}

// MARK: - Weighted values

/// sums[r][d..<d + VF * vectors] += scores[r][p] * values[p], over the first `count` positions of the blocks.
INLINE void block_values(ck_cache_type type, int rows, int vectors, int32_t dim, int32_t d,
    const uint8_t *blocks, int64_t block_bytes, int count, const float *scores, float *sums) {
    vf acc[QUERY_ROWS][2];
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < vectors; v++) acc[r][v] = vf_load(sums + r * dim + d + v * VF);
    for (int p = 0; p < count; p++) {
        const uint8_t *block = blocks + p / CK_CACHE_BLOCK * block_bytes;
        int slot = p % CK_CACHE_BLOCK;
        vf value[2];
        for (int v = 0; v < vectors; v++) {
            int32_t column = d + v * VF;
            if (type == CK_CACHE_F16) {
                value[v] = vf_load_half(block + 2 * (slot * dim + column));
            } else {
                float scale =
                    half_to_float(load_u16(block + 16 * dim + 2 * (slot * (dim / 32) + column / 32)));
                value[v] = vf_mul(vf_load_int8((const int8_t *)block + slot * dim + column), vf_set1(scale));
            }
        }
        for (int r = 0; r < rows; r++) {
            vf weight = vf_set1(scores[r * STEP + p]);
            for (int v = 0; v < vectors; v++) acc[r][v] = vf_fma(weight, value[v], acc[r][v]);
        }
    }
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < vectors; v++) vf_store(sums + r * dim + d + v * VF, acc[r][v]);
}

// MARK: - Online softmax

/// Turns the scores of one step into exp(score - maximum), rescaling what was summed before.
static void softmax_step(
    float *scores, int64_t visible, int count, int32_t dim, float *sums, float *maximum, float *weight) {
    int seen = visible < count ? (int)visible : count;
    if (seen <= 0) {
        memset(scores, 0, STEP * 4);
        return;
    }
    for (int p = seen; p < STEP; p++) scores[p] = -INFINITY;
    vf top = vf_load(scores);
    for (int p = VF; p < STEP; p += VF) top = vf_max(top, vf_load(scores + p));
    float greatest = fmaxf(*maximum, vf_greatest(top));
    if (greatest > *maximum) {
        if (*weight > 0) {
            float scale = expf(*maximum - greatest);
            *weight *= scale;
            for (int32_t d = 0; d < dim; d += VF)
                vf_store(sums + d, vf_mul(vf_load(sums + d), vf_set1(scale)));
        }
        *maximum = greatest;
    }
    vf total = vf_set1(0);
    for (int p = 0; p < STEP; p += VF) {
        vf e = vf_exp(vf_sub(vf_load(scores + p), vf_set1(greatest)));
        vf_store(scores + p, e);
        total = vf_add(total, e);
    }
    for (int p = seen; p < STEP; p++) scores[p] = 0;
    *weight += vf_sum(total);
}

INLINE void attention_step(ck_cache_type type, const ck_cache *c, const uint8_t *keys, const uint8_t *values,
    const float *q, int32_t rows, const int64_t *limits, int64_t position, int count, float *sums,
    float *maxima, float *weights) {
    const int32_t dim = c->padded_dim;
    const int64_t block_bytes = cache_block_bytes(c);
    float scores[CK_ATTENTION_ROWS * STEP];
    for (int b = 0; b < count; b += CK_CACHE_BLOCK) {
        const uint8_t *block = keys + b / CK_CACHE_BLOCK * block_bytes;
        int r = 0;
        for (; r + QUERY_ROWS <= rows; r += QUERY_ROWS) {
            block_scores(type, QUERY_ROWS, dim, q + r * dim, block, scores + r * STEP + b);
        }
        for (; r + 2 <= rows && QUERY_ROWS > 2; r += 2) {
            block_scores(type, 2, dim, q + r * dim, block, scores + r * STEP + b);
        }
        for (; r < rows; r++) block_scores(type, 1, dim, q + r * dim, block, scores + r * STEP + b);
    }
    for (int r = 0; r < rows; r++) {
        softmax_step(
            scores + r * STEP, limits[r] - position, count, dim, sums + r * dim, maxima + r, weights + r);
    }
    for (int32_t d = 0; d < dim;) {
        bool pair = d + 2 * VF <= dim;
        int r = 0;
        for (; r + QUERY_ROWS <= rows; r += QUERY_ROWS) {
            if (pair)
                block_values(type, QUERY_ROWS, 2, dim, d, values, block_bytes, count, scores + r * STEP,
                    sums + r * dim);
            else
                block_values(type, QUERY_ROWS, 1, dim, d, values, block_bytes, count, scores + r * STEP,
                    sums + r * dim);
        }
        for (; r < rows; r++) {
            if (pair)
                block_values(
                    type, 1, 2, dim, d, values, block_bytes, count, scores + r * STEP, sums + r * dim);
            else
                block_values(
                    type, 1, 1, dim, d, values, block_bytes, count, scores + r * STEP, sums + r * dim);
        }
        d += pair ? 2 * VF : VF;
    }
}

static void attention(const ck_cache *c, int32_t head, const float *queries, int32_t rows,
    const int64_t *limits, int64_t from, int64_t to, float *sums, float *maxima, float *weights) {
    const int64_t block_bytes = cache_block_bytes(c);
    memset(sums, 0, (size_t)rows * (size_t)c->padded_dim * 4);
    for (int r = 0; r < rows; r++) {
        maxima[r] = -INFINITY;
        weights[r] = 0;
    }
    for (int64_t p = from; p < to; p += STEP) {
        int count = to - p < STEP ? (int)(to - p) : STEP;
        int64_t offset = head * c->plane_bytes + p / CK_CACHE_BLOCK * block_bytes;
        const uint8_t *keys = c->keys + offset, *values = c->values + offset;
        if (c->type == CK_CACHE_F16) {
            attention_step(
                CK_CACHE_F16, c, keys, values, queries, rows, limits, p, count, sums, maxima, weights);
        } else {
            attention_step(
                CK_CACHE_Q8_0, c, keys, values, queries, rows, limits, p, count, sums, maxima, weights);
        }
    }
}
