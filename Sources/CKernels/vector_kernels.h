// Kernels in f32, written once over a vector layer (VF lanes of vf); included by one file per instruction
// set.
#pragma once

#include "vector_math.h"

// MARK: - Elementwise

static void rms_norm(const float *x, const float *weight, float epsilon, int64_t n, float *y) {
    vf squares[4] = {vf_set1(0), vf_set1(0), vf_set1(0), vf_set1(0)};
    int64_t i = 0;
    for (; i + 4 * VF <= n; i += 4 * VF) {
        for (int j = 0; j < 4; j++) {
            vf v = vf_load(x + i + j * VF);
            squares[j] = vf_fma(v, v, squares[j]);
        }
    }
    float sum = vf_sum(vf_add(vf_add(squares[0], squares[1]), vf_add(squares[2], squares[3])));
    for (; i < n; i++) sum += x[i] * x[i];
    float scale = 1.0f / sqrtf(sum / (float)n + epsilon);
    for (i = 0; i + VF <= n; i += VF) {
        vf_store(y + i, vf_mul(vf_mul(vf_load(x + i), vf_set1(scale)), vf_load(weight + i)));
    }
    for (; i < n; i++) y[i] = x[i] * scale * weight[i];
}

INLINE vf silu_product(vf gate, vf up) {
    vf one = vf_set1(1);
    return vf_mul(vf_div(gate, vf_add(one, vf_exp(vf_sub(vf_set1(0), gate)))), up);
}

static void silu_multiply(const float *gate, const float *up, int64_t n, float *y) {
    int64_t i = 0;
    for (; i + VF <= n; i += VF) vf_store(y + i, silu_product(vf_load(gate + i), vf_load(up + i)));
    if (i < n) {
        float g[VF] = {0}, u[VF] = {0}, out[VF];
        memcpy(g, gate + i, (size_t)(n - i) * 4);
        memcpy(u, up + i, (size_t)(n - i) * 4);
        vf_store(out, silu_product(vf_load(g), vf_load(u)));
        memcpy(y + i, out, (size_t)(n - i) * 4);
    }
}

static void add(const float *x, int64_t n, float *y) {
    int64_t i = 0;
    for (; i + VF <= n; i += VF) vf_store(y + i, vf_add(vf_load(y + i), vf_load(x + i)));
    for (; i < n; i++) y[i] += x[i];
}

static void rotate(float *x, int32_t head_count, int32_t head_dim, const float *cosines, const float *sines,
    int32_t half, bool interleaved) {
    for (int32_t h = 0; h < head_count; h++, x += head_dim) {
        if (interleaved) {
            for (int32_t i = 0; i < half; i++) {
                float a = x[2 * i], b = x[2 * i + 1];
                x[2 * i] = a * cosines[i] - b * sines[i];
                x[2 * i + 1] = a * sines[i] + b * cosines[i];
            }
        } else {
            for (int32_t i = 0; i < half; i++) {
                float a = x[i], b = x[half + i];
                x[i] = a * cosines[i] - b * sines[i];
                x[half + i] = a * sines[i] + b * cosines[i];
            }
        }
    }
}

// MARK: - Quantisation of activations

