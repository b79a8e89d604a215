// Winograd's minimal filtering F(4x4, 3x3): 16 output pixels from 36 products instead of 144.
// Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A (Lavin and Gray 2016), with the points 0, ±1, ±2 and infinity.
#pragma once

#include "product.h"

enum { POINTS = CK_WINOGRAD_POINTS, LINE_FLOATS = 16 };

/// Floats from one plane of `size` floats to the next.
INLINE int64_t plane(int64_t size) { return size + CK_WINOGRAD_GAP; }

/// Bᵀ d for one column or row of six.
INLINE void input_transform(const vf d[6], vf out[6]) {
    const vf two = vf_set1(2), four = vf_set1(4), five = vf_set1(-5);
    vf a = vf_fma(vf_set1(-4), d[2], d[4]), b = vf_fma(vf_set1(-4), d[1], d[3]);
    vf e = vf_sub(d[4], d[2]), f = vf_sub(d[3], d[1]);
    out[0] = vf_fma(four, d[0], vf_fma(five, d[2], d[4]));
    out[1] = vf_add(a, b);
    out[2] = vf_sub(a, b);
    out[3] = vf_fma(two, f, e);
    out[4] = vf_fma(vf_set1(-2), f, e);
    out[5] = vf_fma(four, d[1], vf_fma(five, d[3], d[5]));
}

/// G g for one column or row of three.
INLINE void weight_transform(const vf g[3], vf out[6]) {
    vf outer = vf_mul(vf_add(g[0], g[2]), vf_set1(-1.0f / 6)), middle = vf_mul(g[1], vf_set1(1.0f / 6));
    vf a = vf_fma(g[2], vf_set1(1.0f / 6), vf_mul(g[0], vf_set1(1.0f / 24)));
    vf b = vf_mul(g[1], vf_set1(1.0f / 12));
    out[0] = vf_mul(g[0], vf_set1(0.25f));
    out[1] = vf_sub(outer, middle);
    out[2] = vf_add(outer, middle);
    out[3] = vf_add(a, b);
    out[4] = vf_sub(a, b);
    out[5] = g[2];
}

/// Aᵀ m for one column or row of six.
INLINE void output_transform(const vf m[6], vf out[4]) {
    vf a = vf_add(m[1], m[2]), b = vf_sub(m[1], m[2]), e = vf_add(m[3], m[4]), f = vf_sub(m[3], m[4]);
    out[0] = vf_add(vf_add(m[0], a), e);
    out[1] = vf_fma(vf_set1(2), f, b);
    out[2] = vf_fma(vf_set1(4), e, a);
    out[3] = vf_add(vf_fma(vf_set1(8), f, b), m[5]);
}

// MARK: - Tiles

/// Bᵀ d B of one tile for a whole number of vectors of channels; point p goes to out + p * point_stride.
INLINE void transform_tile(const float *d, int64_t row_stride, int64_t pixel_stride, int64_t channels,
    float *out, int64_t point_stride) {
    for (int64_t c = 0; c < channels; c += VF) {
        vf half[6][6];
        for (int j = 0; j < 6; j++) {
            vf column[6], result[6];
            for (int i = 0; i < 6; i++) column[i] = vf_load(d + i * row_stride + j * pixel_stride + c);
            input_transform(column, result);
            for (int i = 0; i < 6; i++) half[i][j] = result[i];
        }
        for (int i = 0; i < 6; i++) {
            vf result[6];
            input_transform(half[i], result);
            for (int j = 0; j < 6; j++) vf_store(out + (i * 6 + j) * point_stride + c, result[j]);
        }
    }
}

/// Floats from one transformed tile to the next of the same point, so that vectors are whole.
INLINE int64_t padded(int64_t channels) { return (channels + VF - 1) / VF * VF; }

