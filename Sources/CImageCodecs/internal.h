#pragma once

#include "cimagecodecs.h"

/// Puts a sentence into the caller's `message`.
void cic_say(char *message, const char *text);

/// Adds bytes to a buffer that grows; false when there is no memory left.
bool cic_append(cic_buffer *buffer, const uint8_t *bytes, size_t count);
