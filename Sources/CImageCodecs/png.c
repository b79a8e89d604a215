#include "internal.h"

#include <png.h>
#include <setjmp.h>
#include <string.h>
#include <zlib.h>

// Every function that calls setjmp keeps what it needs after a jump in memory that its own caller owns, or in
// volatile variables: a local that changed after setjmp has no defined value when libpng jumps back.

// MARK: - Errors

/// Ends the call that libpng is in: the text goes to the caller's message.
static void fail(png_structp png, png_const_charp text) {
    cic_say(png_get_error_ptr(png), text);
    png_longjmp(png, 1);
}

/// Warnings tell of what libpng mended or skipped, in chunks that are not used.
static void ignore(png_structp png, png_const_charp text) {
    (void)png;
    (void)text;
}

// MARK: - Reading

/// How much libpng reads of the picture's data at a time, and may read behind the last row.
enum { DATA_PART = 2048 };

/// The file in memory, and how much of it was read.
typedef struct {
    const uint8_t *bytes;
    size_t count;
    size_t position;
    /// Where the picture's data end.
    size_t data_end;
    /// Bytes of the picture's data that were read behind its last row.
    size_t surplus;
    uint32_t height;
    bool is_interlaced;
} source;

/// Whether every row was read, while libpng looks for the end of the compressed data.
static bool has_all_rows(png_structp png, const source *file) {
    if (file->is_interlaced) return png_get_current_pass_number(png) >= 7;
    return png_get_current_row_number(png) >= file->height;
}

static void read_bytes(png_structp png, png_bytep bytes, size_t count) {
    source *file = png_get_io_ptr(png);
    if (count > file->count - file->position) png_error(png, "the file ends too early");
    if (file->position < file->data_end && has_all_rows(png, file)) {
        // libpng would unpack all that follows, a thousand bytes for each of them.
        file->surplus += count;
        if (file->surplus > DATA_PART) png_error(png, "it has more data than pixels");
    }
    memcpy(bytes, file->bytes + file->position, count);
    file->position += count;
}

/// The names, with their final zeros, of every ancillary chunk that libpng would otherwise interpret, but tRNS.
static const png_byte skipped_chunks[] = "bKGD\0cHRM\0cICP\0eXIf\0gAMA\0hIST\0iCCP\0iTXt\0oFFs\0pCAL\0sBIT\0sCAL\0"
                                         "sPLT\0sRGB\0tEXt\0tIME\0zTXt";

static void limit(png_structp png, uint32_t width, uint32_t height) {
    png_set_user_limits(png, width, height);
    png_set_chunk_malloc_max(png, 1 << 20);
    png_set_chunk_cache_max(png, 16);
    png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, 0);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, skipped_chunks, sizeof skipped_chunks / 5);
}

bool cic_png_decode(const uint8_t *file, size_t count, size_t data_end, uint32_t width, uint32_t height,
    int channels, uint8_t *samples, char *message) {
    source input = {.bytes = file, .count = count, .data_end = data_end, .height = height};
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, message, fail, ignore);
    png_infop volatile info = png ? png_create_info_struct(png) : NULL;
    if (!info) {
        cic_say(message, "there is no memory left");
        png_destroy_read_struct(&png, NULL, NULL);
        return false;
    }
    if (setjmp(png_jmpbuf(png))) {
        png_infop made = info;
        png_destroy_read_struct(&png, &made, NULL);
        return false;
    }
    png_set_read_fn(png, &input, read_bytes);
    limit(png, width, height);
    png_set_compression_buffer_size(png, DATA_PART);
    png_read_info(png, info);
    input.is_interlaced = png_get_interlace_type(png, info) != PNG_INTERLACE_NONE;
    if (png_get_image_width(png, info) != width || png_get_image_height(png, info) != height)
        png_error(png, "its size is not what its head says");

    png_set_expand(png);
    png_set_scale_16(png);
    png_set_gray_to_rgb(png);
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    if (png_get_bit_depth(png, info) != 8 || png_get_channels(png, info) != channels
        || png_get_rowbytes(png, info) != (size_t)width * (size_t)channels)
        png_error(png, "its colours are not what its head says");

    size_t stride = (size_t)width * (size_t)channels;
    for (int pass = 0; pass < passes; pass++)
        for (uint32_t y = 0; y < height; y++) png_read_row(png, samples + y * stride, NULL);
    png_read_end(png, NULL);
    png_infop made = info;
    png_destroy_read_struct(&png, &made, NULL);
    return true;
}

// MARK: - Writing

static void write_bytes(png_structp png, png_bytep bytes, size_t count) {
    if (!cic_append(png_get_io_ptr(png), bytes, count)) png_error(png, "there is no memory left");
}

static void flush(png_structp png) { (void)png; }

bool cic_png_encode(const uint8_t *samples, uint32_t width, uint32_t height, int channels,
    const cic_chunk *chunks, size_t chunk_count, cic_buffer *output, char *message) {
    *output = (cic_buffer){0};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, message, fail, ignore);
    png_infop volatile info = png ? png_create_info_struct(png) : NULL;
    if (!info) {
        cic_say(message, "there is no memory left");
        png_destroy_write_struct(&png, NULL);
        return false;
    }
    if (setjmp(png_jmpbuf(png))) {
        png_infop made = info;
        png_destroy_write_struct(&png, &made);
        cic_release(output);
        return false;
    }
    png_set_write_fn(png, output, write_bytes, flush);
    png_set_IHDR(png, info, width, height, 8, channels == 4 ? PNG_COLOR_TYPE_RGB_ALPHA : PNG_COLOR_TYPE_RGB,
        PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_BASE, PNG_FILTER_TYPE_BASE);
    // Runs and Huffman codes alone, behind the Paeth filter: photographs come out as small as from zlib's level 6
    // without this strategy, in a fifth of the time; flat drawings twice as big, which is little all the same.
    png_set_compression_level(png, 1);
    png_set_compression_strategy(png, Z_RLE);
    png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_PAETH);
    png_write_info(png, info);
    for (size_t i = 0; i < chunk_count; i++)
        png_write_chunk(png, chunks[i].name, chunks[i].bytes, chunks[i].count);
    size_t stride = (size_t)width * (size_t)channels;
    for (uint32_t y = 0; y < height; y++) png_write_row(png, samples + y * stride);
    png_write_end(png, NULL);
    png_infop made = info;
    png_destroy_write_struct(&png, &made);
    return true;
}
