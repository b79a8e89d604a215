// The files in Assets, compiled in.

#ifndef ASSETS_H
#define ASSETS_H

#include <stddef.h>

typedef struct {
    const unsigned char *bytes;
    size_t count;
} ca_asset;

ca_asset ca_clip_merges(void);
ca_asset ca_family_configurations(void);

#endif
