/// Kernels of picture networks beside products and convolutions: activations, norms, attention over whole rows.
///
/// As in ckernels.h every function works on its caller's memory, and within a table a result depends only on
/// its own inputs. S: rows (tokens or pixels), T: rows of the context, C: channels, D: head dimension.
#pragma once

#include "ckernels.h"

/// A function applied to every element.
typedef enum {
    CK_ACTIVATION_NONE,
    /// x / (1 + exp(-x))
    CK_ACTIVATION_SILU,
    /// max(x, 0)
    CK_ACTIVATION_RELU,
    /// x Φ(x), with the error function
    CK_ACTIVATION_GELU,
    /// x / (1 + exp(-1.702 x))
    CK_ACTIVATION_QUICK_GELU,
} ck_activation;
