// Scalar twins of the kernels and the formulas of the storage types, after GGML's ggml-quants.c (MIT).
#include "internal.h"

#pragma STDC FP_CONTRACT OFF

const int8_t ck_iq4_values[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

int32_t ck_block_length(ck_type type) { return ck_type_traits[type].block_length; }

int32_t ck_block_bytes(ck_type type) { return ck_type_traits[type].block_bytes; }

float ck_half_to_float(uint16_t half) { return half_to_float(half); }

uint16_t ck_float_to_half(float value) {
    uint32_t bits;
    memcpy(&bits, &value, 4);
    uint16_t sign = (uint16_t)((bits >> 16) & 0x8000);
    bits &= 0x7FFFFFFF;
    if (bits > 0x7F800000) return sign | 0x7E00;  // not a number
    if (bits >= 0x477FF000) return sign | 0x7C00; // rounds to infinity
    if (bits < 0x38800000) {                      // subnormal: round to a multiple of 2^-24
        float magnitude;
        memcpy(&magnitude, &bits, 4);
        return sign | (uint16_t)lrintf(magnitude * 0x1p24f);
    }
    bits += 0xFFF + ((bits >> 13) & 1);
    return sign | (uint16_t)((bits - 0x38000000) >> 13);
}

// MARK: - Unpacking

static void nibbles(const uint8_t *qs, uint8_t *q) {
    for (int j = 0; j < 16; j++) {
        q[j] = qs[j] & 15;
        q[j + 16] = qs[j] >> 4;
    }
}

static void fifth_bits(uint32_t bits, uint8_t *q) {
    for (int j = 0; j < 32; j++) q[j] |= ((bits >> j) & 1) << 4;
}

static void iq4_codes(const uint8_t *qs, uint8_t *q) {
    nibbles(qs, q);
    for (int j = 0; j < 32; j++) q[j] = (uint8_t)(ck_iq4_values[q[j]] + 128);
}

static void unpack_q2_k(const uint8_t *b, uint8_t *q, float *d, float *m) {
    float scale = half_to_float(load_u16(b + 80)), minimum = half_to_float(load_u16(b + 82));
    for (int i = 0; i < 256; i++) q[i] = (b[16 + i / 128 * 32 + i % 32] >> (2 * (i % 128 / 32))) & 3;
    for (int g = 0; g < 16; g++) {
        d[g] = scale * (float)(b[g] & 15);
        m[g] = -(minimum * (float)(b[g] >> 4));
    }
}

static void unpack_q3_k(const uint8_t *b, uint8_t *q, float *d, float *m) {
    float scale = half_to_float(load_u16(b + 108));
    for (int i = 0; i < 256; i++) {
        int low = (b[32 + i / 128 * 32 + i % 32] >> (2 * (i % 128 / 32))) & 3;
        q[i] = (uint8_t)(low | ((b[i % 32] >> (i / 32)) & 1) << 2);
    }
    for (int g = 0; g < 16; g++) {
        d[g] = scale * (float)scale_k3(g, b + 96);
        m[g] = 0;
    }
}

static void unpack_q45_k(const uint8_t *b, bool fifth, uint8_t *q, float *d, float *m) {
    float scale = half_to_float(load_u16(b)), minimum = half_to_float(load_u16(b + 2));
    const uint8_t *qs = b + (fifth ? 48 : 16);
    for (int i = 0; i < 256; i++) {
        uint8_t byte = qs[i / 64 * 32 + i % 32];
        q[i] = i % 64 < 32 ? byte & 15 : byte >> 4;
        if (fifth) q[i] |= ((b[16 + i % 32] >> (i / 32)) & 1) << 4;
    }
    for (int g = 0; g < 8; g++) {
        uint8_t sc, mn;
        scale_min_k4(g, b + 4, &sc, &mn);
        d[g] = scale * (float)sc;
        m[g] = -(minimum * (float)mn);
    }
}

static void unpack_q6_k(const uint8_t *b, uint8_t *q, float *d, float *m) {
    float scale = half_to_float(load_u16(b + 208));
    for (int i = 0; i < 256; i++) {
        int half = i / 128, quarter = i % 128 / 32, l = i % 32;
        uint8_t low = b[half * 64 + (quarter % 2) * 32 + l];
        uint8_t high = (b[128 + half * 32 + l] >> (2 * quarter)) & 3;
        q[i] = (uint8_t)((quarter < 2 ? low & 15 : low >> 4) | high << 4);
    }
    for (int g = 0; g < 16; g++) {
        d[g] = scale * (float)(int8_t)b[192 + g];
        m[g] = 0;
    }
}

void ck_ref_unpack(ck_type type, const uint8_t *b, uint8_t *q, float *d, float *m) {
    switch (type) {
    case CK_Q4_0:
    case CK_IQ4_NL:
        d[0] = half_to_float(load_u16(b));
        m[0] = 0;
        if (type == CK_Q4_0) nibbles(b + 2, q);
        else iq4_codes(b + 2, q);
        break;
    case CK_Q4_1:
        d[0] = half_to_float(load_u16(b));
        m[0] = half_to_float(load_u16(b + 2));
        nibbles(b + 4, q);
        break;
    case CK_Q5_0:
        d[0] = half_to_float(load_u16(b));
        m[0] = 0;
        nibbles(b + 6, q);
        fifth_bits(load_u32(b + 2), q);
        break;
    case CK_Q5_1:
        d[0] = half_to_float(load_u16(b));
        m[0] = half_to_float(load_u16(b + 2));
        nibbles(b + 8, q);
        fifth_bits(load_u32(b + 4), q);
        break;
    case CK_Q8_0:
        d[0] = half_to_float(load_u16(b));
        m[0] = 0;
        for (int j = 0; j < 32; j++) q[j] = b[2 + j] ^ 128;
        break;
    case CK_Q2_K: unpack_q2_k(b, q, d, m); break;
    case CK_Q3_K: unpack_q3_k(b, q, d, m); break;
    case CK_Q4_K: unpack_q45_k(b, false, q, d, m); break;
    case CK_Q5_K: unpack_q45_k(b, true, q, d, m); break;
    case CK_Q6_K: unpack_q6_k(b, q, d, m); break;
    case CK_IQ4_XS:
        for (int g = 0; g < 8; g++) {
            d[g] = half_to_float(load_u16(b)) * (float)scale_iq4_xs(g, b);
            m[g] = 0;
            iq4_codes(b + 8 + 16 * g, q + 32 * g);
        }
        break;
    default: break;
    }
}

void ck_dequantize(ck_type type, const void *blocks, int64_t count, float *out) {
    const uint8_t *b = blocks;
    const ck_traits *t = &ck_type_traits[type];
    if (type == CK_F32) {
        memcpy(out, b, (size_t)count * 4);
    } else if (type == CK_F16) {
        for (int64_t i = 0; i < count; i++) out[i] = half_to_float(load_u16(b + 2 * i));
    } else if (type == CK_BF16) {
        for (int64_t i = 0; i < count; i++) out[i] = bfloat_to_float(load_u16(b + 2 * i));
    } else {
        for (int64_t i = 0; i < count; i += t->block_length, b += t->block_bytes) {
            uint8_t q[256];
            float d[16], m[16];
            ck_ref_unpack(type, b, q, d, m);
            for (int j = 0; j < t->block_length; j++) {
                float product = d[j / t->group] * (float)(q[j] - t->offset);
                out[i + j] = t->has_minimum ? product + m[j / t->group] : product;
            }
        }
    }
}

// MARK: - Products

void ck_ref_quantize(const ck_activations *x, int64_t first, int64_t count) {
    for (int64_t s = first; s < first + count; s++) {
        for (int64_t k = 0; k < x->columns; k += 32) {
            const int64_t at = activation_index(x, s, k);
            const float *values = x->values + s * x->stride + k;
            float greatest = 0;
            for (int j = 0; j < 32; j++) greatest = fmaxf(greatest, fabsf(values[j]));
            float inverse = greatest > 0 ? 127.0f / greatest : 0, scale = greatest / 127.0f;
            int sums[2] = {0, 0};
            for (int j = 0; j < 32; j++) {
                int q = (int)lrintf(values[j] * inverse);
                x->quants[at + j] = (int8_t)q;
                sums[j / 16] += q;
                if (x->remainders) x->remainders[s * x->columns + k + j] = values[j] - scale * (float)q;
            }
            x->scales[at / 32] = scale;
            x->sums[at / 32] = scale * (float)(sums[0] + sums[1]);
            x->half_sums[at / 16] = scale * (float)sums[0];
            x->half_sums[at / 16 + 1] = scale * (float)sums[1];
        }
    }
}

static double ref_dot(const ck_matrix *w, int64_t n, const ck_activations *x, int64_t s) {
    const ck_traits *t = &ck_type_traits[w->type];
    const uint8_t *b = (const uint8_t *)w->bytes + n * row_bytes(w);
    double sum = 0;
    for (int64_t k = 0; k < w->columns; k += t->block_length, b += t->block_bytes) {
        float values[256];
        ck_dequantize(w->type, b, t->block_length, values);
        for (int j = 0; j < t->block_length; j++) {
            const int64_t at = activation_index(x, s, k + j);
            double value = t->block_length == 1 ? (double)x->values[s * x->stride + k + j]
                                                : (double)x->scales[at / 32] * x->quants[at];
            sum += value * (double)values[j];
        }
    }
    return sum;
}

void ck_ref_multiply(const ck_matrix *w, int64_t first, int64_t count, const ck_activations *x, float *y,
    int64_t y_stride, bool accumulate) {
    for (int64_t s = 0; s < x->rows; s++) {
        for (int64_t n = first; n < first + count; n++) {
            float product = (float)ref_dot(w, n, x, s);
            y[s * y_stride + n] = accumulate ? y[s * y_stride + n] + product : product;
        }
    }
}

// MARK: - Convolutions

/// Weight k of row n, of float weights that are not packed.
static double ref_weight(const ck_matrix *w, int64_t n, int64_t k) {
    float value;
    const int64_t size = ck_type_traits[w->type].block_bytes;
    ck_dequantize(w->type, (const uint8_t *)w->bytes + (n * w->columns + k) * size, 1, &value);
    return (double)value;
}

static double ref_activate(ck_activation activation, double x) {
    switch (activation) {
    case CK_ACTIVATION_SILU: return x / (1 + exp(-x));
    case CK_ACTIVATION_RELU: return x > 0 ? x : 0;
    case CK_ACTIVATION_GELU: return 0.5 * x * erfc(-x * sqrt(0.5));
    case CK_ACTIVATION_QUICK_GELU: return x / (1 + exp(-1.702 * x));
    default: return x;
    }
}

void ck_ref_convolve(const ck_convolution *c) {
    const int64_t outputs = c->weights.rows;
    for (int64_t m = 0; m < c->out_height * c->out_width; m++) {
        const int64_t top = m / c->out_width * c->stride - c->top,
                      left = m % c->out_width * c->stride - c->left;
        for (int64_t o = 0; o < outputs; o++) {
            double sum = 0;
            for (int64_t p = 0; p < c->size * c->size; p++) {
                const int64_t y = top + p / c->size, z = left + p % c->size;
                if (y < 0 || y >= c->height || z < 0 || z >= c->width) continue;
                for (int64_t i = 0; i < c->channels; i++) {
                    sum += ref_weight(&c->weights, o, i * c->size * c->size + p)
                           * (double)c->x[(y * c->width + z) * c->channels + i];
                }
            }
            if (c->bias) sum += (double)c->bias[o];
            if (c->offsets) sum += (double)c->offsets[o];
            if (c->residual) sum += (double)c->residual[m * outputs + o];
            c->y[m * outputs + o] = (float)ref_activate(c->activation, sum);
        }
    }
}
