// Shared by the kernels' implementation files; not part of the interface.
#pragma once

#include "ckernels_convolution.h"

#include <math.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

/// What the kernels need to know of a storage type. A quantised element is d * (q - offset) + m, with q
/// unsigned, d and m per group of 16 or 32; a type has either an offset or its own minimum m.
typedef struct {
    int32_t block_length, block_bytes;
    int32_t group;
    int32_t offset;
    bool has_minimum;
} ck_traits;

static const ck_traits ck_type_traits[CK_TYPE_COUNT] = {
    [CK_F32] = {1, 4, 1, 0, false},
    [CK_F16] = {1, 2, 1, 0, false},
    [CK_BF16] = {1, 2, 1, 0, false},
    [CK_Q4_0] = {32, 18, 32, 8, false},
    [CK_Q4_1] = {32, 20, 32, 0, true},
    [CK_Q5_0] = {32, 22, 32, 16, false},
    [CK_Q5_1] = {32, 24, 32, 0, true},
    [CK_Q8_0] = {32, 34, 32, 128, false},
    [CK_Q2_K] = {256, 84, 16, 0, true},
    [CK_Q3_K] = {256, 110, 16, 4, false},
    [CK_Q4_K] = {256, 144, 32, 0, true},
    [CK_Q5_K] = {256, 176, 32, 0, true},
    [CK_Q6_K] = {256, 210, 16, 32, false},
    [CK_IQ4_NL] = {32, 18, 32, 128, false},
    [CK_IQ4_XS] = {256, 136, 32, 128, false},
};

/// Values of IQ4_NL's and IQ4_XS's codes.
extern const int8_t ck_iq4_values[16];

/// Scalar unpacking of one block: quants[block_length], d and m per group.
void ck_ref_unpack(ck_type type, const uint8_t *block, uint8_t *quants, float *d, float *m);

INLINE uint16_t load_u16(const uint8_t *p) {
    uint16_t v;
    memcpy(&v, p, 2);
    return v;
}

INLINE uint32_t load_u32(const uint8_t *p) {
    uint32_t v;
    memcpy(&v, p, 4);
    return v;
}

INLINE float half_to_float(uint16_t h) {
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = (h >> 10) & 31, fraction = h & 1023, bits;
    if (exponent == 31) {
        bits = sign | 0x7F800000 | fraction << 13;
    } else if (exponent != 0) {
        bits = sign | (exponent + 112) << 23 | fraction << 13;
    } else {
        float value = (float)fraction * 0x1p-24f;
        return sign ? -value : value;
    }
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

INLINE float bfloat_to_float(uint16_t h) {
    uint32_t bits = (uint32_t)h << 16;
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

/// Where column k of row s lies in the quants of `x`.
INLINE int64_t activation_index(const ck_activations *x, int64_t s, int64_t k) {
    int64_t chunk = k / CK_CHUNK * CK_CHUNK;
    int64_t width = x->columns - chunk < CK_CHUNK ? x->columns - chunk : CK_CHUNK;
    return chunk * x->rows + s * width + k - chunk;
}

INLINE int64_t row_bytes(const ck_matrix *w) {
    const ck_traits *t = &ck_type_traits[w->type];
    return w->columns / t->block_length * t->block_bytes;
}

/// The packed form of a type: of each block the quants, `lines` times 4 bytes from `offset` on, become lines
/// of 64 bytes (16 rows); then come for each block `scale_bytes` of scales of the 16 rows.
typedef struct {
    int32_t offset, lines, scale_bytes;
} ck_packing;

static const ck_packing ck_packings[CK_TYPE_COUNT] = {
    [CK_Q4_0] = {2, 4, 32},    // scales: f16 d[16]
    [CK_Q4_1] = {4, 4, 64},    // f16 d[16], m[16]
    [CK_Q8_0] = {2, 8, 32},    // f16 d[16]
    [CK_Q4_K] = {16, 32, 320}, // f16 d[16], dmin[16], then scales u8[8][16], minima u8[8][16]
    [CK_Q5_K] = {16, 40, 320}, // the same
    [CK_Q6_K] = {0, 48, 288},  // f16 d[16], scales i8[16][16]
};

/// Calls `f` with the type as a constant, so that each type gets its own specialised code.
#define FOR_PACKED_TYPE(type, f, ...)                                                                        \
    switch (type) {                                                                                          \
    case CK_Q4_0: f(CK_Q4_0, __VA_ARGS__); break;                                                            \
    case CK_Q4_1: f(CK_Q4_1, __VA_ARGS__); break;                                                            \
    case CK_Q8_0: f(CK_Q8_0, __VA_ARGS__); break;                                                            \
    case CK_Q4_K: f(CK_Q4_K, __VA_ARGS__); break;                                                            \
    case CK_Q5_K: f(CK_Q5_K, __VA_ARGS__); break;                                                            \
    case CK_Q6_K: f(CK_Q6_K, __VA_ARGS__); break;                                                            \
    default: break;                                                                                          \
    }

/// Bytes of the lines of one panel, before its scales.
INLINE int64_t panel_line_bytes(ck_type type, int64_t columns) {
    return columns / ck_type_traits[type].block_length * ck_packings[type].lines * 64;
}

INLINE int64_t panel_bytes(ck_type type, int64_t columns) {
    int64_t scales = columns / ck_type_traits[type].block_length * ck_packings[type].scale_bytes;
    return panel_line_bytes(type, columns) + (scales + 63) / 64 * 64;
}

/// Scale and minimum j of the 12 packed bytes of Q4_K and Q5_K.
INLINE void scale_min_k4(int j, const uint8_t *q, uint8_t *d, uint8_t *m) {
    if (j < 4) {
        *d = q[j] & 63;
        *m = q[j + 4] & 63;
    } else {
        *d = (uint8_t)((q[j + 4] & 15) | (q[j - 4] >> 6) << 4);
        *m = (uint8_t)((q[j + 4] >> 4) | (q[j] >> 6) << 4);
    }
}

/// Scale j, in -32...31, of the 12 packed bytes of Q3_K.
INLINE int scale_k3(int j, const uint8_t *q) {
    int low = j < 8 ? q[j] & 15 : q[j - 8] >> 4;
    return (low | ((q[8 + j % 4] >> (2 * (j / 4))) & 3) << 4) - 32;
}

/// Scale j, in -32...31, of an IQ4_XS block.
INLINE int scale_iq4_xs(int j, const uint8_t *block) {
    int low = (block[4 + j / 2] >> (4 * (j % 2))) & 15;
    return (low | ((load_u16(block + 2) >> (2 * j)) & 3) << 4) - 32;
}

extern const ck_kernels ck_kernels_scalar;
extern const ck_convolution_kernels ck_convolution_kernels_scalar;
#if defined(__x86_64__)
extern const ck_kernels ck_kernels_avx2, ck_kernels_avx512;
extern const ck_convolution_kernels ck_convolution_kernels_avx2, ck_convolution_kernels_avx512;
#endif
#if defined(__aarch64__)
extern const ck_kernels ck_kernels_neon, ck_kernels_dotprod;
extern const ck_convolution_kernels ck_convolution_kernels_neon, ck_convolution_kernels_dotprod;
#endif
