// Weights interleaved by rows: 16 rows' bytes of the same 4 columns are neighbours, so that a vector of sums
// belongs to 16 rows, scales are read as vectors, and nothing has to be summed across lanes.
#include "internal.h"

int64_t ck_packed_bytes(ck_type type, int64_t rows, int64_t columns) {
    if (ck_type_traits[type].block_length == 1) {
        const int64_t panels = (rows + CK_PANEL_ROWS - 1) / CK_PANEL_ROWS;
        return panels * columns * CK_PANEL_ROWS * ck_type_traits[type].block_bytes;
    }
    if (ck_packings[type].lines == 0) return 0;
    return (rows + CK_PANEL_ROWS - 1) / CK_PANEL_ROWS * panel_bytes(type, columns);
}

/// The line that takes bytes 4i..<4i+4 of a block's quants: their own order, but in Q6_K the two lines of low
/// bits and the one of high bits that belong together are neighbours.
INLINE int line_index(ck_type type, int i) {
    if (type != CK_Q6_K) return i;
    return i < 32 ? i / 16 * 24 + i % 8 * 3 + i % 16 / 8 : (i - 32) / 8 * 24 + i % 8 * 3 + 2;
}

INLINE void pack_scales(ck_type type, const uint8_t *block, int r, uint8_t *out) {
    switch (type) {
    case CK_Q4_0:
    case CK_Q8_0: memcpy(out + 2 * r, block, 2); break;
    case CK_Q4_1:
        memcpy(out + 2 * r, block, 2);
        memcpy(out + 32 + 2 * r, block + 2, 2);
        break;
    case CK_Q4_K:
    case CK_Q5_K:
        memcpy(out + 2 * r, block, 2);
        memcpy(out + 32 + 2 * r, block + 2, 2);
        for (int j = 0; j < 8; j++) {
            scale_min_k4(j, block + 4, out + 64 + 16 * j + r, out + 192 + 16 * j + r);
        }
        break;
    default:
        memcpy(out + 2 * r, block + 208, 2);
        for (int j = 0; j < 16; j++) out[32 + 16 * j + r] = block[192 + j];
        break;
    }
}

INLINE void pack_panels(ck_type type, const ck_matrix *w, int64_t first, int64_t count, void *out) {
    const ck_traits *t = &ck_type_traits[type];
    const ck_packing *packing = &ck_packings[type];
    const int64_t bytes = row_bytes(w), blocks = w->columns / t->block_length;
    for (int64_t p = first; p < first + count; p++) {
        uint8_t *panel = (uint8_t *)out + p * panel_bytes(type, w->columns);
        uint8_t *scales = panel + panel_line_bytes(type, w->columns);
        const int64_t row = p * CK_PANEL_ROWS;
        const int rows = w->rows - row < CK_PANEL_ROWS ? (int)(w->rows - row) : CK_PANEL_ROWS;
        if (rows < CK_PANEL_ROWS) memset(panel, 0, (size_t)panel_bytes(type, w->columns));
        for (int64_t b = 0; b < blocks; b++) {
            uint8_t *lines = panel + b * packing->lines * 64;
            for (int r = 0; r < rows; r++) {
                const uint8_t *block = (const uint8_t *)w->bytes + (row + r) * bytes + b * t->block_bytes;
#pragma GCC unroll 48
                for (int i = 0; i < packing->lines; i++) {
                    memcpy(lines + 64 * line_index(type, i) + 4 * r, block + packing->offset + 4 * i, 4);
                }
                pack_scales(type, block, r, scales + b * packing->scale_bytes);
            }
        }
    }
}

