// The vector layer of vector_kernels.h with 4 lanes of NEON; with CK_DOTPROD also its dot product
// instructions.
#pragma once

#include "internal.h"

#include <arm_neon.h>

#define VF 4
typedef float32x4_t vf;

INLINE vf vf_set1(float x) { return vdupq_n_f32(x); }
INLINE vf vf_load(const float *p) { return vld1q_f32(p); }
INLINE void vf_store(float *p, vf x) { vst1q_f32(p, x); }
INLINE void vf_stream(float *p, vf x) { vf_store(p, x); }
INLINE void vf_end_stream(void) {}
INLINE uint16x4_t load_4x16(const void *p) {
    uint16x4_t x;
    memcpy(&x, p, 8);
    return x;
}
INLINE vf vf_load_half(const void *p) { return vcvt_f32_f16(vreinterpret_f16_u16(load_4x16(p))); }
INLINE vf vf_load_bfloat(const void *p) { return vreinterpretq_f32_u32(vshll_n_u16(load_4x16(p), 16)); }
INLINE void vf_store_half(uint16_t *p, vf x) { vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(x))); }
INLINE vf vf_load_int8(const int8_t *p) {
    int8x8_t x = vreinterpret_s8_u32(vdup_n_u32(load_u32((const uint8_t *)p)));
    return vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(x))));
}
INLINE vf vf_load_uint8(const uint8_t *p) {
    uint8x8_t x = vreinterpret_u8_u32(vdup_n_u32(load_u32(p)));
    return vcvtq_f32_u32(vmovl_u16(vget_low_u16(vmovl_u8(x))));
}
INLINE void vf_store_int8(int8_t *p, vf x) {
    int16x4_t halves = vqmovn_s32(vcvtnq_s32_f32(x));
    uint32_t bytes = vget_lane_u32(vreinterpret_u32_s8(vqmovn_s16(vcombine_s16(halves, halves))), 0);
    memcpy(p, &bytes, 4);
}
INLINE vf vf_add(vf a, vf b) { return vaddq_f32(a, b); }
INLINE vf vf_sub(vf a, vf b) { return vsubq_f32(a, b); }
INLINE vf vf_mul(vf a, vf b) { return vmulq_f32(a, b); }
INLINE vf vf_div(vf a, vf b) { return vdivq_f32(a, b); }
INLINE vf vf_max(vf a, vf b) { return vmaxnmq_f32(a, b); }
INLINE vf vf_min(vf a, vf b) { return vminnmq_f32(a, b); }
INLINE vf vf_abs(vf a) { return vabsq_f32(a); }
INLINE vf vf_round(vf a) { return vrndnq_f32(a); }
/// a * b + c
INLINE vf vf_fma(vf a, vf b, vf c) { return vfmaq_f32(c, a, b); }
/// 2^a of a whole a in -126...127
INLINE vf vf_exp2_whole(vf a) {
    return vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(vcvtnq_s32_f32(a), vdupq_n_s32(127)), 23));
}
INLINE float vf_sum(vf a) { return vaddvq_f32(a); }
INLINE float vf_greatest(vf a) { return vmaxvq_f32(a); }

// MARK: - Bytes: 4 neighbouring columns of each of VF rows

typedef uint8x16_t vi;

INLINE vi vi_load(const uint8_t *p) { return vld1q_u8(p); }
/// (x >> shift) & mask, byte by byte.
INLINE vi vi_bits(vi x, int shift, int mask) {
    return vandq_u8(vshlq_u8(x, vdupq_n_s8((int8_t)-shift)), vdupq_n_u8((uint8_t)mask));
}
/// ((x >> shift) & mask) << left, byte by byte.
INLINE vi vi_bits_up(vi x, int shift, int mask, int left) {
    return vandq_u8(vshlq_u8(x, vdupq_n_s8((int8_t)(left - shift))), vdupq_n_u8((uint8_t)(mask << left)));
}
INLINE vi vi_or(vi a, vi b) { return vorrq_u8(a, b); }
/// The same 4 bytes for every row.
INLINE vi vi_spread(const int8_t *p) {
    return vreinterpretq_u8_u32(vdupq_n_u32(load_u32((const uint8_t *)p)));
}

/// A sum of products in 32 bits; quants below 128 are the same signed and unsigned.
typedef struct {
    int32x4_t words;
} dot_sum;

INLINE dot_sum dot_zero(void) { return (dot_sum){vdupq_n_s32(0)}; }
INLINE void dot_add(dot_sum *sum, vi w, vi x) {
    int8x16_t a = vreinterpretq_s8_u8(w), b = vreinterpretq_s8_u8(x);
#ifdef CK_DOTPROD
    sum->words = vdotq_s32(sum->words, a, b);
#else
    // Two products of at most 128 * 127 fit 16 bits.
    int16x8_t low = vmull_s8(vget_low_s8(a), vget_low_s8(b)), high = vmull_high_s8(a, b);
    sum->words = vpadalq_s16(sum->words, vpaddq_s16(low, high));
#endif
}
INLINE void dot_add_wide(dot_sum *sum, vi w, vi x) { dot_add(sum, w, x); }
INLINE void dot_widen(dot_sum *sum) { (void)sum; }
INLINE vf dot_value(dot_sum sum) { return vcvtq_f32_s32(sum.words); }
