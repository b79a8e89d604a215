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

const ck_kernels *ck_kernels_for(ck_isa isa) {
#if defined(__x86_64__)
    ck_isa best = ck_best_isa();
    if (isa > CK_ISA_AVX512_VNNI || best == CK_ISA_SCALAR) return &ck_kernels_scalar;
    if (isa == CK_ISA_AVX512_VNNI && best == CK_ISA_AVX512_VNNI) return &ck_kernels_avx512;
    return isa == CK_ISA_SCALAR ? &ck_kernels_scalar : &ck_kernels_avx2;
#elif defined(__aarch64__)
    if (isa == CK_ISA_NEON_DOTPROD && ck_best_isa() == CK_ISA_NEON_DOTPROD) return &ck_kernels_dotprod;
    return isa < CK_ISA_NEON ? &ck_kernels_scalar : &ck_kernels_neon;
#else
    (void)isa;
    return &ck_kernels_scalar;
#endif
}