/// Float weights: [K, 16] in each panel.
INLINE void pack_floats(int64_t size, const ck_matrix *w, int64_t first, int64_t count, void *out) {
    const int64_t line = CK_PANEL_ROWS * size;
    for (int64_t p = first; p < first + count; p++) {
        uint8_t *panel = (uint8_t *)out + p * w->columns * line;
        const int64_t row = p * CK_PANEL_ROWS;
        const int rows = w->rows - row < CK_PANEL_ROWS ? (int)(w->rows - row) : CK_PANEL_ROWS;
        if (rows < CK_PANEL_ROWS) memset(panel, 0, (size_t)(w->columns * line));
        // Sixteen columns at a time, so that lines are whole in the cache when they are written.
        for (int64_t k0 = 0; k0 < w->columns; k0 += 16) {
            const int64_t end = k0 + 16 < w->columns ? k0 + 16 : w->columns;
            for (int r = 0; r < rows; r++) {
                const uint8_t *source = (const uint8_t *)w->bytes + (row + r) * w->columns * size;
                for (int64_t k = k0; k < end; k++) {
                    memcpy(panel + k * line + r * size, source + k * size, (size_t)size);
                }
            }
        }
    }
}

void ck_pack(const ck_matrix *w, int64_t first, int64_t count, void *out) {
    if (w->type == CK_F32) pack_floats(4, w, first, count, out);
    else if (ck_type_traits[w->type].block_length == 1) pack_floats(2, w, first, count, out);
    FOR_PACKED_TYPE(w->type, pack_panels, w, first, count, out)
}

static void unpack_scales(ck_type type, const uint8_t *scales, int64_t r, uint8_t *block) {
    switch (type) {
    case CK_Q4_0:
    case CK_Q8_0: memcpy(block, scales + 2 * r, 2); break;
    case CK_Q4_1:
        memcpy(block, scales + 2 * r, 2);
        memcpy(block + 2, scales + 32 + 2 * r, 2);
        break;
    case CK_Q4_K:
    case CK_Q5_K:
        memcpy(block, scales + 2 * r, 2);
        memcpy(block + 2, scales + 32 + 2 * r, 2);
        for (int j = 0; j < 4; j++) {
            const uint8_t *d = scales + 64 + r, *m = scales + 192 + r;
            block[4 + j] = (uint8_t)(d[16 * j] | (d[16 * (j + 4)] >> 4) << 6);
            block[8 + j] = (uint8_t)(m[16 * j] | (m[16 * (j + 4)] >> 4) << 6);
            block[12 + j] = (uint8_t)((d[16 * (j + 4)] & 15) | m[16 * (j + 4)] << 4);
        }
        break;
    default:
        memcpy(block + 208, scales + 2 * r, 2);
        for (int j = 0; j < 16; j++) block[192 + j] = scales[32 + 16 * j + r];
        break;
    }
}

void ck_unpack_row(const ck_matrix *w, int64_t row, void *out) {
    const ck_traits *t = &ck_type_traits[w->type];
    if (t->block_length == 1) {
        const int64_t size = t->block_bytes, panel = row / CK_PANEL_ROWS * CK_PANEL_ROWS;
        const uint8_t *source = (const uint8_t *)w->bytes + (panel * w->columns + row - panel) * size;
        for (int64_t k = 0; k < w->columns; k++) {
            memcpy((uint8_t *)out + k * size, source + k * CK_PANEL_ROWS * size, (size_t)size);
        }
        return;
    }
    const ck_packing *packing = &ck_packings[w->type];
    const int64_t r = row % CK_PANEL_ROWS;
    const uint8_t *panel = (const uint8_t *)w->bytes + row / CK_PANEL_ROWS * panel_bytes(w->type, w->columns);
    const uint8_t *scales = panel + panel_line_bytes(w->type, w->columns);
    for (int64_t b = 0; b < w->columns / t->block_length; b++) {
        uint8_t *block = (uint8_t *)out + b * t->block_bytes;
        for (int i = 0; i < packing->lines; i++) {
            const uint8_t *line = panel + (b * packing->lines + line_index(w->type, i)) * 64;
            memcpy(block + packing->offset + 4 * i, line + 4 * r, 4);
        }
        unpack_scales(w->type, scales + b * packing->scale_bytes, r, block);
    }
}
