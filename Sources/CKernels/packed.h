// Products with packed weights, written once over a vector layer with bytes (vi); a line of a panel is LINE
// vectors.
#pragma once

#include "internal.h"

enum { LINE = CK_PANEL_ROWS / VF };

/// Vector v of the weights of columns 4j..<4j+4 in group `group` (32 columns) of a block's lines: unsigned
/// quants, but for signed ones of 8 bits where dot_add_wide wants them so.
INLINE vi packed_step(ck_type type, const uint8_t *lines, int group, int j, int v) {
#define LINE_AT(i) vi_load(lines + (i) * 64 + v * 4 * VF)
    switch (type) {
    case CK_Q4_0:
    case CK_Q4_1: return vi_bits(LINE_AT(j % 4), j / 4 * 4, 15);
    case CK_Q4_K: return vi_bits(LINE_AT(group / 2 * 8 + j), group % 2 * 4, 15);
    case CK_Q5_K:
        return vi_or(
            vi_bits(LINE_AT(8 + group / 2 * 8 + j), group % 2 * 4, 15), vi_bits_up(LINE_AT(j), group, 1, 4));
    case CK_Q6_K:
        return vi_or(vi_bits(LINE_AT(group / 4 * 24 + 3 * j + group % 2), group % 4 / 2 * 4, 15),
            vi_bits_up(LINE_AT(group / 4 * 24 + 3 * j + 2), group % 4 * 2, 3, 4));
    default:
#ifdef CK_VNNI
        return _mm512_xor_si512(LINE_AT(j), _mm512_set1_epi8((char)128));
#else
        return LINE_AT(j);
#endif
    }
#undef LINE_AT
}

/// Products of pairs (in AVX2) that fit 16 bits: see run_length in kernels_avx2.c.
INLINE int packed_run(ck_type type) { return type == CK_Q6_K ? 2 : type == CK_Q5_K ? 4 : 8; }

/// Groups whose quants share lines, and so are multiplied together.
INLINE int packed_cluster(ck_type type) {
    return type == CK_Q6_K ? 4 : type == CK_Q4_K || type == CK_Q5_K ? 2 : 1;
}

/// How far ahead of its use a panel is fetched: the processor's own prefetching does not see far enough
/// through the order of these loads.
enum { FETCH_BYTES = 4096 };

/// Fetches what lies ahead of the lines that step j of a cluster reads: every line once in a pass over the
/// block.
INLINE void fetch_ahead(ck_type type, const uint8_t *lines, int group, int j) {
#define FETCH(i) __builtin_prefetch(lines + (i) * 64 + FETCH_BYTES)
    switch (type) {
    case CK_Q4_0:
    case CK_Q4_1:
        if (j < 4) FETCH(j);
        break;
    case CK_Q4_K: FETCH(group / 2 * 8 + j); break;
    case CK_Q5_K:
        FETCH(8 + group / 2 * 8 + j);
        if (group == 0) FETCH(j);
        break;
    case CK_Q6_K:
        FETCH(group / 4 * 24 + 3 * j);
        FETCH(group / 4 * 24 + 3 * j + 1);
        FETCH(group / 4 * 24 + 3 * j + 2);
        break;
    default: FETCH(j); break;
    }
#undef FETCH
}

/// Where the activations that a block is multiplied with begin: one row, or two whose products are added.
typedef struct {
    const int8_t *quants[2];
    const float *scales[2], *sums[2], *half_sums[2];
} packed_input;

INLINE packed_input input_at(const ck_activations *const *x, int parts, int64_t at) {
    packed_input input;
    for (int p = 0; p < parts; p++) {
        input.quants[p] = x[p]->quants + at;
        input.scales[p] = x[p]->scales + at / 32;
        input.sums[p] = x[p]->sums + at / 32;
        input.half_sums[p] = x[p]->half_sums + at / 16;
    }
    return input;
}

/// Dot products of `steps` times 4 columns, from step `from` on, of a cluster of groups with each part of the
/// input.
INLINE void packed_dots(ck_type type, int parts, const uint8_t *lines, int group, int from, int steps,
    const packed_input *x, int v, vf dots[4][2]) {
    dot_sum sums[4][2];
    for (int c = 0; c < packed_cluster(type); c++)
        for (int p = 0; p < parts; p++) sums[c][p] = dot_zero();
#pragma GCC unroll 8
    for (int j = from; j < from + steps; j++) {
        if (v == 0) fetch_ahead(type, lines, group, j);
#pragma GCC unroll 4
        for (int c = 0; c < packed_cluster(type); c++) {
            vi w = packed_step(type, lines, group + c, j, v);
            for (int p = 0; p < parts; p++) {
                vi spread = vi_spread(x->quants[p] + 32 * (group + c) + 4 * j);
                if (type == CK_Q8_0) {
                    dot_add_wide(&sums[c][p], w, spread);
                } else {
                    dot_add(&sums[c][p], w, spread);
                    if ((j + 1) % packed_run(type) == 0) dot_widen(&sums[c][p]);
                }
            }
        }
    }
    for (int c = 0; c < packed_cluster(type); c++)
        for (int p = 0; p < parts; p++) dots[c][p] = dot_value(sums[c][p]);
}

