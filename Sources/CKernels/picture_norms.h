// Activations and norms over channels-last rows, written once over a vector layer; included by one file per
// instruction set.
#pragma once

#include "vector_math.h"

// MARK: - Elementwise

INLINE void activate_all(ck_activation activation, const float *x, int64_t n, float *y) {
    int64_t i = 0;
    for (; i + VF <= n; i += VF) vf_store(y + i, vf_activate(activation, vf_load(x + i)));
    if (i < n) {
        float rest[VF] = {0};
        memcpy(rest, x + i, (size_t)(n - i) * 4);
        vf_store(rest, vf_activate(activation, vf_load(rest)));
        memcpy(y + i, rest, (size_t)(n - i) * 4);
    }
}

static void activate(ck_activation activation, const float *x, int64_t n, float *y) {
    switch (activation) {
    case CK_ACTIVATION_SILU: activate_all(CK_ACTIVATION_SILU, x, n, y); break;
    case CK_ACTIVATION_RELU: activate_all(CK_ACTIVATION_RELU, x, n, y); break;
    case CK_ACTIVATION_GELU: activate_all(CK_ACTIVATION_GELU, x, n, y); break;
    case CK_ACTIVATION_QUICK_GELU: activate_all(CK_ACTIVATION_QUICK_GELU, x, n, y); break;
    default: memmove(y, x, (size_t)n * 4); break;
    }
}

static void gelu_multiply(const float *x, const float *gate, int64_t n, float *y) {
    int64_t i = 0;
    for (; i + VF <= n; i += VF) vf_store(y + i, vf_mul(vf_load(x + i), vf_gelu(vf_load(gate + i))));
    if (i < n) {
        float rest[VF] = {0};
        memcpy(rest, gate + i, (size_t)(n - i) * 4);
        vf_store(rest, vf_gelu(vf_load(rest)));
        for (int64_t j = i; j < n; j++) y[j] = x[j] * rest[j - i];
    }
}

// MARK: - Layer norm

static void layer_norm(
    const float *x, const float *weight, const float *bias, float epsilon, int64_t n, float *y) {
    vf sums[4] = {vf_set1(0), vf_set1(0), vf_set1(0), vf_set1(0)};
    int64_t i = 0;
    for (; i + 4 * VF <= n; i += 4 * VF) {
        for (int j = 0; j < 4; j++) sums[j] = vf_add(sums[j], vf_load(x + i + j * VF));
    }
    float sum = vf_sum(vf_add(vf_add(sums[0], sums[1]), vf_add(sums[2], sums[3])));
    for (; i < n; i++) sum += x[i];
    const float mean = sum / (float)n;
    for (int j = 0; j < 4; j++) sums[j] = vf_set1(0);
    for (i = 0; i + 4 * VF <= n; i += 4 * VF) {
        for (int j = 0; j < 4; j++) {
            vf v = vf_sub(vf_load(x + i + j * VF), vf_set1(mean));
            sums[j] = vf_fma(v, v, sums[j]);
        }
    }
    float squares = vf_sum(vf_add(vf_add(sums[0], sums[1]), vf_add(sums[2], sums[3])));
    for (; i < n; i++) squares += (x[i] - mean) * (x[i] - mean);
    const float scale = 1.0f / sqrtf(squares / (float)n + epsilon);
    for (i = 0; i + VF <= n; i += VF) {
        vf v = vf_mul(vf_sub(vf_load(x + i), vf_set1(mean)), vf_set1(scale));
        vf_store(y + i, vf_fma(v, vf_load(weight + i), vf_load(bias + i)));
    }
    for (; i < n; i++) y[i] = (x[i] - mean) * scale * weight[i] + bias[i];
}

// MARK: - Group norm

/// The moments of a group as its channels are added one by one (Chan, Golub and LeVeque 1979).
typedef struct {
    double count, mean, squares;
} moments;

INLINE void add_channel(moments *m, double count, double mean, double squares) {
    double total = m->count + count, difference = mean - m->mean;
    m->squares += squares + difference * difference * (m->count * count / total);
    m->mean += difference * (count / total);
    m->count = total;
}

