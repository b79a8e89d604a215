// Compares the kernels of every instruction set that the machine has with their scalar twins, without Swift:
// for processors that are only emulated here (see Scripts/test-neon). Prints a line per failure; exits 1 if
// there is any.
#include "ckernels_convolution.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 1;
static int failures = 0, checks = 0;

static uint64_t next(void) {
    uint64_t z = (state += 0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

static float uniform(void) { return (float)(next() >> 40) / (float)(1 << 23) - 1; }

static void *memory(int64_t bytes) {
    void *p = aligned_alloc(64, (size_t)(bytes + 127) / 64 * 64);
    if (!p) abort();
    return p;
}

static float *random_floats(int64_t count) {
    float *p = memory(count * 4);
    for (int64_t i = 0; i < count; i++) p[i] = uniform();
    return p;
}

static void compare(const char *what, int isa, int type, const float *found, const float *expected,
    int64_t count, float limit) {
    double worst = 0, magnitude = 1e-30;
    for (int64_t i = 0; i < count; i++) {
        double difference = fabs((double)found[i] - (double)expected[i]);
        if (!(difference <= worst)) worst = difference;
        if (fabs((double)expected[i]) > magnitude) magnitude = fabs((double)expected[i]);
    }
    checks++;
    if (!(worst <= limit * magnitude)) {
        failures++;
        printf("%s, instruction set %d, type %d: off by %g of %g\n", what, isa, type, worst, magnitude);
    }
}

/// Random weights whose f16 numbers (at the even offsets of `halves`) are finite and small.
static uint8_t *random_weights(ck_type type, int64_t count) {
    static const int halves[CK_TYPE_COUNT][2] = {
        [CK_Q4_0] = {0, 0},
        [CK_Q4_1] = {0, 2},
        [CK_Q5_0] = {0, 0},
        [CK_Q5_1] = {0, 2},
        [CK_Q8_0] = {0, 0},
        [CK_Q2_K] = {80, 82},
        [CK_Q3_K] = {108, 108},
        [CK_Q4_K] = {0, 2},
        [CK_Q5_K] = {0, 2},
        [CK_Q6_K] = {208, 208},
        [CK_IQ4_NL] = {0, 0},
        [CK_IQ4_XS] = {0, 0},
    };
    int64_t blocks = count / ck_block_length(type), size = ck_block_bytes(type);
    uint8_t *bytes = memory(blocks * size);
    for (int64_t b = 0; b < blocks; b++) {
        uint8_t *block = bytes + b * size;
        for (int64_t i = 0; i < size; i++) block[i] = (uint8_t)next();
        if (type == CK_F32) {
            float value = uniform();
            memcpy(block, &value, 4);
        } else {
            for (int h = 0; h < 2; h++) {
                uint16_t half = ck_float_to_half(uniform() * 0.01f);
                if (type == CK_BF16) half = (uint16_t)(0x3C00 | (next() & 0x83FF));
                memcpy(block + halves[type][h], &half, 2);
            }
        }
    }
    return bytes;
}

static void check_multiply(const ck_kernels *k, ck_type type, int64_t rows, int64_t columns, int64_t tokens) {
    if (columns % ck_block_length(type) != 0) return;
    float *values = random_floats(tokens * columns);
    int64_t room = columns / 16 + 1;
    ck_activations x = {
        tokens,
        columns,
        columns,
        values,
        memory(tokens * columns),
        memory(tokens * room * 4),
        memory(tokens * room * 4),
        memory(tokens * room * 4),
        NULL,
    };
    float *expected = memory(tokens * rows * 4), *found = random_floats(tokens * rows);
    uint8_t *bytes = random_weights(type, rows * columns);
    ck_matrix w = {type, rows, columns, bytes, false};
    if (ck_block_length(type) > 1) ck_ref_quantize(&x, 0, tokens);
    ck_ref_multiply(&w, 0, rows, &x, expected, rows, false);
    if (ck_block_length(type) > 1) k->quantize(&x, 0, tokens);
    k->multiply(&w, 0, rows, &x, found, rows, false);
    compare("multiply", k->isa, type, found, expected, tokens * rows, 1e-5f);
    int64_t packed_bytes = ck_packed_bytes(type, rows, columns);
    if (packed_bytes > 0 && ck_block_length(type) > 1 && k->multiplies_packed) {
        uint8_t *out = memory(packed_bytes);
        ck_pack(&w, 0, (rows + CK_PANEL_ROWS - 1) / CK_PANEL_ROWS, out);
        ck_matrix packed = {type, rows, columns, out, true};
        memset(found, 0, (size_t)(tokens * rows) * 4);
        k->multiply(&packed, 0, rows, &x, found, rows, true);
        compare("packed multiply", k->isa, type, found, expected, tokens * rows, 1e-5f);
        free(out);
    }
    free(values), free(x.quants), free(x.scales), free(x.sums), free(x.half_sums);
    free(expected), free(found), free(bytes);
}

static void check_elementwise(const ck_kernels *k, int64_t n) {
    const ck_kernels *scalar = ck_kernels_for(CK_ISA_SCALAR);
    float *a = random_floats(n), *b = random_floats(n), *found = random_floats(n), *expected = memory(n * 4);
    for (int64_t i = 0; i < n; i++) a[i] *= 20;
    memcpy(expected, found, (size_t)n * 4);
    k->add(a, n, found);
    scalar->add(a, n, expected);
    compare("add", k->isa, -1, found, expected, n, 0);
    k->silu_multiply(a, b, n, found);
    scalar->silu_multiply(a, b, n, expected);
    compare("silu_multiply", k->isa, -1, found, expected, n, 1e-6f);
    k->rms_norm(a, b, 1e-5f, n, found);
    scalar->rms_norm(a, b, 1e-5f, n, expected);
    compare("rms_norm", k->isa, -1, found, expected, n, 2e-6f);
    free(a), free(b), free(found), free(expected);
}

static void check_attention(
    const ck_kernels *k, ck_cache_type type, int32_t dim, int64_t count, int32_t rows) {
    int32_t padded = (dim + 31) / 32 * 32;
    int64_t blocks = count / CK_CACHE_BLOCK + 1, plane = blocks * CK_CACHE_BLOCK * padded * 2;
    ck_cache cache = {memory(2 * plane), memory(2 * plane), plane, 2, dim, padded, type};
    float *keys = random_floats(count * 2 * dim), *values = random_floats(count * 2 * dim);
    float *queries = random_floats(rows * padded), *sums = memory(rows * padded * 4),
          *expected = memory(rows * padded * 4);
    float maxima[CK_ATTENTION_ROWS], weights[CK_ATTENTION_ROWS];
    int64_t limits[CK_ATTENTION_ROWS];
    for (int32_t r = 0; r < rows; r++) limits[r] = count - rows + r + 1;
    for (int64_t p = 0; p < count; p++) k->store(&cache, p, keys + p * 2 * dim, values + p * 2 * dim);
    k->attention(&cache, 1, queries, rows, limits, 0, count, sums, maxima, weights);
    for (int32_t r = 0; r < rows; r++) {
        double total = 0, out[512] = {0};
        for (int64_t p = 0; p < limits[r]; p++) {
            double score = 0;
            for (int32_t d = 0; d < dim; d++) {
                score += (double)queries[r * padded + d] * (double)keys[(p * 2 + 1) * dim + d];
            }
            total += exp(score);
            for (int32_t d = 0; d < dim; d++) out[d] += exp(score) * (double)values[(p * 2 + 1) * dim + d];
        }
        for (int32_t d = 0; d < padded; d++) {
            expected[r * padded + d] = (float)(out[d] / total);
            sums[r * padded + d] /= weights[r];
        }
    }
    compare("attention", k->isa, type, sums, expected, rows * padded, type == CK_CACHE_F16 ? 2e-3f : 4e-2f);
    free(cache.keys), free(cache.values), free(keys), free(values), free(queries), free(sums), free(expected);
}

static void check_convolution(const ck_convolution_kernels *k, ck_type type, int64_t height, int64_t width,
    int64_t inputs, int64_t outputs, int32_t size, int32_t stride) {
    const int64_t out_height = (height + 2 - size) / stride + 1, out_width = (width + 2 - size) / stride + 1;
    const int64_t pixels = out_height * out_width, columns = inputs * size * size, depth = 16;
    const int64_t tiles = (out_height + 3) / 4 * ((out_width + 3) / 4);
    float *x = random_floats(height * width * inputs), *bias = random_floats(outputs),
          *residual = random_floats(pixels * outputs), *expected = memory(pixels * outputs * 4),
          *found = memory(pixels * outputs * 4),
          *transformed = memory(ck_winograd_tile_floats(tiles, inputs, depth) * 4),
          *weights = memory((outputs / 16 + 1) * ck_winograd_weight_floats(32, inputs, depth) * 4),
          *scratch = memory(CK_PRODUCT_SCRATCH * 4 + ck_winograd_scratch_floats(32, tiles, depth) * 4);
    uint8_t *bytes = random_weights(type, outputs * columns);
    void *packed = memory(ck_packed_bytes(type, outputs, columns));
    ck_convolution c = {x, height, width, inputs, {type, outputs, columns, bytes, false}, size, stride, 1, 1,
        expected, out_height, out_width, bias, bias, residual, CK_ACTIVATION_GELU};
    ck_ref_convolve(&c);
    ck_pack(&c.weights, 0, (outputs + CK_PANEL_ROWS - 1) / CK_PANEL_ROWS, packed);
    c.weights.bytes = packed, c.weights.packed = true, c.y = found;
    for (int64_t m = 0; m < pixels; m += CK_PRODUCT_ROWS) {
        int64_t count = pixels - m < CK_PRODUCT_ROWS ? pixels - m : CK_PRODUCT_ROWS;
        for (int64_t n = 0; n < outputs; n += 64) {
            k->product(&c, m, count, n, outputs - n < 64 ? outputs - n : 64, scratch);
        }
    }
    compare("product", k->isa, type, found, expected, pixels * outputs, 1e-5f);
    if (size == 3 && stride == 1) {
        ck_winograd w = {&c, 0, tiles, depth, transformed, NULL};
        k->transform_tiles(&w, 0, tiles);
        memset(found, 0, (size_t)(pixels * outputs) * 4);
        k->winograd(&w, 0, tiles, 0, outputs, scratch);
        compare("winograd", k->isa, type, found, expected, pixels * outputs, 3e-5f);
        for (int64_t n = 0; n < outputs; n += k->columns) k->transform_weights(&w, n, weights);
        w.weights = weights;
        memset(found, 0, (size_t)(pixels * outputs) * 4);
        for (int64_t t = 0; t < tiles; t += 5) {
            k->winograd(&w, t, tiles - t < 5 ? tiles - t : 5, 0, outputs, scratch);
        }
        compare("winograd by tiles", k->isa, type, found, expected, pixels * outputs, 3e-5f);
    }
    free(x), free(bias), free(residual), free(expected), free(found), free(transformed), free(weights);
    free(scratch), free(bytes), free(packed);
}

#include "picture.h"

int main(void) {
    static const int64_t sizes[][3] = {
        {1, 256, 1},
        {7, 512, 2},
        {33, 256, 5},
        {47, 768, 13},
        {3, 32, 1},
        {35, 576, 7},
        {5, 7, 3},
        {34, 300, 13},
    };
    for (ck_isa isa = CK_ISA_SCALAR; isa <= CK_ISA_NEON_DOTPROD; isa++) {
        const ck_kernels *k = ck_kernels_for(isa);
        if (k->isa != isa) continue;
        int before = checks;
        state = 1;  // the same numbers for every instruction set
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            for (ck_type type = CK_F32; type < CK_TYPE_COUNT; type++) {
                check_multiply(k, type, sizes[i][0], sizes[i][1], sizes[i][2]);
            }
        }
        for (int64_t n = 1; n < 70; n += 3) check_elementwise(k, n);
        for (ck_cache_type type = CK_CACHE_F16; type <= CK_CACHE_Q8_0; type++) {
            check_attention(k, type, 64, 70, 3);
            check_attention(k, type, 128, 130, 9);
            check_attention(k, type, 33, 17, 1);
        }
        const ck_convolution_kernels *convolution = ck_convolution_kernels_for(isa);
        for (ck_type type = CK_F32; type <= CK_BF16; type++) {
            check_convolution(convolution, type, 9, 17, 33, 17, 3, 1);
            check_convolution(convolution, type, 5, 7, 4, 40, 3, 1);
            check_convolution(convolution, type, 8, 11, 17, 33, 3, 2);
            check_convolution(convolution, type, 1, 13, 530, 70, 1, 1);
        }
        const ck_picture_kernels *picture = ck_picture_kernels_for(isa);
        if (picture->isa == isa) check_picture(picture);
        printf("instruction set %d: %d checks\n", isa, checks - before);
    }
    if (failures > 0) printf("%d failures\n", failures);
    return failures > 0;
}
