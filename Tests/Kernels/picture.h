// Checks of the picture kernels against their definitions; included by check.c, whose functions it uses.
#pragma once

#include "ckernels_picture.h"

static double activation(ck_activation a, double x) {
    switch (a) {
    case CK_ACTIVATION_SILU: return x / (1 + exp(-x));
    case CK_ACTIVATION_RELU: return x > 0 ? x : 0;
    case CK_ACTIVATION_GELU: return x / 2 * erfc(-x / sqrt(2));
    case CK_ACTIVATION_QUICK_GELU: return x / (1 + exp(-1.702 * x));
    default: return x;
    }
}

static void check_picture_rows(const ck_picture_kernels *k, int64_t rows, int64_t channels, int64_t groups) {
    const int64_t n = rows * channels;
    float *x = random_floats(n), *weight = random_floats(channels), *bias = random_floats(channels);
    float *found = memory(n * 4), *expected = memory(n * 4);
    double *moments = memory(groups * 16);
    for (int64_t i = 0; i < n; i++) x[i] = 5 * x[i] + 2;
    for (ck_activation a = CK_ACTIVATION_NONE; a <= CK_ACTIVATION_QUICK_GELU; a++) {
        k->activate(a, x, n, found);
        for (int64_t i = 0; i < n; i++) expected[i] = (float)activation(a, (double)x[i]);
        compare("activate", k->isa, a, found, expected, n, 1e-6f);
        k->scale_channels(x, rows, channels, weight, bias, a, found);
        for (int64_t i = 0; i < n; i++) {
            const int64_t c = i % channels;
            expected[i] = (float)activation(a, (double)x[i] * (double)weight[c] + (double)bias[c]);
        }
        compare("scale_channels", k->isa, a, found, expected, n, 1e-6f);
    }
    for (int64_t r = 0; r < rows; r++) {
        const int64_t at = r * channels;
        double mean = 0, square = 0;
        k->layer_norm(x + at, weight, bias, 1e-5f, channels, found + at);
        for (int64_t c = 0; c < channels; c++) mean += (double)x[at + c] / (double)channels;
        for (int64_t c = 0; c < channels; c++) square += pow((double)x[at + c] - mean, 2) / (double)channels;
        for (int64_t c = 0; c < channels; c++) {
            double value = ((double)x[at + c] - mean) / sqrt(square + 1e-5);
            expected[at + c] = (float)(value * (double)weight[c] + (double)bias[c]);
        }
    }
    compare("layer_norm", k->isa, -1, found, expected, n, 2e-6f);
    k->gelu_multiply(x, x + n / 2, n / 2, found);
    for (int64_t i = 0; i < n / 2; i++) {
        expected[i] = (float)((double)x[i] * activation(CK_ACTIVATION_GELU, (double)x[i + n / 2]));
    }
    compare("gelu_multiply", k->isa, -1, found, expected, n / 2, 1e-6f);
    k->group_moments(x, rows, channels, groups, moments);
    for (int64_t g = 0; g < groups; g++) {
        const int64_t size = channels / groups;
        double mean = 0, square = 0;
        for (int64_t i = 0; i < rows * size; i++) {
            mean += (double)x[i / size * channels + g * size + i % size] / (double)(rows * size);
        }
        for (int64_t i = 0; i < rows * size; i++) {
            square += pow((double)x[i / size * channels + g * size + i % size] - mean, 2);
        }
        found[2 * g] = (float)moments[2 * g];
        found[2 * g + 1] = (float)moments[2 * g + 1];
        expected[2 * g] = (float)mean;
        expected[2 * g + 1] = (float)square;
    }
    compare("group_moments", k->isa, -1, found, expected, 2 * groups, 2e-6f);
    free(x), free(weight), free(bias), free(found), free(expected), free(moments);
}

static void check_context(
    const ck_picture_kernels *k, int32_t rows, int64_t count, int32_t dim, int64_t visible, int64_t step) {
    if (rows > k->attention_rows) rows = k->attention_rows;
    const int64_t floats = ck_context_floats(count, dim);
    float *q = random_floats(rows * dim), *keys = random_floats(count * dim);
    float *values = random_floats(count * dim);
    float *scratch = memory(ck_attention_scratch(dim, k->attention_rows) * 4);
    float *found = memory(rows * dim * 4), *expected = memory(rows * dim * 4);
    ck_context context = {memory(floats * 4), memory(floats * 4), count, dim};
    for (int64_t t = 0; t < count; t += CK_ATTENTION_KEYS) {
        k->pack_context(&context, t / CK_ATTENTION_KEYS, keys + t * dim, values + t * dim, dim);
    }
    k->attend(&context, q, rows, dim, 0.7f, visible, step, scratch, found);
    for (int32_t r = 0; r < rows; r++) {
        double total = 0, *sums = memory(dim * 8);
        memset(sums, 0, (size_t)dim * 8);
        for (int64_t t = 0; t < count && t < visible + r * step; t++) {
            double score = 0;
            for (int32_t d = 0; d < dim; d++) score += (double)q[r * dim + d] * (double)keys[t * dim + d];
            double e = exp(score * (double)0.7f);
            total += e;
            for (int32_t d = 0; d < dim; d++) sums[d] += e * (double)values[t * dim + d];
        }
        for (int32_t d = 0; d < dim; d++) expected[r * dim + d] = (float)(sums[d] / total);
        free(sums);
    }
    compare("attend", k->isa, -1, found, expected, rows * dim, 3e-6f);
    free(q), free(keys), free(values), free(scratch), free(found), free(expected);
    free(context.keys), free(context.values);
}

static void check_picture(const ck_picture_kernels *k) {
    check_picture_rows(k, 1, 4, 2);
    check_picture_rows(k, 37, 32, 32);
    check_picture_rows(k, 6, 30, 3);
    check_picture_rows(k, 51, 320, 32);
    check_picture_rows(k, 9, 77, 7);
    check_context(k, 48, 77, 40, 77, 0);
    check_context(k, 11, 200, 7, 200, 0);
    check_context(k, 48, 130, 64, 60, 1);
    check_context(k, 5, 3, 1, 1, 1);
}