/// Means and sums of squared differences of `vectors` vectors of neighbouring channels.
INLINE void channel_moments(
    int vectors, const float *x, int64_t rows, int64_t channels, float *means, float *squares) {
    vf sum[4], mean[4], rest[4], square[4];
    for (int v = 0; v < vectors; v++) sum[v] = rest[v] = square[v] = vf_set1(0);
    for (int64_t r = 0; r < rows; r++) {
        for (int v = 0; v < vectors; v++) sum[v] = vf_add(sum[v], vf_load(x + r * channels + v * VF));
    }
    const vf inverse = vf_set1(1.0f / (float)rows);
    for (int v = 0; v < vectors; v++) mean[v] = vf_mul(sum[v], inverse);
    for (int64_t r = 0; r < rows; r++) {
        for (int v = 0; v < vectors; v++) {
            vf d = vf_sub(vf_load(x + r * channels + v * VF), mean[v]);
            rest[v] = vf_add(rest[v], d);
            square[v] = vf_fma(d, d, square[v]);
        }
    }
    // What rounding left in the differences corrects both.
    for (int v = 0; v < vectors; v++) {
        vf correction = vf_mul(rest[v], inverse);
        vf_store(means + v * VF, vf_add(mean[v], correction));
        vf_store(squares + v * VF, vf_sub(square[v], vf_mul(rest[v], correction)));
    }
}

static void group_moments(
    const float *x, int64_t rows, int64_t channels, int64_t group_count, double *out) {
    const int64_t size = channels / group_count;
    moments group = {0, 0, 0};
    for (int64_t c = 0; c < channels;) {
        float means[4 * VF], squares[4 * VF];
        int64_t used = 4 * VF;
        if (c + 4 * VF <= channels) {
            channel_moments(4, x + c, rows, channels, means, squares);
        } else if (c + VF <= channels) {
            channel_moments(1, x + c, rows, channels, means, squares);
            used = VF;
        } else {
            // The last channels, fewer than a vector has lanes.
            used = channels - c;
            for (int64_t i = 0; i < used; i++) {
                double sum = 0, square = 0;
                for (int64_t r = 0; r < rows; r++) sum += (double)x[r * channels + c + i];
                means[i] = (float)(sum / (double)rows);
                for (int64_t r = 0; r < rows; r++) {
                    double d = (double)x[r * channels + c + i] - (double)means[i];
                    square += d * d;
                }
                squares[i] = (float)square;
            }
        }
        for (int64_t i = 0; i < used; i++, c++) {
            add_channel(&group, (double)rows, (double)means[i], (double)squares[i]);
            if ((c + 1) % size == 0) {
                out[2 * (c / size)] = group.mean;
                out[2 * (c / size) + 1] = group.squares;
                group = (moments){0, 0, 0};
            }
        }
    }
}

INLINE void scale_all(const float *x, int64_t rows, int64_t channels, const float *scale, const float *shift,
    ck_activation activation, float *y) {
    for (int64_t r = 0; r < rows; r++, x += channels, y += channels) {
        int64_t c = 0;
        for (; c + VF <= channels; c += VF) {
            vf v = vf_fma(vf_load(x + c), vf_load(scale + c), vf_load(shift + c));
            vf_store(y + c, vf_activate(activation, v));
        }
        if (c < channels) {
            float rest[VF] = {0};
            for (int64_t i = c; i < channels; i++) rest[i - c] = x[i] * scale[i] + shift[i];
            vf_store(rest, vf_activate(activation, vf_load(rest)));
            memcpy(y + c, rest, (size_t)(channels - c) * 4);
        }
    }
}

static void scale_channels(const float *x, int64_t rows, int64_t channels, const float *scale,
    const float *shift, ck_activation activation, float *y) {
    if (activation == CK_ACTIVATION_SILU) {
        scale_all(x, rows, channels, scale, shift, CK_ACTIVATION_SILU, y);
        return;
    }
    scale_all(x, rows, channels, scale, shift, CK_ACTIVATION_NONE, y);
    if (activation != CK_ACTIVATION_NONE) activate(activation, y, rows * channels, y);
}