static void transform_tiles(const ck_winograd *w, int64_t first, int64_t count) {
    const ck_convolution *c = w->convolution;
    const int64_t tiles_of_row = (c->out_width + 3) / 4, pixel = c->channels, row = c->width * pixel;
    float edge[36 * 64];
    for (int64_t t = first; t < first + count; t++) {
        const int64_t top = (w->first + t) / tiles_of_row * 4 - c->top,
                      left = (w->first + t) % tiles_of_row * 4 - c->left;
        const bool inside = top >= 0 && left >= 0 && top + 6 <= c->height && left + 6 <= c->width;
        for (int64_t channel = 0; channel < c->channels; channel += w->depth) {
            const int64_t channels = c->channels - channel < w->depth ? c->channels - channel : w->depth;
            const int64_t stride = padded(channels);
            float *out =
                w->tiles + channel / w->depth * ck_winograd_planes(w->count * w->depth) + t * stride;
            const int64_t point_stride = plane(w->count * stride);
            if (inside && stride == channels) {
                transform_tile(c->x + top * row + left * pixel + channel, row, pixel, channels, out,
                    point_stride);
                continue;
            }
            for (int64_t k = 0; k < channels; k += 64) {
                const int64_t some = channels - k < 64 ? channels - k : 64;
                memset(edge, 0, sizeof edge);
                for (int64_t i = 0; i < 36; i++) {
                    const int64_t y = top + i / 6, z = left + i % 6;
                    if (y < 0 || y >= c->height || z < 0 || z >= c->width) continue;
                    copy_floats(c->x + y * row + z * pixel + channel + k, some, edge + i * 64);
                }
                transform_tile(edge, 6 * 64, 64, padded(some), out + k, point_stride);
            }
        }
    }
}

// MARK: - Weights

/// 36 planes u[channels][width] = G g Gᵀ of packed weights: `channels` from `first` on, `width` columns from
/// `column` on.
INLINE void transform_chunk(ck_type type, const ck_matrix *w, int64_t first, int64_t channels, int64_t column,
    int64_t width, float *u) {
    const int64_t size = type == CK_F32 ? 4 : 2, panel = CK_PANEL_ROWS * size;
    for (int64_t n = 0; n < width; n += CK_PANEL_ROWS) {
        const uint8_t *source = (const uint8_t *)w->bytes
                                + ((column + n) / CK_PANEL_ROWS * w->columns + first * 9) * panel;
        for (int64_t c = 0; c < channels; c++, source += 9 * panel) {
            for (int64_t v = 0; v < CK_PANEL_ROWS; v += VF) {
                vf half[6][3];
                for (int j = 0; j < 3; j++) {
                    vf g[3], result[6];
                    for (int i = 0; i < 3; i++) {
                        g[i] = load_weight(type, source + (i * 3 + j) * panel + v * size);
                    }
                    weight_transform(g, result);
                    for (int i = 0; i < 6; i++) half[i][j] = result[i];
                }
                for (int i = 0; i < 6; i++) {
                    vf result[6];
                    weight_transform(half[i], result);
                    for (int j = 0; j < 6; j++) {
                        vf_store(u + (i * 6 + j) * plane(channels * width) + c * width + n + v, result[j]);
                    }
                }
            }
        }
    }
}

#define TRANSFORM_CHUNK_OF(type, ...) transform_chunk(type, __VA_ARGS__)

static void transform_weights(const ck_winograd *w, int64_t column, float *out) {
    const ck_convolution *c = w->convolution;
    const int64_t width = block_width(&c->weights, column);
    out += column / TILE_COLUMNS * ck_winograd_weight_floats(TILE_COLUMNS, c->channels, w->depth);
    for (int64_t channel = 0; channel < c->channels; channel += w->depth) {
        const int64_t channels = c->channels - channel < w->depth ? c->channels - channel : w->depth;
        FOR_FLOAT_TYPE(c->weights.type, TRANSFORM_CHUNK_OF, &c->weights, channel, channels, column, width,
            out + channel / w->depth * ck_winograd_planes(w->depth * width))
    }
}

// MARK: - Products

