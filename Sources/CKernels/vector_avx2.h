// The vector layer of vector_kernels.h with 8 lanes of AVX2, FMA and F16C.
#pragma once

#include "internal.h"

#include <immintrin.h>

#define VF 8
typedef __m256 vf;

INLINE vf vf_set1(float x) { return _mm256_set1_ps(x); }
INLINE vf vf_load(const float *p) { return _mm256_loadu_ps(p); }
INLINE void vf_store(float *p, vf x) { _mm256_storeu_ps(p, x); }
/// Past the caches, to a multiple of 32 bytes; `vf_end_stream` comes behind the last one.
INLINE void vf_stream(float *p, vf x) { _mm256_stream_ps(p, x); }
INLINE void vf_end_stream(void) { _mm_sfence(); }
INLINE vf vf_load_half(const void *p) { return _mm256_cvtph_ps(_mm_loadu_si128(p)); }
INLINE vf vf_load_bfloat(const void *p) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128(p)), 16));
}
INLINE void vf_store_half(uint16_t *p, vf x) { _mm_storeu_si128((__m128i *)p, _mm256_cvtps_ph(x, 0)); }
INLINE vf vf_load_int8(const int8_t *p) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)p)));
}
INLINE void vf_store_int8(int8_t *p, vf x) {
    __m256i words = _mm256_cvtps_epi32(x);
    __m128i halves = _mm_packs_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    _mm_storel_epi64((__m128i *)p, _mm_packs_epi16(halves, halves));
}
INLINE vf vf_add(vf a, vf b) { return _mm256_add_ps(a, b); }
INLINE vf vf_sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
INLINE vf vf_mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
INLINE vf vf_div(vf a, vf b) { return _mm256_div_ps(a, b); }
INLINE vf vf_max(vf a, vf b) { return _mm256_max_ps(a, b); }
INLINE vf vf_min(vf a, vf b) { return _mm256_min_ps(a, b); }
INLINE vf vf_abs(vf a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
INLINE vf vf_round(vf a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
/// a * b + c
INLINE vf vf_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
/// 2^a of a whole a in -126...127
INLINE vf vf_exp2_whole(vf a) {
    __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(a), _mm256_set1_epi32(127));
    return _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23));
}
INLINE float vf_sum(vf a) {
    __m128 x = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    x = _mm_add_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
}
INLINE float vf_greatest(vf a) {
    __m128 x = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    x = _mm_max_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_max_ss(x, _mm_movehdup_ps(x)));
}

// MARK: - Bytes: 4 neighbouring columns of each of VF rows

typedef __m256i vi;

INLINE vi vi_load(const uint8_t *p) { return _mm256_loadu_si256((const __m256i *)p); }
INLINE void vi_store(uint8_t *p, vi x) { _mm256_storeu_si256((__m256i *)p, x); }
/// (x >> shift) & mask, byte by byte, for masks that drop what came from the neighbour.
INLINE vi vi_bits(vi x, int shift, int mask) {
    return _mm256_and_si256(_mm256_srli_epi16(x, shift), _mm256_set1_epi8((char)mask));
}
/// ((x >> shift) & mask) << left, byte by byte.
INLINE vi vi_bits_up(vi x, int shift, int mask, int left) {
    vi moved = left >= shift ? _mm256_slli_epi16(x, left - shift) : _mm256_srli_epi16(x, shift - left);
    return _mm256_and_si256(moved, _mm256_set1_epi8((char)(mask << left)));
}
INLINE vi vi_or(vi a, vi b) { return _mm256_or_si256(a, b); }
/// The same 4 bytes for every row.
INLINE vi vi_spread(const int8_t *p) { return _mm256_set1_epi32((int)load_u32((const uint8_t *)p)); }
INLINE vf vf_load_uint8(const uint8_t *p) {
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p)));
}

/// A sum of products: pairs in 16 bits, widened before they can overflow.
typedef struct {
    vi pairs, words;
} dot_sum;

INLINE dot_sum dot_zero(void) { return (dot_sum){_mm256_setzero_si256(), _mm256_setzero_si256()}; }
INLINE void dot_add(dot_sum *sum, vi w, vi x) {
    sum->pairs = _mm256_add_epi16(sum->pairs, _mm256_maddubs_epi16(w, x));
}
/// The same with weights of 8 bits, signed.
INLINE void dot_add_wide(dot_sum *sum, vi w, vi x) {
    vi pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(x, w));
    sum->words = _mm256_add_epi32(sum->words, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}
INLINE void dot_widen(dot_sum *sum) {
    sum->words = _mm256_add_epi32(sum->words, _mm256_madd_epi16(sum->pairs, _mm256_set1_epi16(1)));
    sum->pairs = _mm256_setzero_si256();
}
INLINE vf dot_value(dot_sum sum) { return _mm256_cvtepi32_ps(sum.words); }
