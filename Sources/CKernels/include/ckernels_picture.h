/// Kernels of picture networks beside products and convolutions: activations, norms, attention.
///
/// As in ckernels.h every function works on its caller's memory, and within a table a result depends only on
/// its own inputs. S: rows (tokens or pixels), T: rows of the context, C: channels, D: head dimension.
#pragma once

#include "ckernels.h"

/// A function applied to every element.
typedef enum {
    CK_ACTIVATION_NONE,
    /// x / (1 + exp(-x))
    CK_ACTIVATION_SILU,
    /// max(x, 0)
    CK_ACTIVATION_RELU,
    /// x Φ(x), with the error function
    CK_ACTIVATION_GELU,
    /// x / (1 + exp(-1.702 x))
    CK_ACTIVATION_QUICK_GELU,
} ck_activation;

/// Keys of one tile of attention, and the channels that a packed head is padded to a multiple of.
enum { CK_ATTENTION_KEYS = 64, CK_ATTENTION_CHANNELS = 8 };

/// Keys and values [T, D] of one head as `attend` reads them: tile by tile of 64 keys, each tile [64, D padded
/// to a multiple of 8] in an order of the instruction set's own.
typedef struct {
    float *_Nonnull keys;
    float *_Nonnull values;
    int64_t rows;
    int32_t head_dim;
} ck_context;

/// The kernels of one instruction set.
typedef struct {
    ck_isa isa;
    /// Query rows that one call of `attend` takes at most.
    int32_t attention_rows;

    /// y = activation(x), over n elements; y may be x.
    void (*_Nonnull activate)(
        ck_activation activation, const float *_Nonnull x, int64_t n, float *_Nonnull y);

    /// y = x * gelu(gate), over n elements.
    void (*_Nonnull gelu_multiply)(
        const float *_Nonnull x, const float *_Nonnull gate, int64_t n, float *_Nonnull y);

    /// y = (x - mean(x)) / sqrt(variance(x) + epsilon) * weight + bias, over n elements.
    void (*_Nonnull layer_norm)(const float *_Nonnull x, const float *_Nonnull weight,
        const float *_Nonnull bias, float epsilon, int64_t n, float *_Nonnull y);

    /// Of each of `group_count` groups of neighbouring channels of x [rows, channels] the mean and the sum of
    /// the squared differences from it, at `moments[2 * group]`.
    void (*_Nonnull group_moments)(const float *_Nonnull x, int64_t rows, int64_t channels,
        int64_t group_count, double *_Nonnull moments);

    /// y = activation(x * scale + shift) for x [rows, channels] and `scale` and `shift` [channels].
    void (*_Nonnull scale_channels)(const float *_Nonnull x, int64_t rows, int64_t channels,
        const float *_Nonnull scale, const float *_Nonnull shift, ck_activation activation,
        float *_Nonnull y);

    /// Packs one tile of keys and values, rows of `stride` elements, into `context`.
    void (*_Nonnull pack_context)(const ck_context *_Nonnull context, int64_t tile,
        const float *_Nonnull keys, const float *_Nonnull values, int64_t stride);

    /// out = softmax(q . keys * scale) . values for `rows` (at most `attention_rows`) rows of q and out, of
    /// `stride` elements. Row r sees the first `visible + r * step` keys (at least 1), and no more than there
    /// are. `scratch` has ck_attention_scratch(D, attention_rows) floats and begins at a multiple of 64 bytes.
    void (*_Nonnull attend)(const ck_context *_Nonnull context, const float *_Nonnull q, int64_t rows,
        int64_t stride, float scale, int64_t visible, int64_t step, float *_Nonnull scratch,
        float *_Nonnull out);
} ck_picture_kernels;

/// The kernels of `isa`, or of the best lower level where this machine lacks it.
const ck_picture_kernels *_Nonnull ck_picture_kernels_for(ck_isa isa);

/// Floats of the keys (or of the values) of a packed context.
int64_t ck_context_floats(int64_t rows, int32_t head_dim);

/// Floats that one call of `attend` works in.
int64_t ck_attention_scratch(int32_t head_dim, int32_t rows);
