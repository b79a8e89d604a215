/// Kernels of convolutions and of products with float weights and many rows.
///
/// As in ckernels.h every function works on its caller's memory, and within a table a result depends only on
/// its own inputs, never on how the work was split. Maps are channels last.
/// H, W: rows and pixels of a row; I, O: channels of input and output; k: rows and columns of the kernel.
#pragma once

#include "ckernels_picture.h"

/// y = activation(x convolved with weights + bias + offsets + residual). A product of matrices [S, K] and
/// [N, K] transposed is a convolution with k = 1 of a map of one row of S pixels.
typedef struct {
    /// [H, W, I]
    const float *_Nonnull x;
    int64_t height, width, channels;
    /// Float weights [O, I * k * k], packed or as in their file.
    ck_matrix weights;
    /// k, the step of the kernel, and the zeros above and to the left of the map.
    int32_t size, stride, top, left;
    /// [H', W', O]; what lies below and to the right of the map counts as zeros.
    float *_Nonnull y;
    int64_t out_height, out_width;
    /// [O] or NULL
    const float *_Nullable bias, *_Nullable offsets;
    /// [H', W', O] or NULL
    const float *_Nullable residual;
    ck_activation activation;
} ck_convolution;

enum {
    /// Upper bounds of one call of `product`.
    CK_PRODUCT_ROWS = 192,
    CK_PRODUCT_COLUMNS = 128,
    /// Floats of scratch memory that a call of `product` needs.
    CK_PRODUCT_SCRATCH = CK_PRODUCT_ROWS * (512 + CK_PRODUCT_COLUMNS) + 512 * 32,
    /// Products that Winograd's F(4x4, 3x3) takes for 16 pixels.
    CK_WINOGRAD_POINTS = 36,
    /// Floats left free behind the plane of each point: transforms write to all planes at once, and planes of
    /// 4096 bytes would share one set of the cache.
    CK_WINOGRAD_GAP = 16,
};

/// A convolution with k = 3 and stride 1 by Winograd's minimal filtering F(4x4, 3x3) (Lavin and Gray 2016),
/// of tiles first..<first+count of 4 x 4 output pixels, counted row by row.
typedef struct {
    const ck_convolution *_Nonnull convolution;
    int64_t first, count;
    /// Input channels that are transformed and multiplied at a time.
    int64_t depth;
    /// The transformed tiles: for every `depth` channels (the last time fewer) 36 planes [count, channels].
    float *_Nonnull tiles;
    /// The transformed weights of all columns, for every block of `columns` and there for every `depth`
    /// channels 36 planes [channels, columns]; NULL to have them transformed where they are needed.
    const float *_Nullable weights;
} ck_winograd;

/// Floats of 36 planes of `size` floats.
static inline int64_t ck_winograd_planes(int64_t size) {
    return CK_WINOGRAD_POINTS * (size + CK_WINOGRAD_GAP);
}

/// Floats that `tiles` of a `ck_winograd` has room for.
static inline int64_t ck_winograd_tile_floats(int64_t count, int64_t channels, int64_t depth) {
    return (channels + depth - 1) / depth * ck_winograd_planes(count * depth);
}

/// Floats that `weights` of a `ck_winograd` has room for, of one block of columns.
static inline int64_t ck_winograd_weight_floats(int64_t columns, int64_t channels, int64_t depth) {
    return (channels + depth - 1) / depth * ck_winograd_planes(depth * columns);
}

/// Floats that a call of `winograd` needs beside.
static inline int64_t ck_winograd_scratch_floats(int64_t columns, int64_t count, int64_t depth) {
    return ck_winograd_planes(count * columns) + ck_winograd_planes(depth * columns);
}

/// The kernels of one instruction set.
typedef struct {
    ck_isa isa;
    /// Output channels that are multiplied at a time: 16 or 32. Ranges of columns begin at a multiple of it.
    int64_t columns;

    /// Pixels first..<first+count (at most CK_PRODUCT_ROWS) and channels column..<column+columns (at most
    /// CK_PRODUCT_COLUMNS) of the result.
    void (*_Nonnull product)(const ck_convolution *_Nonnull c, int64_t first, int64_t count, int64_t column,
        int64_t columns, float *_Nonnull scratch);

    /// Transforms tiles first..<first+count, counted from the beginning of `w->tiles`.
    void (*_Nonnull transform_tiles)(const ck_winograd *_Nonnull w, int64_t first, int64_t count);

    /// Transforms the weights of the block of columns that begins at `column`, all input channels, into
    /// `out`, which has room for all columns.
    void (*_Nonnull transform_weights)(const ck_winograd *_Nonnull w, int64_t column, float *_Nonnull out);

    /// Channels column..<column+columns of the result for tiles first..<first+count, counted from the
    /// beginning of `w->tiles`.
    void (*_Nonnull winograd)(const ck_winograd *_Nonnull w, int64_t first, int64_t count, int64_t column,
        int64_t columns, float *_Nonnull scratch);
} ck_convolution_kernels;

/// The kernels of `isa`, or of the best lower level where this machine lacks it.
const ck_convolution_kernels *_Nonnull ck_convolution_kernels_for(ck_isa isa);

/// The scalar twin of `product` and `winograd`, all of the result: sums in f64 of dequantised weights, which
/// are not packed.
void ck_ref_convolve(const ck_convolution *_Nonnull c);