static void quantize(const ck_activations *x, int64_t first, int64_t count) {
    for (int64_t s = first; s < first + count; s++) {
        for (int64_t chunk = 0; chunk < x->columns; chunk += CK_CHUNK) {
            int64_t width = x->columns - chunk < CK_CHUNK ? x->columns - chunk : CK_CHUNK;
            const float *values = x->values + s * x->stride + chunk;
            float *remainders = x->remainders ? x->remainders + s * x->columns + chunk : NULL;
            int64_t at = chunk * x->rows + s * width;
            for (int64_t k = 0; k < width; k += 32, at += 32) {
                vf v[32 / VF], greatest = vf_set1(0);
                for (int j = 0; j < 32 / VF; j++) {
                    v[j] = vf_load(values + k + j * VF);
                    greatest = vf_max(greatest, vf_abs(v[j]));
                }
                float top = vf_greatest(greatest), inverse = top > 0 ? 127.0f / top : 0, scale = top / 127.0f;
                vf sums[2] = {vf_set1(0), vf_set1(0)};
                for (int j = 0; j < 32 / VF; j++) {
                    vf q = vf_round(vf_mul(v[j], vf_set1(inverse)));
                    vf_store_int8(x->quants + at + j * VF, q);
                    sums[j * VF / 16] = vf_add(sums[j * VF / 16], q);
                    if (remainders)
                        vf_store(remainders + k + j * VF, vf_sub(v[j], vf_mul(q, vf_set1(scale))));
                }
                float low = vf_sum(sums[0]), high = vf_sum(sums[1]);
                x->scales[at / 32] = scale;
                x->sums[at / 32] = scale * (low + high);
                x->half_sums[at / 16] = scale * low;
                x->half_sums[at / 16 + 1] = scale * high;
            }
        }
    }
}

// MARK: - Products with float weights

INLINE vf load_weight(ck_type type, const uint8_t *p) {
    if (type == CK_F32) return vf_load((const float *)(const void *)p);
    return type == CK_F16 ? vf_load_half(p) : vf_load_bfloat(p);
}

INLINE float load_weight_1(ck_type type, const uint8_t *p) {
    if (type != CK_F32) return type == CK_F16 ? half_to_float(load_u16(p)) : bfloat_to_float(load_u16(p));
    float value;
    memcpy(&value, p, 4);
    return value;
}

INLINE void float_rows(ck_type type, const ck_matrix *w, int64_t first, int64_t count,
    const ck_activations *x, float *y, int64_t y_stride, bool accumulate) {
    const int64_t size = type == CK_F32 ? 4 : 2, columns = w->columns;
    for (int64_t n = first; n < first + count; n++) {
        const uint8_t *row = (const uint8_t *)w->bytes + n * columns * size;
        for (int64_t s = 0; s < x->rows; s++) {
            const float *values = x->values + s * x->stride;
            vf sums[4] = {vf_set1(0), vf_set1(0), vf_set1(0), vf_set1(0)};
            int64_t k = 0;
            for (; k + 4 * VF <= columns; k += 4 * VF) {
                for (int j = 0; j < 4; j++) {
                    vf v = load_weight(type, row + (k + j * VF) * size);
                    sums[j] = vf_fma(v, vf_load(values + k + j * VF), sums[j]);
                }
            }
            for (; k + VF <= columns; k += VF) {
                sums[0] = vf_fma(load_weight(type, row + k * size), vf_load(values + k), sums[0]);
            }
            float sum = vf_sum(vf_add(vf_add(sums[0], sums[1]), vf_add(sums[2], sums[3])));
            for (; k < columns; k++) sum += load_weight_1(type, row + k * size) * values[k];
            float *out = y + s * y_stride + n;
            *out = accumulate ? *out + sum : sum;
        }
    }
}

enum { FLOAT_PANEL = 2 * VF, FLOAT_ROWS = VF == 8 ? 6 : VF == 16 ? 12 : VF == 4 ? 8 : 1 };

/// sums[m][2 * VF] += x[m, k] * panel[k][2 * VF] over k of one chunk.
INLINE void float_tile(
    int rows, int64_t width, const float *panel, const float *x, int64_t stride, float *sums) {
    vf acc[FLOAT_ROWS][2];
    for (int m = 0; m < rows; m++) {
        acc[m][0] = vf_load(sums + m * FLOAT_PANEL);
        acc[m][1] = vf_load(sums + m * FLOAT_PANEL + VF);
    }
    for (int64_t k = 0; k < width; k++) {
        vf w0 = vf_load(panel + k * FLOAT_PANEL), w1 = vf_load(panel + k * FLOAT_PANEL + VF);
        for (int m = 0; m < rows; m++) {
            vf v = vf_set1(x[m * stride + k]);
            acc[m][0] = vf_fma(v, w0, acc[m][0]);
            acc[m][1] = vf_fma(v, w1, acc[m][1]);
        }
    }
    for (int m = 0; m < rows; m++) {
        vf_store(sums + m * FLOAT_PANEL, acc[m][0]);
        vf_store(sums + m * FLOAT_PANEL + VF, acc[m][1]);
    }
}

