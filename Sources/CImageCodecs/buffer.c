#include "internal.h"

#include <stdlib.h>
#include <string.h>

void cic_say(char *message, const char *text) {
    size_t count = strlen(text);
    if (count >= CIC_MESSAGE_SIZE) count = CIC_MESSAGE_SIZE - 1;
    memcpy(message, text, count);
    message[count] = 0;
}

bool cic_append(cic_buffer *buffer, const uint8_t *bytes, size_t count) {
    if (count > SIZE_MAX / 4 - buffer->count) return false;
    size_t needed = buffer->count + count;
    if (needed > buffer->capacity) {
        size_t capacity = needed + needed / 2 + 4096;
        uint8_t *grown = realloc(buffer->bytes, capacity);
        if (!grown) return false;
        buffer->bytes = grown;
        buffer->capacity = capacity;
    }
    if (count) memcpy(buffer->bytes + buffer->count, bytes, count);
    buffer->count = needed;
    return true;
}

void cic_release(cic_buffer *buffer) {
    free(buffer->bytes);
    *buffer = (cic_buffer){0};
}
