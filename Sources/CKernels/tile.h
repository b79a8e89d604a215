// The register tile of products in f32, written once over a vector layer: a few rows of the left side times a
// block of columns of the right one, whose sums stay in registers.
#pragma once

#include "vector_kernels.h"

enum {
    /// Vectors of a row of the tile, and the columns they hold.
    TILE_VECTORS = VF == 1 ? 16 : VF == 4 ? 4 : 2,
    TILE_COLUMNS = TILE_VECTORS * VF,
    /// Rows whose sums fit the registers beside one row of the right side.
    TILE_HEIGHT = VF == 16 ? 12 : VF == 1 ? 1 : 6,
};

/// sums[rows][vectors * VF] (+)= a[rows][depth] * b[depth][vectors * VF]
INLINE void tile(int rows, int vectors, int64_t depth, const float *a, int64_t a_stride, const float *b,
    float *sums, bool accumulate) {
    // One address for every three rows: with one each there were not enough registers.
    const float *p[4] = {a, a + 3 * a_stride, a + 6 * a_stride, a + 9 * a_stride};
    vf acc[TILE_HEIGHT][TILE_VECTORS];
#pragma GCC unroll 12
    for (int m = 0; m < rows; m++) {
#pragma GCC unroll 16
        for (int v = 0; v < vectors; v++) {
            acc[m][v] = accumulate ? vf_load(sums + (m * vectors + v) * VF) : vf_set1(0);
        }
    }
    // Rows that are far apart are not fetched ahead by themselves: those of the next tile, 16 columns at once.
#pragma GCC unroll 1
    for (int64_t k0 = 0; k0 < depth; k0 += 16) {
#pragma GCC unroll 12
        for (int m = 0; m < rows; m++) __builtin_prefetch(p[m / 3] + k0 + (m % 3 + rows) * a_stride);
        const int64_t end = k0 + 16 < depth ? k0 + 16 : depth;
#pragma GCC unroll 1
        for (int64_t k = k0; k < end; k++) {
            vf w[TILE_VECTORS];
#pragma GCC unroll 16
            for (int v = 0; v < vectors; v++) w[v] = vf_load(b + (k * vectors + v) * VF);
#pragma GCC unroll 12
            for (int m = 0; m < rows; m++) {
                vf x = vf_set1(p[m / 3][k + m % 3 * a_stride]);
#pragma GCC unroll 16
                for (int v = 0; v < vectors; v++) acc[m][v] = vf_fma(x, w[v], acc[m][v]);
            }
        }
    }
#pragma GCC unroll 12
    for (int m = 0; m < rows; m++) {
#pragma GCC unroll 16
        for (int v = 0; v < vectors; v++) vf_store(sums + (m * vectors + v) * VF, acc[m][v]);
    }
}

#define TILE_OF(rows)                                                                                        \
    case rows:                                                                                               \
        if (TILE_HEIGHT >= rows) {                                                                           \
            tile(TILE_HEIGHT >= rows ? rows : 1, vectors, depth, a, a_stride, b, sums, accumulate);          \
        }                                                                                                    \
        break;

/// All rows of `a`, cut into tiles of nearly the same height.
INLINE void multiply_tiles(int64_t rows, int vectors, int64_t depth, const float *a, int64_t a_stride,
    const float *b, float *sums, bool accumulate) {
    for (int64_t tiles = (rows + TILE_HEIGHT - 1) / TILE_HEIGHT; tiles > 0; tiles--) {
        const int64_t height = (rows + tiles - 1) / tiles;
        switch (height) {
            TILE_OF(1)
            TILE_OF(2)
            TILE_OF(3)
            TILE_OF(4)
            TILE_OF(5)
            TILE_OF(6)
            TILE_OF(7)
            TILE_OF(8)
            TILE_OF(9)
            TILE_OF(10)
            TILE_OF(11)
            TILE_OF(12)
        default: break;
        }
        rows -= height;
        a += height * a_stride;
        sums += height * vectors * VF;
    }
}

static void multiply_whole_block(int64_t rows, int64_t depth, const float *a, int64_t a_stride,
    const float *b, float *sums, bool accumulate) {
    multiply_tiles(rows, TILE_VECTORS, depth, a, a_stride, b, sums, accumulate);
}

