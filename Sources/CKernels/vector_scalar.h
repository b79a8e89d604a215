// The vector layer of vector_kernels.h with vectors of one lane.
#pragma once

#include "internal.h"

#define VF 1
typedef float vf;

INLINE vf vf_set1(float x) { return x; }
INLINE vf vf_load(const float *p) { return *p; }
INLINE void vf_store(float *p, vf x) { *p = x; }
INLINE void vf_stream(float *p, vf x) { *p = x; }
INLINE void vf_end_stream(void) {}
INLINE vf vf_load_half(const void *p) { return half_to_float(load_u16(p)); }
INLINE vf vf_load_bfloat(const void *p) { return bfloat_to_float(load_u16(p)); }
INLINE void vf_store_half(uint16_t *p, vf x) { *p = ck_float_to_half(x); }
INLINE vf vf_load_int8(const int8_t *p) { return (float)*p; }
INLINE void vf_store_int8(int8_t *p, vf x) { *p = (int8_t)lrintf(x); }
INLINE vf vf_add(vf a, vf b) { return a + b; }
INLINE vf vf_sub(vf a, vf b) { return a - b; }
INLINE vf vf_mul(vf a, vf b) { return a * b; }
INLINE vf vf_div(vf a, vf b) { return a / b; }
INLINE vf vf_max(vf a, vf b) { return a > b ? a : b; }
INLINE vf vf_min(vf a, vf b) { return a < b ? a : b; }
INLINE vf vf_abs(vf a) { return fabsf(a); }
INLINE vf vf_round(vf a) { return rintf(a); }
/// a * b + c
INLINE vf vf_fma(vf a, vf b, vf c) { return a * b + c; }
/// 2^a of a whole a in -126...127
INLINE vf vf_exp2_whole(vf a) {
    uint32_t bits = (uint32_t)((int32_t)a + 127) << 23;
    float value;
    memcpy(&value, &bits, 4);
    return value;
}
INLINE float vf_sum(vf a) { return a; }
INLINE float vf_greatest(vf a) { return a; }
