// Convolutions as products, without a matrix of all patches: a block of pixels gathers its patches for a few
// channels, the weights of these channels become f32, and both are multiplied while they are in the cache.
#pragma once

#include "tile.h"

enum {
    /// Columns of the left side that are multiplied at a time.
    PRODUCT_DEPTH = 512,
};

/// b[k * k * channels][width]: the weights of channels from `first` on and of columns column..<column+width,
/// as f32, the kernel's points before the channels.
INLINE void load_weights(ck_type type, const ck_matrix *w, int64_t points, int64_t first, int64_t channels,
    int64_t column, int64_t width, float *b) {
    const int64_t size = type == CK_F32 ? 4 : 2, panel = CK_PANEL_ROWS * size;
    if (w->packed) {
        for (int64_t n = 0; n < width; n += CK_PANEL_ROWS) {
            const uint8_t *source =
                (const uint8_t *)w->bytes + (column + n) / CK_PANEL_ROWS * w->columns * panel
                + first * points * panel;
            for (int64_t c = 0; c < channels; c++) {
                for (int64_t p = 0; p < points; p++, source += panel) {
                    float *out = b + (p * channels + c) * width + n;
                    for (int v = 0; v < CK_PANEL_ROWS / VF; v++) {
                        vf_store(out + v * VF, load_weight(type, source + v * VF * size));
                    }
                }
            }
        }
        return;
    }
    for (int64_t n = 0; n < width; n++) {
        if (column + n >= w->rows) {
            for (int64_t k = 0; k < channels * points; k++) b[k * width + n] = 0;
            continue;
        }
        const uint8_t *row =
            (const uint8_t *)w->bytes + ((column + n) * w->columns + first * points) * size;
        int64_t k = 0;
        for (; points == 1 && k + VF <= channels; k += VF) {
            float v[VF];
            vf_store(v, load_weight(type, row + k * size));
            for (int j = 0; j < VF; j++) b[(k + j) * width + n] = v[j];
        }
        for (; k < channels * points; k++) {
            b[(k % points * channels + k / points) * width + n] = load_weight_1(type, row + k * size);
        }
    }
}

#define LOAD_WEIGHTS_OF(type, ...) load_weights(type, __VA_ARGS__)

INLINE void copy_floats(const float *source, int64_t count, float *out) {
    int64_t n = 0;
    for (; n + VF <= count; n += VF) vf_store(out + n, vf_load(source + n));
    for (; n < count; n++) out[n] = source[n];
}

/// a[count][k * k * channels]: the patches of pixels from `first` on, channels from `channel` on; zeros
/// outside of the map.
static void gather(const ck_convolution *c, int64_t first, int64_t count, int64_t channel, int64_t channels,
    float *a) {
    for (int64_t m = first; m < first + count; m++) {
        const int64_t top = m / c->out_width * c->stride - c->top,
                      left = m % c->out_width * c->stride - c->left;
        for (int64_t i = top; i < top + c->size; i++) {
            for (int64_t j = left; j < left + c->size; j++, a += channels) {
                if (i < 0 || i >= c->height || j < 0 || j >= c->width) memset(a, 0, (size_t)channels * 4);
                else copy_floats(c->x + (i * c->width + j) * c->channels + channel, channels, a);
            }
        }
    }
}

INLINE void finish_product(ck_activation activation, const ck_convolution *c, int64_t first, int64_t count,
    int64_t column, int64_t columns, int64_t width, const float *sums) {
    const bool stream = streams(c);
    float shift[TILE_COLUMNS];
    load_shift(c, column, columns, shift);
    for (int64_t m = 0; m < count; m++) {
        const int64_t at = (first + m) * c->weights.rows + column;
        const float *residual = c->residual ? c->residual + at : NULL;
        finish(activation, stream, sums + m * width, shift, residual, columns, c->y + at);
    }
    if (stream) vf_end_stream();
}

#define FINISH_PRODUCT_OF(activation, ...) finish_product(activation, __VA_ARGS__)

static void product(const ck_convolution *c, int64_t first, int64_t count, int64_t column, int64_t columns,
    float *scratch) {
    const int64_t points = c->size * c->size, all = c->channels;
    const bool in_place = c->size == 1 && c->out_height == c->height && c->out_width == c->width;
    // A whole number of vectors, and chunks of nearly the same depth.
    const int64_t most = PRODUCT_DEPTH / points / 16 * 16, chunks = (all + most - 1) / most;
    const int64_t step = ((all + chunks - 1) / chunks + 15) / 16 * 16;
    float *patches = scratch, *b = scratch + CK_PRODUCT_ROWS * PRODUCT_DEPTH, *sums = b + PRODUCT_DEPTH * 32;
    for (int64_t channel = 0; channel < all; channel += step) {
        const int64_t channels = all - channel < step ? all - channel : step, depth = channels * points;
        const float *a = in_place ? c->x + first * all + channel : patches;
        if (!in_place) gather(c, first, count, channel, channels, patches);
        for (int64_t n = column; n < column + columns; n += TILE_COLUMNS) {
            const int64_t width = block_width(&c->weights, n);
            FOR_FLOAT_TYPE(
                c->weights.type, LOAD_WEIGHTS_OF, &c->weights, points, channel, channels, n, width, b)
            multiply_block(count, width, depth, a, in_place ? all : depth, b,
                sums + (n - column) * CK_PRODUCT_ROWS, channel > 0);
        }
    }
    for (int64_t n = column; n < column + columns; n += TILE_COLUMNS) {
        const int64_t used = column + columns - n < TILE_COLUMNS ? column + columns - n : TILE_COLUMNS;
        const int64_t width = block_width(&c->weights, n);
        FOR_ACTIVATION(c->activation, FINISH_PRODUCT_OF, c, first, count, n, used, width,
            sums + (n - column) * CK_PRODUCT_ROWS)
    }
}