static void write_tile(const float *sums, int64_t tile_stride, int64_t rows, int64_t columns, float *y,
    int64_t y_stride, bool accumulate) {
    for (int64_t s = 0; s < rows; s++) {
        for (int64_t n = 0; n < columns; n++) {
            float value = sums[s * tile_stride + n];
            y[s * y_stride + n] = accumulate ? y[s * y_stride + n] + value : value;
        }
    }
}

/// Activation rows whose sums one tile keeps.
enum { TILE_ROWS = 256 };

INLINE void float_panels(ck_type type, const ck_matrix *w, int64_t first, int64_t count,
    const ck_activations *x, float *y, int64_t y_stride, bool accumulate) {
    const int64_t size = type == CK_F32 ? 4 : 2, columns = w->columns;
    float panel[CK_CHUNK * FLOAT_PANEL], sums[TILE_ROWS * FLOAT_PANEL];
    for (int64_t s0 = 0; s0 < x->rows; s0 += TILE_ROWS) {
        int64_t rows = x->rows - s0 < TILE_ROWS ? x->rows - s0 : TILE_ROWS;
        for (int64_t n = first; n < first + count; n += FLOAT_PANEL) {
            int64_t used = first + count - n < FLOAT_PANEL ? first + count - n : FLOAT_PANEL;
            memset(sums, 0, (size_t)rows * FLOAT_PANEL * 4);
            for (int64_t chunk = 0; chunk < columns; chunk += CK_CHUNK) {
                int64_t width = columns - chunk < CK_CHUNK ? columns - chunk : CK_CHUNK;
                for (int64_t r = 0; r < FLOAT_PANEL; r++) {
                    int64_t row = n + (r < used ? r : used - 1);
                    const uint8_t *source = (const uint8_t *)w->bytes + (row * columns + chunk) * size;
                    int64_t k = 0;
                    for (; k + VF <= width; k += VF) {
                        float v[VF];
                        vf_store(v, load_weight(type, source + k * size));
                        for (int j = 0; j < VF; j++) panel[(k + j) * FLOAT_PANEL + r] = v[j];
                    }
                    for (; k < width; k++)
                        panel[k * FLOAT_PANEL + r] = load_weight_1(type, source + k * size);
                }
                const float *values = x->values + s0 * x->stride + chunk;
                int64_t s = 0;
                for (; s + FLOAT_ROWS <= rows; s += FLOAT_ROWS) {
                    float_tile(
                        FLOAT_ROWS, width, panel, values + s * x->stride, x->stride, sums + s * FLOAT_PANEL);
                }
                for (; s < rows; s++) {
                    float_tile(1, width, panel, values + s * x->stride, x->stride, sums + s * FLOAT_PANEL);
                }
            }
            write_tile(sums, FLOAT_PANEL, rows, used, y + s0 * y_stride + n, y_stride, accumulate);
        }
    }
}

static void multiply_floats(const ck_matrix *w, int64_t first, int64_t count, const ck_activations *x,
    float *y, int64_t y_stride, bool accumulate) {
    bool tiled = VF > 1 && x->rows > 4;
    switch (w->type) {
    case CK_F32:
        if (tiled) float_panels(CK_F32, w, first, count, x, y, y_stride, accumulate);
        else float_rows(CK_F32, w, first, count, x, y, y_stride, accumulate);
        break;
    case CK_F16:
        if (tiled) float_panels(CK_F16, w, first, count, x, y, y_stride, accumulate);
        else float_rows(CK_F16, w, first, count, x, y, y_stride, accumulate);
        break;
    default:
        if (tiled) float_panels(CK_BF16, w, first, count, x, y, y_stride, accumulate);
        else float_rows(CK_BF16, w, first, count, x, y, y_stride, accumulate);
        break;
    }
}
