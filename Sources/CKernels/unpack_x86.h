// Unpacking of quantised weights into vectors of bytes, 256 columns at a time; included by the x86 files.
// CK_VNNI: every quant is unsigned. Without it types of 8 bits keep their sign (their products would overflow
// 16 bits).
#pragma once

#include "internal.h"

#include <immintrin.h>

INLINE __m256i nibbles_32(const uint8_t *p) {
    __m128i x = _mm_loadu_si128((const __m128i *)p);
    __m256i both = _mm256_inserti128_si256(_mm256_castsi128_si256(x), _mm_srli_epi16(x, 4), 1);
    return _mm256_and_si256(both, _mm256_set1_epi8(15));
}

/// Bit j of 32 as the value 16 in byte j.
INLINE __m256i fifth_bits_32(const uint8_t *p) {
    __m256i bits = _mm256_set1_epi32((int)load_u32(p));
    __m256i spread = _mm256_shuffle_epi8(
        bits, _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303));
    __m256i mask = _mm256_set1_epi64x((long long)0x8040201008040201);
    __m256i set = _mm256_cmpeq_epi8(_mm256_and_si256(spread, mask), mask);
    return _mm256_and_si256(set, _mm256_set1_epi8(16));
}

INLINE __m256i iq4_codes_32(const uint8_t *p) {
    const __m256i values = _mm256_setr_epi8(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69,
        89, 113, -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);
    __m256i q = _mm256_shuffle_epi8(values, nibbles_32(p));
#ifdef CK_VNNI
    q = _mm256_xor_si256(q, _mm256_set1_epi8((char)128));
#endif
    return q;
}

/// The f16 at p, p + stride, ... of n <= 8 blocks, as f32; zeros after them.
INLINE __m256 strided_halves(const uint8_t *p, int stride, int n) {
    if (n == 8) {
        __m128i h = _mm_setr_epi16((short)load_u16(p), (short)load_u16(p + stride),
            (short)load_u16(p + 2 * stride), (short)load_u16(p + 3 * stride), (short)load_u16(p + 4 * stride),
            (short)load_u16(p + 5 * stride), (short)load_u16(p + 6 * stride),
            (short)load_u16(p + 7 * stride));
        return _mm256_cvtph_ps(h);
    }
    uint16_t h[8] = {0};
    for (int j = 0; j < n; j++) h[j] = load_u16(p + j * stride);
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)h));
}

INLINE __m256 bytes_to_floats(uint64_t bytes) {
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long)bytes)));
}

/// 256 columns (n groups of 32; n < 8 at the end of a row of 32-column blocks): quants, and d and m of each
/// group. Types with an offset give m = -offset * d.
typedef struct {
    __m256i q[8];
    __m256 d[2], m[2];
} unpacked;

INLINE void unpack_blocks(ck_type type, const uint8_t *p, int n, unpacked *u) {
    const int stride = type == CK_Q4_0 || type == CK_IQ4_NL ? 18
                       : type == CK_Q4_1                    ? 20
                       : type == CK_Q5_0                    ? 22
                       : type == CK_Q5_1                    ? 24
                                                            : 34;
    for (int j = 0; j < n; j++) {
        const uint8_t *b = p + j * stride;
        if (type == CK_Q4_0) u->q[j] = nibbles_32(b + 2);
        if (type == CK_Q4_1) u->q[j] = nibbles_32(b + 4);
        if (type == CK_Q5_0) u->q[j] = _mm256_or_si256(nibbles_32(b + 6), fifth_bits_32(b + 2));
        if (type == CK_Q5_1) u->q[j] = _mm256_or_si256(nibbles_32(b + 8), fifth_bits_32(b + 4));
        if (type == CK_IQ4_NL) u->q[j] = iq4_codes_32(b + 2);
        if (type == CK_Q8_0) {
            u->q[j] = _mm256_loadu_si256((const __m256i *)(b + 2));
#ifdef CK_VNNI
            u->q[j] = _mm256_xor_si256(u->q[j], _mm256_set1_epi8((char)128));
#endif
        }
    }
    u->d[0] = strided_halves(p, stride, n);
    if (type == CK_Q4_1 || type == CK_Q5_1) {
        u->m[0] = strided_halves(p + 2, stride, n);
    } else {
        float offset = type == CK_Q4_0 ? 8 : type == CK_Q5_0 ? 16 : 128;
        u->m[0] = _mm256_mul_ps(u->d[0], _mm256_set1_ps(-offset));
    }
}

