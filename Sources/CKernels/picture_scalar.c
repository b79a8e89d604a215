// The picture kernels without any vector instruction.
#include "vector_scalar.h"

#include "picture_attention.h"
#include "picture_norms.h"

const ck_picture_kernels ck_picture_kernels_scalar = {
    CK_ISA_SCALAR,
    WIDE,
    activate,
    gelu_multiply,
    layer_norm,
    group_moments,
    scale_channels,
    pack_context,
    attend,
};