/// d and m of the 16 rows for group `group` (of 32 columns, or 16 for Q6_K) of one block.
INLINE void packed_scales(ck_type type, const uint8_t *scales, int group, int v, vf *d, vf *m) {
    vf base = vf_load_half(scales + 2 * v * VF);
    switch (type) {
    case CK_Q4_0:
        *d = base;
        *m = vf_mul(base, vf_set1(-8));
        break;
    case CK_Q8_0:
        *d = base;
        *m = vf_mul(base, vf_set1(-128));
        break;
    case CK_Q4_1:
        *d = base;
        *m = vf_load_half(scales + 32 + 2 * v * VF);
        break;
    case CK_Q6_K:
        *d = vf_mul(base, vf_load_int8((const int8_t *)scales + 32 + 16 * group + v * VF));
        *m = vf_mul(*d, vf_set1(-32));
        break;
    default: {
        vf minimum = vf_sub(vf_set1(0), vf_load_half(scales + 32 + 2 * v * VF));
        *d = vf_mul(base, vf_load_uint8(scales + 64 + 16 * group + v * VF));
        *m = vf_mul(minimum, vf_load_uint8(scales + 192 + 16 * group + v * VF));
        break;
    }
    }
}

/// Whether the type's m takes part: quants that keep their sign need none.
INLINE bool packed_minimum(ck_type type) {
#ifdef CK_VNNI
    (void)type;
    return true;
#else
    return type != CK_Q8_0;
#endif
}

/// Adds a cluster of groups of one block, times the input (which begins at the block), to `sum`.
INLINE vf packed_cluster_sum(ck_type type, int parts, const uint8_t *lines, const uint8_t *scales, int group,
    const packed_input *x, int v, vf sum) {
    vf dots[4][2], d, m;
    if (type == CK_Q6_K) {
        for (int half = 0; half < 2; half++) {
            packed_dots(type, parts, lines, group, 4 * half, 4, x, v, dots);
            for (int c = 0; c < 4; c++) {
                packed_scales(type, scales, 2 * (group + c) + half, v, &d, &m);
                for (int p = 0; p < parts; p++) {
                    vf offset = vf_set1(-32 * x->half_sums[p][2 * (group + c) + half]);
                    sum = vf_fma(vf_fma(dots[c][p], vf_set1(x->scales[p][group + c]), offset), d, sum);
                }
            }
        }
        return sum;
    }
    packed_dots(type, parts, lines, group, 0, 8, x, v, dots);
    for (int c = 0; c < packed_cluster(type); c++) {
        packed_scales(type, scales, group + c, v, &d, &m);
        for (int p = 0; p < parts; p++) {
            sum = vf_fma(vf_mul(dots[c][p], vf_set1(x->scales[p][group + c])), d, sum);
            if (packed_minimum(type)) sum = vf_fma(m, vf_set1(x->sums[p][group + c]), sum);
        }
    }
    return sum;
}

/// The 16 sums of one panel times row s of the activations; `single`: there is only one row. With two parts
/// their products are added.
INLINE void packed_row(ck_type type, int parts, bool single, const uint8_t *panel, int64_t columns,
    const ck_activations *const *x, int64_t s, vf sums[LINE]) {
    const int length = ck_type_traits[type].block_length == 256 ? 256 : 32;
    const int line_bytes = ck_packings[type].lines * 64, scale_bytes = ck_packings[type].scale_bytes;
    const uint8_t *scales = panel + panel_line_bytes(type, columns);
    for (int v = 0; v < LINE; v++) sums[v] = vf_set1(0);
    for (int64_t k = 0; k < columns; k += length, panel += line_bytes, scales += scale_bytes) {
        const packed_input input = input_at(x, parts, single ? k : activation_index(x[0], s, k));
        const uint8_t *later = scales + FETCH_BYTES / line_bytes * scale_bytes;
        for (int i = 0; i < scale_bytes; i += 64) __builtin_prefetch(later + i);
#pragma GCC unroll 4
        for (int g = 0; g < length / 32; g += packed_cluster(type)) {
            for (int v = 0; v < LINE; v++) {
                sums[v] = packed_cluster_sum(type, parts, panel, scales, g, &input, v, sums[v]);
            }
        }
    }
}

INLINE void packed_matvec(ck_type type, int parts, const ck_matrix *w, int64_t first, int64_t count,
    const ck_activations *const *x, float *y, bool accumulate) {
    const int64_t bytes = panel_bytes(type, w->columns);
    for (int64_t r = first; r < first + count; r += CK_PANEL_ROWS) {
        vf sums[LINE];
        float values[CK_PANEL_ROWS];
        const uint8_t *panel = (const uint8_t *)w->bytes + r / CK_PANEL_ROWS * bytes;
        packed_row(type, parts, true, panel, w->columns, x, 0, sums);
        for (int v = 0; v < LINE; v++) vf_store(values + v * VF, sums[v]);
        const int64_t used = first + count - r < CK_PANEL_ROWS ? first + count - r : CK_PANEL_ROWS;
        for (int64_t i = 0; i < used; i++) y[r + i] = accumulate ? y[r + i] + values[i] : values[i];
    }
}

static void multiply_packed_one(
    const ck_matrix *w, int64_t first, int64_t count, const ck_activations *x, float *y, bool accumulate) {
    FOR_PACKED_TYPE(w->type, packed_matvec, 1, w, first, count, &x, y, accumulate)
}

static void multiply_pair(const ck_matrix *w, int64_t first, int64_t count, const ck_activations *coarse,
    const ck_activations *fine, float *y, bool accumulate) {
    const ck_activations *const x[2] = {coarse, fine};
    FOR_PACKED_TYPE(w->type, packed_matvec, 2, w, first, count, x, y, accumulate)
}