INLINE void unpack_q2_k(const uint8_t *b, unpacked *u) {
    const __m256i three = _mm256_set1_epi8(3);
    for (int half = 0; half < 2; half++) {
        __m256i x = _mm256_loadu_si256((const __m256i *)(b + 16 + 32 * half));
        u->q[4 * half] = _mm256_and_si256(x, three);
        u->q[4 * half + 1] = _mm256_and_si256(_mm256_srli_epi16(x, 2), three);
        u->q[4 * half + 2] = _mm256_and_si256(_mm256_srli_epi16(x, 4), three);
        u->q[4 * half + 3] = _mm256_and_si256(_mm256_srli_epi16(x, 6), three);
    }
    __m128i scales = _mm_loadu_si128((const __m128i *)b), low = _mm_set1_epi8(15);
    __m128i d = _mm_and_si128(scales, low), m = _mm_and_si128(_mm_srli_epi16(scales, 4), low);
    __m256 scale = _mm256_set1_ps(_cvtsh_ss(load_u16(b + 80)));
    __m256 minimum = _mm256_set1_ps(-_cvtsh_ss(load_u16(b + 82)));
    u->d[0] = _mm256_mul_ps(scale, _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(d)));
    u->d[1] = _mm256_mul_ps(scale, _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_srli_si128(d, 8))));
    u->m[0] = _mm256_mul_ps(minimum, _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(m)));
    u->m[1] = _mm256_mul_ps(minimum, _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_srli_si128(m, 8))));
}

INLINE void unpack_q3_k(const uint8_t *b, unpacked *u) {
    const __m256i three = _mm256_set1_epi8(3), four = _mm256_set1_epi8(4);
    __m256i high = _mm256_loadu_si256((const __m256i *)b);
    for (int half = 0; half < 2; half++) {
        __m256i x = _mm256_loadu_si256((const __m256i *)(b + 32 + 32 * half));
        // Bit 4 * half + j of the mask is the third bit of quarter j.
        __m256i h = half == 0 ? _mm256_slli_epi16(high, 2) : _mm256_srli_epi16(high, 2);
        u->q[4 * half] = _mm256_or_si256(_mm256_and_si256(x, three), _mm256_and_si256(h, four));
        h = half == 0 ? _mm256_slli_epi16(high, 1) : _mm256_srli_epi16(high, 3);
        u->q[4 * half + 1] =
            _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi16(x, 2), three), _mm256_and_si256(h, four));
        h = half == 0 ? high : _mm256_srli_epi16(high, 4);
        u->q[4 * half + 2] =
            _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi16(x, 4), three), _mm256_and_si256(h, four));
        h = half == 0 ? _mm256_srli_epi16(high, 1) : _mm256_srli_epi16(high, 5);
        u->q[4 * half + 3] =
            _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi16(x, 6), three), _mm256_and_si256(h, four));
    }
    // 16 scales of 6 bits: low nibbles in 8 bytes, high pairs of bits in 4.
    uint64_t low8;
    memcpy(&low8, b + 96, 8);
    const uint64_t nibble = 0x0F0F0F0F0F0F0F0F, pair = 0x0303030303030303;
    uint64_t top = load_u32(b + 104);
    uint64_t top_low = (top | (top >> 2) << 32) & pair,
             top_high = ((top >> 4) & 0x0F0F0F0F) | (top >> 6) << 32;
    top_high &= pair;
    __m128i scales = _mm_set_epi64x(
        (long long)(((low8 >> 4) & nibble) | top_high << 4), (long long)((low8 & nibble) | top_low << 4));
    scales = _mm_sub_epi8(scales, _mm_set1_epi8(32));
    __m256 scale = _mm256_set1_ps(_cvtsh_ss(load_u16(b + 108)));
    u->d[0] = _mm256_mul_ps(scale, _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(scales)));
    u->d[1] = _mm256_mul_ps(scale, _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_srli_si128(scales, 8))));
    u->m[0] = _mm256_mul_ps(u->d[0], _mm256_set1_ps(-4));
    u->m[1] = _mm256_mul_ps(u->d[1], _mm256_set1_ps(-4));
}

