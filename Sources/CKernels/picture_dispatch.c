// Which picture kernels this machine runs, and the memory that they take.
#include "internal.h"

#include "ckernels_picture.h"

extern const ck_picture_kernels ck_picture_kernels_scalar;
#if defined(__x86_64__)
extern const ck_picture_kernels ck_picture_kernels_avx2, ck_picture_kernels_avx512;
#elif defined(__aarch64__)
extern const ck_picture_kernels ck_picture_kernels_neon;
#endif

const ck_picture_kernels *ck_picture_kernels_for(ck_isa isa) {
    switch (ck_kernels_for(isa)->isa) {
#if defined(__x86_64__)
    case CK_ISA_AVX512_VNNI: return &ck_picture_kernels_avx512;
    case CK_ISA_AVX2: return &ck_picture_kernels_avx2;
#elif defined(__aarch64__)
    case CK_ISA_NEON:
    case CK_ISA_NEON_DOTPROD: return &ck_picture_kernels_neon;
#endif
    default: return &ck_picture_kernels_scalar;
    }
}

static int64_t padded(int64_t count, int64_t multiple) {
    return (count + multiple - 1) / multiple * multiple;
}

int64_t ck_context_floats(int64_t rows, int32_t head_dim) {
    return padded(rows, CK_ATTENTION_KEYS) * padded(head_dim, CK_ATTENTION_CHANNELS);
}

int64_t ck_attention_scratch(int32_t head_dim, int32_t rows) {
    return (2 * padded(head_dim, CK_ATTENTION_CHANNELS) + CK_ATTENTION_KEYS) * rows;
}
