/// Flat C interface of Inkling's SIMD kernels.
///
/// Every function works on memory that its caller owns; none allocates, keeps state, or calls back.
/// Matrices are row-major. S: activation rows (tokens), K: columns (inputs), N: weight rows (outputs),
/// H: query heads, D: head dimension.
/// Kernels come in one table per instruction set (`ck_kernels_for`), all with the same results up to the
/// order of f32 sums; within a table a result depends only on its own inputs, never on how the work was
/// split.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

#if !defined(__clang__)
#define _Nonnull
#define _Nullable
#endif

/// Storage types of weights, laid out as in GGML's files.
typedef enum {
    CK_F32,
    CK_F16,
    CK_BF16,
    CK_Q4_0,
    CK_Q4_1,
    CK_Q5_0,
    CK_Q5_1,
    CK_Q8_0,
    CK_Q2_K,
    CK_Q3_K,
    CK_Q4_K,
    CK_Q5_K,
    CK_Q6_K,
    CK_IQ4_NL,
    CK_IQ4_XS,
    CK_TYPE_COUNT
} ck_type;

/// Levels of instruction sets; the later ones of one machine include the earlier.
typedef enum {
    CK_ISA_SCALAR,
    CK_ISA_AVX2,
    CK_ISA_AVX512_VNNI,
    CK_ISA_NEON,
    CK_ISA_NEON_DOTPROD,
} ck_isa;

/// Elements of one block of `type`: 1, 32 or 256.
int32_t ck_block_length(ck_type type);

/// Bytes of one block of `type`.
int32_t ck_block_bytes(ck_type type);

/// The widest instruction set that this machine runs.
ck_isa ck_best_isa(void);

/// `out[i]` = the value of element i of `count` elements; bit for bit what GGML's formulas give.
/// `count` is a multiple of the type's block length.
void ck_dequantize(ck_type type, const void *_Nonnull blocks, int64_t count, float *_Nonnull out);

/// Columns of one chunk of quantised activations.
enum { CK_CHUNK = 256 };

/// Activations [S, K], as f32 and, for quantised weights, as int8 in groups of 32.
///
/// The quantised parts are stored chunk by chunk of 256 columns (the last one shorter), in each chunk row by
/// row: with c the chunk and k its columns, row s begins at `quants[256 * c * S + s * k]`, and in the same
/// order at `scales` and `sums` (per 32) and `half_sums` (per 16).
typedef struct {
    int64_t rows, columns;
    /// Elements from one row of `values` to the next.
    int64_t stride;
    const float *_Nonnull values;
    /// round(x / scale), in -127...127.
    int8_t *_Nullable quants;
    /// max |x| / 127 of every 32.
    float *_Nullable scales;
    /// scale * sum of quants of every 32.
    float *_Nullable sums;
    /// scale * sum of quants of every 16.
    float *_Nullable half_sums;
    /// What rounding leaves, values - scale * quants, as [S, K]; NULL when nobody asks for it.
    float *_Nullable remainders;
} ck_activations;

/// Weights [N, K]: rows one after the other as in their file, or packed by `ck_pack`.
typedef struct {
    ck_type type;
    int64_t rows, columns;
    const void *_Nonnull bytes;
    bool packed;
} ck_matrix;

/// Rows of one panel of packed weights.
enum { CK_PANEL_ROWS = 16 };

/// Bytes of `rows` x `columns` packed weights, or 0 when there is no packed form of `type`.
int64_t ck_packed_bytes(ck_type type, int64_t rows, int64_t columns);

/// Packs panels first..<first+count of `w`, 16 rows each, into `out`, which has room for the whole matrix and
/// begins at a multiple of 64 bytes.
///
/// A panel holds its rows interleaved by 4 bytes (one vector has 4 columns of 16 rows), then the scales; of
/// float weights it is the transposed [K, 16]. The last panel is filled up with zeros.
void ck_pack(const ck_matrix *_Nonnull w, int64_t first, int64_t count, void *_Nonnull out);

/// One row of packed weights as it was in the file.
void ck_unpack_row(const ck_matrix *_Nonnull w, int64_t row, void *_Nonnull out);

/// Numbers kept for one key/value head: f16, or int8 with an f16 scale for every 32.
typedef enum { CK_CACHE_F16, CK_CACHE_Q8_0 } ck_cache_type;

/// Positions of one block of the attention cache.
enum { CK_CACHE_BLOCK = 16 };

/// Keys and values of one layer. Each head has one plane of keys and one of values, made of blocks of 16
/// positions: keys [D, 16] (transposed, so that 16 scores are one vector), values [16, D]; D padded with
/// zeros to `padded_dim`. With q8_0 the scales (f16) follow in the block: keys [D / 32, 16], values [16, D /
/// 32].
typedef struct {
    uint8_t *_Nonnull keys;
    uint8_t *_Nonnull values;
    /// Bytes from one head's plane to the next.
    int64_t plane_bytes;
    int32_t head_count, head_dim, padded_dim;
    ck_cache_type type;
} ck_cache;