INLINE void unpack_q45_k(const uint8_t *b, bool fifth, unpacked *u) {
    const __m256i low = _mm256_set1_epi8(15), sixteen = _mm256_set1_epi8(16);
    const uint8_t *qs = b + (fifth ? 48 : 16);
    __m256i high = fifth ? _mm256_loadu_si256((const __m256i *)(b + 16)) : _mm256_setzero_si256();
    for (int j = 0; j < 4; j++) {
        __m256i x = _mm256_loadu_si256((const __m256i *)(qs + 32 * j));
        u->q[2 * j] = _mm256_and_si256(x, low);
        u->q[2 * j + 1] = _mm256_and_si256(_mm256_srli_epi16(x, 4), low);
    }
    if (fifth) {
        __m256i h[8] = {
            _mm256_slli_epi16(high, 4),
            _mm256_slli_epi16(high, 3),
            _mm256_slli_epi16(high, 2),
            _mm256_slli_epi16(high, 1),
            high,
            _mm256_srli_epi16(high, 1),
            _mm256_srli_epi16(high, 2),
            _mm256_srli_epi16(high, 3),
        };
        for (int j = 0; j < 8; j++) u->q[j] = _mm256_or_si256(u->q[j], _mm256_and_si256(h[j], sixteen));
    }
    // 8 scales and 8 minima of 6 bits in 12 bytes.
    const uint32_t six = 0x3F3F3F3F, four = 0x0F0F0F0F, two = 0x03030303;
    uint32_t a = load_u32(b + 4), c = load_u32(b + 8), e = load_u32(b + 12);
    uint64_t scales = (a & six) | (uint64_t)((e & four) | ((a >> 6) & two) << 4) << 32;
    uint64_t minima = (c & six) | (uint64_t)(((e >> 4) & four) | ((c >> 6) & two) << 4) << 32;
    u->d[0] = _mm256_mul_ps(_mm256_set1_ps(_cvtsh_ss(load_u16(b))), bytes_to_floats(scales));
    u->m[0] = _mm256_mul_ps(_mm256_set1_ps(-_cvtsh_ss(load_u16(b + 2))), bytes_to_floats(minima));
}

INLINE void unpack_q6_k(const uint8_t *b, unpacked *u) {
    const __m256i low = _mm256_set1_epi8(15), top = _mm256_set1_epi8(0x30);
    for (int half = 0; half < 2; half++) {
        __m256i x = _mm256_loadu_si256((const __m256i *)(b + 64 * half));
        __m256i y = _mm256_loadu_si256((const __m256i *)(b + 64 * half + 32));
        __m256i h = _mm256_loadu_si256((const __m256i *)(b + 128 + 32 * half));
        __m256i *q = u->q + 4 * half;
        q[0] = _mm256_or_si256(_mm256_and_si256(x, low), _mm256_and_si256(_mm256_slli_epi16(h, 4), top));
        q[1] = _mm256_or_si256(_mm256_and_si256(y, low), _mm256_and_si256(_mm256_slli_epi16(h, 2), top));
        q[2] = _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi16(x, 4), low), _mm256_and_si256(h, top));
        q[3] = _mm256_or_si256(
            _mm256_and_si256(_mm256_srli_epi16(y, 4), low), _mm256_and_si256(_mm256_srli_epi16(h, 2), top));
    }
    __m128i scales = _mm_loadu_si128((const __m128i *)(b + 192));
    __m256 scale = _mm256_set1_ps(_cvtsh_ss(load_u16(b + 208)));
    u->d[0] = _mm256_mul_ps(scale, _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(scales)));
    u->d[1] = _mm256_mul_ps(scale, _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_srli_si128(scales, 8))));
    u->m[0] = _mm256_mul_ps(u->d[0], _mm256_set1_ps(-32));
    u->m[1] = _mm256_mul_ps(u->d[1], _mm256_set1_ps(-32));
}

