/// PNG and WebP for Swift: libpng's errors jump, which must not cross Swift frames.
///
/// Samples are 8 bits, rows without gaps from the top: red, green, blue (and alpha, not premultiplied). A function
/// that fails returns false and leaves a sentence without a full stop in `message`, which holds at least
/// `CIC_MESSAGE_SIZE` characters. What is read must have been checked for its structure and size (Swift's
/// `PNG` and `WebP` do): these functions allocate what the caller's sizes say.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if !defined(__clang__)
#define _Nonnull
#define _Nullable
#endif

enum { CIC_MESSAGE_SIZE = 128 };

/// A file made by an encoder; the caller ends it with `cic_release`.
typedef struct {
    uint8_t *_Nullable bytes;
    size_t count;
    size_t capacity;
} cic_buffer;

/// Frees a buffer's bytes.
void cic_release(cic_buffer *_Nonnull buffer);

/// A chunk to be written: the four letters of its name, and its contents.
typedef struct {
    uint8_t name[5];
    const uint8_t *_Nullable bytes;
    size_t count;
} cic_chunk;

/// Decodes a PNG of the given size into `samples` [height, width, channels].
///
/// Every colour type and depth becomes RGB (channels 3) or RGBA (4); `channels` must be 4 exactly when the file has
/// alpha or a tRNS chunk. Ancillary chunks are skipped; a checksum that doesn't match is an error, and so are data
/// that go on behind the last row. `data_end` is where the last IDAT chunk ends.
bool cic_png_decode(const uint8_t *_Nonnull file, size_t count, size_t data_end, uint32_t width, uint32_t height,
    int channels, uint8_t *_Nonnull samples, char *_Nonnull message);

/// Encodes `samples` [height, width, channels] as PNG, with `chunks` before the picture's data.
bool cic_png_encode(const uint8_t *_Nonnull samples, uint32_t width, uint32_t height, int channels,
    const cic_chunk *_Nullable chunks, size_t chunk_count, cic_buffer *_Nonnull output, char *_Nonnull message);

/// What the head of a WebP file says.
typedef struct {
    int width;
    int height;
    bool has_alpha;
    bool is_animated;
} cic_webp_features;

/// Reads the head of a WebP file.
bool cic_webp_read_features(const uint8_t *_Nonnull file, size_t count, cic_webp_features *_Nonnull features,
    char *_Nonnull message);

/// Decodes a still WebP of the given size into `samples` [height, width, channels].
bool cic_webp_decode(const uint8_t *_Nonnull file, size_t count, int width, int height, int channels,
    uint8_t *_Nonnull samples, char *_Nonnull message);

/// How WebP pictures are written.
typedef struct {
    bool is_lossless;
    /// 0 to 100: how good a lossy picture is.
    float quality;
    /// 0 (fast) to 6 (small).
    int effort;
} cic_webp_settings;

/// Encodes `samples` [height, width, channels] as WebP, with `chunks` (`EXIF`, `XMP `) beside the picture's data.
bool cic_webp_encode(const uint8_t *_Nonnull samples, int width, int height, int channels,
    cic_webp_settings settings, const cic_chunk *_Nullable chunks, size_t chunk_count, cic_buffer *_Nonnull output,
    char *_Nonnull message);