static void multiply_panel(int64_t rows, int64_t depth, const float *a, int64_t a_stride, const float *b,
    float *sums, bool accumulate) {
    multiply_tiles(rows, CK_PANEL_ROWS / VF, depth, a, a_stride, b, sums, accumulate);
}

/// sums[rows][width] (+)= a[rows][depth] * b[depth][width] with a width of 16 or TILE_COLUMNS.
INLINE void multiply_block(int64_t rows, int64_t width, int64_t depth, const float *a, int64_t a_stride,
    const float *b, float *sums, bool accumulate) {
    if ((int)TILE_COLUMNS == (int)CK_PANEL_ROWS || width == TILE_COLUMNS)
        multiply_whole_block(rows, depth, a, a_stride, b, sums, accumulate);
    else multiply_panel(rows, depth, a, a_stride, b, sums, accumulate);
}

/// The columns of the block that begins at `column`: TILE_COLUMNS, or the 16 of a last panel.
INLINE int64_t block_width(const ck_matrix *w, int64_t column) {
    int64_t left = (w->rows - column + CK_PANEL_ROWS - 1) / CK_PANEL_ROWS * CK_PANEL_ROWS;
    return left < TILE_COLUMNS ? left : TILE_COLUMNS;
}

// MARK: - What happens to sums as they are written

/// Whether the result is written past the caches: a large one would only push out what is needed again, and
/// each of its lines would be read before it is written.
INLINE bool streams(const ck_convolution *c) {
    const int64_t bytes = c->out_height * c->out_width * c->weights.rows * 4;
    return bytes >= 32 << 20 && c->weights.rows % VF == 0 && (uintptr_t)c->y % sizeof(vf) == 0;
}

/// y = activation(sums + shift + residual) for `count` channels of one pixel, past the caches with `stream`.
INLINE void finish(ck_activation activation, bool stream, const float *sums, const float *shift,
    const float *residual, int64_t count, float *y) {
    int64_t n = 0;
    for (; n + VF <= count; n += VF) {
        vf value = vf_add(vf_load(sums + n), vf_load(shift + n));
        if (residual) value = vf_add(value, vf_load(residual + n));
        value = vf_activate(activation, value);
        if (stream) vf_stream(y + n, value);
        else vf_store(y + n, value);
    }
    if (n < count) {
        float rest[VF] = {0}, out[VF];
        for (int64_t i = n; i < count; i++) rest[i - n] = sums[i] + shift[i] + (residual ? residual[i] : 0);
        vf_store(out, vf_activate(activation, vf_load(rest)));
        memcpy(y + n, out, (size_t)(count - n) * 4);
    }
}

/// shift[n] = bias + offsets of channels column..<column+count.
INLINE void load_shift(const ck_convolution *c, int64_t column, int64_t count, float *shift) {
    for (int64_t n = 0; n < count; n++) {
        shift[n] = (c->bias ? c->bias[column + n] : 0) + (c->offsets ? c->offsets[column + n] : 0);
    }
}

/// Calls `f` with the activation as a constant.
#define FOR_ACTIVATION(activation, f, ...)                                                                   \
    switch (activation) {                                                                                    \
    case CK_ACTIVATION_SILU: f(CK_ACTIVATION_SILU, __VA_ARGS__); break;                                      \
    case CK_ACTIVATION_RELU: f(CK_ACTIVATION_RELU, __VA_ARGS__); break;                                      \
    case CK_ACTIVATION_GELU: f(CK_ACTIVATION_GELU, __VA_ARGS__); break;                                      \
    case CK_ACTIVATION_QUICK_GELU: f(CK_ACTIVATION_QUICK_GELU, __VA_ARGS__); break;                          \
    default: f(CK_ACTIVATION_NONE, __VA_ARGS__); break;                                                      \
    }

/// Calls `f` with the type of float weights as a constant.
#define FOR_FLOAT_TYPE(type, f, ...)                                                                         \
    switch (type) {                                                                                          \
    case CK_F32: f(CK_F32, __VA_ARGS__); break;                                                              \
    case CK_F16: f(CK_F16, __VA_ARGS__); break;                                                              \
    default: f(CK_BF16, __VA_ARGS__); break;                                                                 \
    }