/// Aᵀ m A of every tile, from 36 planes m[count][width], finished and written.
INLINE void finish_tiles(ck_activation activation, const ck_winograd *w, int64_t first, int64_t count,
    int64_t column, int64_t columns, int64_t width, const float *m) {
    const ck_convolution *c = w->convolution;
    const int64_t tiles_of_row = (c->out_width + 3) / 4, outputs = c->weights.rows;
    const bool stream = streams(c);
    float shift[TILE_COLUMNS];
    load_shift(c, column, columns, shift);
    for (int64_t t = 0; t < count; t++) {
        const int64_t top = (w->first + first + t) / tiles_of_row * 4,
                      left = (w->first + first + t) % tiles_of_row * 4;
        const int64_t rows = c->out_height - top < 4 ? c->out_height - top : 4,
                      pixels = c->out_width - left < 4 ? c->out_width - left : 4;
        // A line of the cache at a time: lines written in two goes past the caches cost twice.
        for (int64_t n = 0; n < columns; n += LINE_FLOATS) {
            const int64_t some = columns - n < LINE_FLOATS ? columns - n : LINE_FLOATS;
            float sums[4][4][LINE_FLOATS];
            for (int64_t v = 0; v < some; v += VF) {
                vf half[4][6], result[4];
                for (int j = 0; j < 6; j++) {
                    vf line[6];
                    for (int i = 0; i < 6; i++) {
                        line[i] = vf_load(m + (i * 6 + j) * plane(count * width) + t * width + n + v);
                    }
                    output_transform(line, result);
                    for (int i = 0; i < 4; i++) half[i][j] = result[i];
                }
                for (int i = 0; i < 4; i++) {
                    output_transform(half[i], result);
                    for (int j = 0; j < 4; j++) vf_store(sums[i][j] + v, result[j]);
                }
            }
            for (int i = 0; i < rows; i++) {
                for (int j = 0; j < pixels; j++) {
                    const int64_t at = ((top + i) * c->out_width + left + j) * outputs + column + n;
                    const float *residual = c->residual ? c->residual + at : NULL;
                    finish(activation, stream, sums[i][j], shift + n, residual, some, c->y + at);
                }
            }
        }
    }
    if (stream) vf_end_stream();
}

#define FINISH_TILES_OF(activation, ...) finish_tiles(activation, __VA_ARGS__)

static void winograd(const ck_winograd *w, int64_t first, int64_t count, int64_t column, int64_t columns,
    float *scratch) {
    const ck_convolution *c = w->convolution;
    for (int64_t n = column; n < column + columns; n += TILE_COLUMNS) {
        const int64_t width = block_width(&c->weights, n);
        float *m = scratch, *fresh = scratch + ck_winograd_planes(count * width);
        const float *kept = w->weights;
        if (kept) kept += n / TILE_COLUMNS * ck_winograd_weight_floats(TILE_COLUMNS, c->channels, w->depth);
        for (int64_t channel = 0; channel < c->channels; channel += w->depth) {
            const int64_t channels = c->channels - channel < w->depth ? c->channels - channel : w->depth;
            const int64_t stride = padded(channels), chunk = channel / w->depth;
            const float *v = w->tiles + chunk * ck_winograd_planes(w->count * w->depth) + first * stride;
            const float *u = fresh;
            if (kept) {
                u = kept + chunk * ck_winograd_planes(w->depth * width);
            } else {
                FOR_FLOAT_TYPE(c->weights.type, TRANSFORM_CHUNK_OF, &c->weights, channel, channels, n, width,
                    fresh)
            }
            for (int64_t p = 0; p < POINTS; p++) {
                multiply_block(count, width, channels, v + p * plane(w->count * stride), stride,
                    u + p * plane(channels * width), m + p * plane(count * width), channel > 0);
            }
        }
        const int64_t used = column + columns - n < TILE_COLUMNS ? column + columns - n : TILE_COLUMNS;
        FOR_ACTIVATION(c->activation, FINISH_TILES_OF, w, first, count, n, used, width, m)
    }
}

#define CK_CONVOLUTION_KERNELS(isa)                                                                          \
    { isa, TILE_COLUMNS, product, transform_tiles, transform_weights, winograd }