/// Upper bounds of one call of `attention`.
enum { CK_ATTENTION_ROWS = 64, CK_MAX_HEAD_DIM = 512 };

/// The kernels of one instruction set.
typedef struct {
    ck_isa isa;
    /// Whether `multiply` takes packed weights.
    bool multiplies_packed;

    /// Fills the quantised part of `x` for rows first..<first+count from its `values`. K is a multiple of 32.
    void (*_Nonnull quantize)(const ck_activations *_Nonnull x, int64_t first, int64_t count);

    /// y[s, n] (+)= x[s, :] . w[n, :] for all S and n in first..<first+count; y has `y_stride` elements a
    /// row. Float weights, which are not packed here, read `x->values`, the others its quantised part. With
    /// packed weights `first` is a multiple of 16.
    void (*_Nonnull multiply)(const ck_matrix *_Nonnull w, int64_t first, int64_t count,
        const ck_activations *_Nonnull x, float *_Nonnull y, int64_t y_stride, bool accumulate);

    /// y[n] (+)= (coarse + fine) . w[n, :] for packed weights and one row of activations in two parts, each
    /// weight read once. NULL where `multiplies_packed` is false.
    void (*_Nullable multiply_pair)(const ck_matrix *_Nonnull w, int64_t first, int64_t count,
        const ck_activations *_Nonnull coarse, const ck_activations *_Nonnull fine, float *_Nonnull y,
        bool accumulate);

    /// y = x / rms(x) * weight, over n elements.
    void (*_Nonnull rms_norm)(
        const float *_Nonnull x, const float *_Nonnull weight, float epsilon, int64_t n, float *_Nonnull y);

    /// y = gate / (1 + exp(-gate)) * up.
    void (*_Nonnull silu_multiply)(
        const float *_Nonnull gate, const float *_Nonnull up, int64_t n, float *_Nonnull y);

    /// y += x.
    void (*_Nonnull add)(const float *_Nonnull x, int64_t n, float *_Nonnull y);

    /// Rotates `head_count` heads of `head_dim` in place by the angles whose `half` cosines and sines are
    /// given; pairs are (2i, 2i + 1) when interleaved, else (i, i + half). Elements from 2 * half on stay.
    void (*_Nonnull rotate)(float *_Nonnull x, int32_t head_count, int32_t head_dim,
        const float *_Nonnull cosines, const float *_Nonnull sines, int32_t half, bool interleaved);

    /// Writes one position's keys and values, [heads, D] each, into the cache.
    void (*_Nonnull store)(const ck_cache *_Nonnull cache, int64_t position, const float *_Nonnull keys,
        const float *_Nonnull values);

    /// Partial attention of one key/value head: `rows` (at most 64) queries [rows, padded_dim], already
    /// scaled, over positions from..<to, of which row r sees those below `limits[r]`. Gives the un-normalised
    /// sums [rows, padded_dim], the greatest score and the sum of exponentials of each row (-infinity and 0
    /// where it saw nothing). `from` is a multiple of 16.
    void (*_Nonnull attention)(const ck_cache *_Nonnull cache, int32_t head, const float *_Nonnull queries,
        int32_t rows, const int64_t *_Nonnull limits, int64_t from, int64_t to, float *_Nonnull sums,
        float *_Nonnull maxima, float *_Nonnull weights);
} ck_kernels;

/// The kernels of `isa`, or of the best lower level where this machine lacks it.
const ck_kernels *_Nonnull ck_kernels_for(ck_isa isa);

// MARK: - Reference twins: naive, for tests

/// The scalar twin of `quantize`.
void ck_ref_quantize(const ck_activations *_Nonnull x, int64_t first, int64_t count);

/// The scalar twin of `multiply`: products of dequantised weights and dequantised activations, summed in f64.
void ck_ref_multiply(const ck_matrix *_Nonnull w, int64_t first, int64_t count,
    const ck_activations *_Nonnull x, float *_Nonnull y, int64_t y_stride, bool accumulate);

/// f32 of an IEEE half.
float ck_half_to_float(uint16_t half);

/// The nearest IEEE half of an f32, ties to even.
uint16_t ck_float_to_half(float value);

/// The processor on which the calling thread runs; negative where the system does not tell.
int ck_processor(void);

/// Has the calling thread go on on another processor than this one, where it may use another.
///
/// A thread that is woken up often finds itself beside the one that woke it, although another processor idles; until
/// the system notices, some milliseconds later, the two take turns.
void ck_leave_processor(int processor);

/// Tells the processor that this thread spins.
static inline void ck_pause(void) {
#if defined(__x86_64__)
    _mm_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}
