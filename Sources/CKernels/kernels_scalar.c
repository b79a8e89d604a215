// The kernels without any vector instruction.
#include "vector_scalar.h"

#include "attention.h"
#include "winograd.h"

/// One row of quantised weights times one row of activations.
static float dot_row(const ck_matrix *w, const uint8_t *block, const ck_activations *x, int64_t s) {
    const ck_traits *t = &ck_type_traits[w->type];
    float sum = 0;
    for (int64_t k = 0; k < w->columns; k += t->block_length, block += t->block_bytes) {
        uint8_t q[256];
        float d[16], m[16];
        ck_ref_unpack(w->type, block, q, d, m);
        const int64_t at = activation_index(x, s, k);
        for (int g = 0; g < t->block_length / t->group; g++) {
            int32_t dot = 0;
            for (int j = g * t->group; j < (g + 1) * t->group; j++)
                dot += (q[j] - t->offset) * x->quants[at + j];
            sum += d[g] * x->scales[(at + g * t->group) / 32] * (float)dot;
            float total = t->group == 32 ? x->sums[at / 32 + g] : x->half_sums[at / 16 + g];
            if (t->has_minimum) sum += m[g] * total;
        }
    }
    return sum;
}

/// Packed weights are for machines with vectors: they are not multiplied here.
static void multiply(const ck_matrix *w, int64_t first, int64_t count, const ck_activations *x, float *y,
    int64_t y_stride, bool accumulate) {
    if (ck_type_traits[w->type].block_length == 1) {
        multiply_floats(w, first, count, x, y, y_stride, accumulate);
        return;
    }
    for (int64_t n = first; n < first + count; n++) {
        for (int64_t s = 0; s < x->rows; s++) {
            float sum = dot_row(w, (const uint8_t *)w->bytes + n * row_bytes(w), x, s);
            float *out = y + s * y_stride + n;
            *out = accumulate ? *out + sum : sum;
        }
    }
}

const ck_kernels ck_kernels_scalar = {
    CK_ISA_SCALAR,
    false,
    quantize,
    multiply,
    NULL,
    rms_norm,
    silu_multiply,
    add,
    rotate,
    store,
    attention,
};

const ck_convolution_kernels ck_convolution_kernels_scalar = CK_CONVOLUTION_KERNELS(CK_ISA_SCALAR);
