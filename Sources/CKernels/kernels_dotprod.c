// The kernels for NEON with dot products (Armv8.2's dotprod).
#if defined(__aarch64__)
#if defined(__clang__)
#include <arm_neon.h>
#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)
#else
#pragma GCC target("arch=armv8.2-a+dotprod")
#include <arm_neon.h>
#endif

#define CK_DOTPROD 1

#include "vector_neon.h"

#include "attention.h"
#include "winograd.h"

#include "multiply_neon.h"

const ck_kernels ck_kernels_dotprod = {
    CK_ISA_NEON_DOTPROD,
    true,
    quantize,
    multiply,
    multiply_pair,
    rms_norm,
    silu_multiply,
    add,
    rotate,
    store,
    attention,
};

const ck_convolution_kernels ck_convolution_kernels_dotprod = CK_CONVOLUTION_KERNELS(CK_ISA_NEON_DOTPROD);

#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