INLINE void unpack_iq4_xs(const uint8_t *b, unpacked *u) {
    for (int j = 0; j < 8; j++) u->q[j] = iq4_codes_32(b + 8 + 16 * j);
    // 8 scales of 6 bits: low nibbles in 4 bytes, high pairs of bits in 2.
    const __m256i shifts = _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28);
    const __m256i pairs = _mm256_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14);
    __m256i low = _mm256_srlv_epi32(_mm256_set1_epi32((int)load_u32(b + 4)), shifts);
    __m256i top = _mm256_srlv_epi32(_mm256_set1_epi32(load_u16(b + 2)), pairs);
    low = _mm256_and_si256(low, _mm256_set1_epi32(15));
    top = _mm256_slli_epi32(_mm256_and_si256(top, _mm256_set1_epi32(3)), 4);
    __m256i scales = _mm256_sub_epi32(_mm256_or_si256(low, top), _mm256_set1_epi32(32));
    u->d[0] = _mm256_mul_ps(_mm256_set1_ps(_cvtsh_ss(load_u16(b))), _mm256_cvtepi32_ps(scales));
    u->m[0] = _mm256_mul_ps(u->d[0], _mm256_set1_ps(-128));
}

INLINE void unpack(ck_type type, const uint8_t *p, int n, unpacked *u) {
    switch (type) {
    case CK_Q2_K: unpack_q2_k(p, u); break;
    case CK_Q3_K: unpack_q3_k(p, u); break;
    case CK_Q4_K: unpack_q45_k(p, false, u); break;
    case CK_Q5_K: unpack_q45_k(p, true, u); break;
    case CK_Q6_K: unpack_q6_k(p, u); break;
    case CK_IQ4_XS: unpack_iq4_xs(p, u); break;
    default: unpack_blocks(type, p, n, u); break;
    }
}

/// Bytes of 32 columns of a row, times 8 for the types in blocks of 256.
INLINE int chunk_bytes(ck_type type) {
    switch (type) {
    case CK_Q4_0:
    case CK_IQ4_NL: return 8 * 18;
    case CK_Q4_1: return 8 * 20;
    case CK_Q5_0: return 8 * 22;
    case CK_Q5_1: return 8 * 24;
    case CK_Q8_0: return 8 * 34;
    case CK_Q2_K: return 84;
    case CK_Q3_K: return 110;
    case CK_Q4_K: return 144;
    case CK_Q5_K: return 176;
    case CK_Q6_K: return 210;
    default: return 136;
    }
}

/// Whether scales are per 16.
INLINE bool halved(ck_type type) { return type == CK_Q2_K || type == CK_Q3_K || type == CK_Q6_K; }

/// Whether quants need all 8 bits.
INLINE bool wide(ck_type type) { return type == CK_Q8_0 || type == CK_IQ4_NL || type == CK_IQ4_XS; }

/// Calls `f` with the type as a constant, so that each type gets its own specialised code.
#define FOR_QUANTISED_TYPE(type, f, ...)                                                                     \
    switch (type) {                                                                                          \
    case CK_Q4_0: f(CK_Q4_0, __VA_ARGS__); break;                                                            \
    case CK_Q4_1: f(CK_Q4_1, __VA_ARGS__); break;                                                            \
    case CK_Q5_0: f(CK_Q5_0, __VA_ARGS__); break;                                                            \
    case CK_Q5_1: f(CK_Q5_1, __VA_ARGS__); break;                                                            \
    case CK_Q8_0: f(CK_Q8_0, __VA_ARGS__); break;                                                            \
    case CK_Q2_K: f(CK_Q2_K, __VA_ARGS__); break;                                                            \
    case CK_Q3_K: f(CK_Q3_K, __VA_ARGS__); break;                                                            \
    case CK_Q4_K: f(CK_Q4_K, __VA_ARGS__); break;                                                            \
    case CK_Q5_K: f(CK_Q5_K, __VA_ARGS__); break;                                                            \
    case CK_Q6_K: f(CK_Q6_K, __VA_ARGS__); break;                                                            \
    case CK_IQ4_NL: f(CK_IQ4_NL, __VA_ARGS__); break;                                                        \
    case CK_IQ4_XS: f(CK_IQ4_XS, __VA_ARGS__); break;                                                        \
    default: break;                                                                                          \
    }
