#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <webp/decode.h>
#include <webp/encode.h>
#include <webp/mux.h>

static bool fail(char *message, const char *text) {
    cic_say(message, text);
    return false;
}

// MARK: - Reading

static bool check(VP8StatusCode status, char *message) {
    switch (status) {
    case VP8_STATUS_OK: return true;
    case VP8_STATUS_OUT_OF_MEMORY: return fail(message, "there is no memory left");
    case VP8_STATUS_UNSUPPORTED_FEATURE: return fail(message, "it uses a feature that cannot be read");
    case VP8_STATUS_SUSPENDED:
    case VP8_STATUS_NOT_ENOUGH_DATA: return fail(message, "its data end too early");
    default: return fail(message, "its data are damaged");
    }
}

bool cic_webp_read_features(const uint8_t *file, size_t count, cic_webp_features *features, char *message) {
    WebPBitstreamFeatures found;
    if (!check(WebPGetFeatures(file, count, &found), message)) return false;
    *features = (cic_webp_features){found.width, found.height, found.has_alpha, found.has_animation};
    return true;
}

bool cic_webp_decode(const uint8_t *file, size_t count, int width, int height, int channels, uint8_t *samples,
    char *message) {
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config)) return fail(message, "libwebp is another version than at build time");
    if (!check(WebPGetFeatures(file, count, &config.input), message)) return false;
    if (config.input.width != width || config.input.height != height || config.input.has_animation)
        return fail(message, "its size is not what its head says");
    config.output.colorspace = channels == 4 ? MODE_RGBA : MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = samples;
    config.output.u.RGBA.stride = width * channels;
    config.output.u.RGBA.size = (size_t)width * (size_t)height * (size_t)channels;
    return check(WebPDecode(file, count, &config), message);
}

// MARK: - Writing

static int write_bytes(const uint8_t *bytes, size_t count, const WebPPicture *picture) {
    return cic_append(picture->custom_ptr, bytes, count);
}

/// What libwebp says about a picture that it could not encode.
static const char *reason(WebPEncodingError error) {
    switch (error) {
    case VP8_ENC_ERROR_OUT_OF_MEMORY:
    case VP8_ENC_ERROR_BITSTREAM_OUT_OF_MEMORY:
    case VP8_ENC_ERROR_BAD_WRITE: return "there is no memory left";
    case VP8_ENC_ERROR_BAD_DIMENSION: return "WebP has at most 16383 x 16383 pixels";
    default: return "libwebp could not encode it";
    }
}

static bool encode(const uint8_t *samples, int width, int height, int channels, const WebPConfig *config,
    cic_buffer *output, char *message) {
    WebPPicture picture;
    if (!WebPPictureInit(&picture)) return fail(message, "libwebp is another version than at build time");
    picture.use_argb = config->lossless;
    picture.width = width;
    picture.height = height;
    picture.writer = write_bytes;
    picture.custom_ptr = output;
    int stride = width * channels;
    int imported = channels == 4 ? WebPPictureImportRGBA(&picture, samples, stride)
                                 : WebPPictureImportRGB(&picture, samples, stride);
    bool is_done = imported && WebPEncode(config, &picture);
    if (!is_done) cic_say(message, imported ? reason(picture.error_code) : "there is no memory left");
    WebPPictureFree(&picture);
    return is_done;
}

/// Puts the picture in `output` and the chunks into one file, which replaces `output`.
static bool add_chunks(const cic_chunk *chunks, size_t chunk_count, cic_buffer *output, char *message) {
    WebPMux *mux = WebPMuxNew();
    WebPData picture = {output->bytes, output->count}, file = {0};
    bool is_done = mux && WebPMuxSetImage(mux, &picture, 0) == WEBP_MUX_OK;
    for (size_t i = 0; is_done && i < chunk_count; i++) {
        WebPData contents = {chunks[i].bytes, chunks[i].count};
        is_done = WebPMuxSetChunk(mux, (const char *)chunks[i].name, &contents, 0) == WEBP_MUX_OK;
    }
    is_done = is_done && WebPMuxAssemble(mux, &file) == WEBP_MUX_OK;
    WebPMuxDelete(mux);
    if (is_done) {
        output->count = 0;
        is_done = cic_append(output, file.bytes, file.size);
    }
    WebPDataClear(&file);
    return is_done || fail(message, "libwebp could not add the metadata");
}

bool cic_webp_encode(const uint8_t *samples, int width, int height, int channels, cic_webp_settings settings,
    const cic_chunk *chunks, size_t chunk_count, cic_buffer *output, char *message) {
    *output = (cic_buffer){0};
    WebPConfig config;
    if (!WebPConfigInit(&config)) return fail(message, "libwebp is another version than at build time");
    config.quality = settings.quality;
    config.method = settings.effort;
    config.lossless = settings.is_lossless;
    // The colour under transparent pixels is part of a picture that comes back as it was.
    config.exact = settings.is_lossless;
    if (!WebPValidateConfig(&config)) return fail(message, "the quality or effort is out of range");
    if (encode(samples, width, height, channels, &config, output, message)
        && (!chunk_count || add_chunks(chunks, chunk_count, output, message)))
        return true;
    cic_release(output);
    return false;
}
