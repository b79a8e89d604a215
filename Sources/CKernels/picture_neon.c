// The picture kernels for NEON, which every 64-bit ARM has.
#if defined(__aarch64__)
#include "vector_neon.h"

#include "picture_attention.h"
#include "picture_norms.h"

const ck_picture_kernels ck_picture_kernels_neon = {
    CK_ISA_NEON,
    WIDE,
    activate,
    gelu_multiply,
    layer_norm,
    group_moments,
    scale_channels,
    pack_context,
    attend,
};
#endif
