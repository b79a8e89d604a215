// Functions of one vector, written once over a vector layer (VF lanes of vf).
#pragma once

#include "internal.h"

#include "ckernels_picture.h"

/// e^x, to about 2 units in the last place; below -87 the smallest normal number.
INLINE vf vf_exp(vf x) {
    x = vf_min(vf_max(x, vf_set1(-87.0f)), vf_set1(88.0f));
    vf n = vf_round(vf_mul(x, vf_set1(1.44269504089f)));
    vf r = vf_fma(n, vf_set1(-0.693359375f), x);
    r = vf_fma(n, vf_set1(2.12194440e-4f), r);
    vf p = vf_fma(vf_set1(1.9875691500e-4f), r, vf_set1(1.3981999507e-3f));
    p = vf_fma(p, r, vf_set1(8.3334519073e-3f));
    p = vf_fma(p, r, vf_set1(4.1665795894e-2f));
    p = vf_fma(p, r, vf_set1(1.6666665459e-1f));
    p = vf_fma(p, r, vf_set1(0.5f));
    p = vf_fma(p, vf_mul(r, r), vf_add(r, vf_set1(1.0f)));
    return vf_mul(p, vf_exp2_whole(n));
}

/// 2^x for x up to 0, to 2e-7; below -126 the smallest normal number. Not a number stays not a number.
///
/// The polynomial is the one of degree 5 with the least relative error on -0.5...0.5 that is 1 at 0.
INLINE vf vf_exp2_negative(vf x) {
    x = vf_max(vf_set1(-126.0f), x);
    vf n = vf_round(x), r = vf_sub(x, n);
    vf p = vf_fma(vf_set1(1.326472731e-3f), r, vf_set1(9.671512991e-3f));
    p = vf_fma(p, r, vf_set1(5.550733581e-2f));
    p = vf_fma(p, r, vf_set1(2.402224243e-1f));
    p = vf_fma(p, r, vf_set1(6.931470037e-1f));
    p = vf_fma(p, r, vf_set1(1.0f));
    return vf_mul(p, vf_exp2_whole(n));
}

/// x Φ(x), with an absolute error below 1e-6 of |x|, and a relative one below 1e-5 as far as Φ is a normal
/// number.
///
/// Φ(-z) = exp(-z²/2) t P(t) with t = 1 / (1 + 0.3 z) for z >= 0; P of degree 7 has the least relative error,
/// 1.5e-7, over 0...14.
INLINE vf vf_gelu(vf x) {
    vf z = vf_abs(x), zero = vf_set1(0);
    vf t = vf_div(vf_set1(1), vf_fma(vf_set1(0.3f), z, vf_set1(1)));
    vf p = vf_fma(vf_set1(0.0356744602f), t, vf_set1(-0.157201678f));
    p = vf_fma(p, t, vf_set1(0.206350952f));
    p = vf_fma(p, t, vf_set1(-0.0536811687f));
    p = vf_fma(p, t, vf_set1(0.12856026f));
    p = vf_fma(p, t, vf_set1(0.0999139249f));
    p = vf_fma(p, t, vf_set1(0.120753884f));
    p = vf_fma(p, t, vf_set1(0.119629301f));
    vf tail = vf_mul(vf_mul(p, t), vf_exp(vf_mul(vf_mul(z, z), vf_set1(-0.5f))));
    // max(x, 0) - |x| Φ(-|x|), on both sides of 0. At infinity the product would be not a number.
    return vf_sub(vf_max(x, zero), vf_mul(vf_min(z, vf_set1(1e30f)), tail));
}

/// x / (1 + exp(-slope x)).
INLINE vf vf_sigmoid_product(vf x, float slope) {
    return vf_div(x, vf_add(vf_set1(1), vf_exp(vf_mul(x, vf_set1(-slope)))));
}

/// The function `activation` of every lane; a constant `activation` leaves no branch.
INLINE vf vf_activate(ck_activation activation, vf x) {
    switch (activation) {
    case CK_ACTIVATION_SILU: return vf_sigmoid_product(x, 1);
    case CK_ACTIVATION_RELU: return vf_max(x, vf_set1(0));
    case CK_ACTIVATION_GELU: return vf_gelu(x);
    case CK_ACTIVATION_QUICK_GELU: return vf_sigmoid_product(x, 1.702f);
    default: return x;
    }
}
