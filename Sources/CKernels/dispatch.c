// Which kernels this machine runs.
#include "internal.h"

#if defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

ck_isa ck_best_isa(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    bool avx2 =
        __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
                  && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")
                  && __builtin_cpu_supports("avx512vnni");
    if (avx2) return avx512 ? CK_ISA_AVX512_VNNI : CK_ISA_AVX2;
    return CK_ISA_SCALAR;
#elif defined(__aarch64__)
#if defined(__linux__)
    if (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) return CK_ISA_NEON_DOTPROD;
#endif
    return CK_ISA_NEON;
#else
    return CK_ISA_SCALAR;
#endif
}

/// The level whose kernels serve where those of `isa` are asked for.
static ck_isa served_isa(ck_isa isa) {
    const ck_isa best = ck_best_isa();
#if defined(__x86_64__)
    if (isa > CK_ISA_AVX512_VNNI) return CK_ISA_SCALAR;
    return isa < best ? isa : best;
#elif defined(__aarch64__)
    if (isa < CK_ISA_NEON) return CK_ISA_SCALAR;
    return isa < best ? isa : best;
#else
    (void)isa;
    return best;
#endif
}

/// Returns the table of `name` for `isa`.
#if defined(__x86_64__)
#define SERVE(name, isa)                                                                                     \
    switch (served_isa(isa)) {                                                                               \
    case CK_ISA_AVX2: return &name##_avx2;                                                                   \
    case CK_ISA_AVX512_VNNI: return &name##_avx512;                                                          \
    default: return &name##_scalar;                                                                          \
    }
#elif defined(__aarch64__)
#define SERVE(name, isa)                                                                                     \
    switch (served_isa(isa)) {                                                                               \
    case CK_ISA_NEON: return &name##_neon;                                                                   \
    case CK_ISA_NEON_DOTPROD: return &name##_dotprod;                                                        \
    default: return &name##_scalar;                                                                          \
    }
#else
#define SERVE(name, isa) return &name##_scalar;
#endif

const ck_kernels *ck_kernels_for(ck_isa isa) { SERVE(ck_kernels, isa) }

const ck_convolution_kernels *ck_convolution_kernels_for(ck_isa isa) { SERVE(ck_convolution_kernels, isa) }
