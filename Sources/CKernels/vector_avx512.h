// The vector layer of vector_kernels.h with 16 lanes of AVX-512.
#pragma once

#include "internal.h"

#include <immintrin.h>

#define VF 16
typedef __m512 vf;

INLINE vf vf_set1(float x) { return _mm512_set1_ps(x); }
INLINE vf vf_load(const float *p) { return _mm512_loadu_ps(p); }
INLINE void vf_store(float *p, vf x) { _mm512_storeu_ps(p, x); }
/// Past the caches, to a multiple of 64 bytes; `vf_end_stream` comes behind the last one.
INLINE void vf_stream(float *p, vf x) { _mm512_stream_ps(p, x); }
INLINE void vf_end_stream(void) { _mm_sfence(); }
INLINE vf vf_load_half(const void *p) { return _mm512_cvtph_ps(_mm256_loadu_si256(p)); }
INLINE vf vf_load_bfloat(const void *p) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256(p)), 16));
}
INLINE void vf_store_half(uint16_t *p, vf x) { _mm256_storeu_si256((__m256i *)p, _mm512_cvtps_ph(x, 0)); }
INLINE vf vf_load_int8(const int8_t *p) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)p)));
}
INLINE void vf_store_int8(int8_t *p, vf x) {
    _mm_storeu_si128((__m128i *)p, _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(x)));
}
INLINE vf vf_add(vf a, vf b) { return _mm512_add_ps(a, b); }
INLINE vf vf_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
INLINE vf vf_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
INLINE vf vf_div(vf a, vf b) { return _mm512_div_ps(a, b); }
INLINE vf vf_max(vf a, vf b) { return _mm512_max_ps(a, b); }
INLINE vf vf_min(vf a, vf b) { return _mm512_min_ps(a, b); }
INLINE vf vf_abs(vf a) { return _mm512_abs_ps(a); }
INLINE vf vf_round(vf a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
/// a * b + c
INLINE vf vf_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
/// 2^a of a whole a in -126...127
INLINE vf vf_exp2_whole(vf a) { return _mm512_scalef_ps(_mm512_set1_ps(1), a); }
INLINE float vf_sum(vf a) { return _mm512_reduce_add_ps(a); }
INLINE float vf_greatest(vf a) { return _mm512_reduce_max_ps(a); }

// MARK: - Bytes: 4 neighbouring columns of each of VF rows

typedef __m512i vi;

INLINE vi vi_load(const uint8_t *p) { return _mm512_loadu_si512(p); }
INLINE void vi_store(uint8_t *p, vi x) { _mm512_storeu_si512(p, x); }
/// (x >> shift) & mask, byte by byte, for masks that drop what came from the neighbour.
INLINE vi vi_bits(vi x, int shift, int mask) {
    return _mm512_and_si512(_mm512_srli_epi16(x, (unsigned)shift), _mm512_set1_epi8((char)mask));
}
/// ((x >> shift) & mask) << left, byte by byte.
INLINE vi vi_bits_up(vi x, int shift, int mask, int left) {
    vi moved = left >= shift ? _mm512_slli_epi16(x, (unsigned)(left - shift))
                             : _mm512_srli_epi16(x, (unsigned)(shift - left));
    return _mm512_and_si512(moved, _mm512_set1_epi8((char)(mask << left)));
}
INLINE vi vi_or(vi a, vi b) { return _mm512_or_si512(a, b); }
/// The same 4 bytes for every row.
INLINE vi vi_spread(const int8_t *p) { return _mm512_set1_epi32((int)load_u32((const uint8_t *)p)); }
INLINE vf vf_load_uint8(const uint8_t *p) {
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p)));
}

/// A sum of products in 32 bits.
typedef struct {
    vi words;
} dot_sum;

INLINE dot_sum dot_zero(void) { return (dot_sum){_mm512_setzero_si512()}; }
INLINE void dot_add(dot_sum *sum, vi w, vi x) { sum->words = _mm512_dpbusd_epi32(sum->words, w, x); }
INLINE void dot_add_wide(dot_sum *sum, vi w, vi x) { dot_add(sum, w, x); }
INLINE void dot_widen(dot_sum *sum) { (void)sum; }
INLINE vf dot_value(dot_sum sum) { return _mm512_cvtepi32_ps(sum.words); }
