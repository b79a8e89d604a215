#include "assets.h"

// C23's #embed, which clang also takes in earlier modes; it is what Swift cannot do.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char clip_merges[] = {
#embed "../../Assets/clip-merges.txt"
};

ca_asset ca_clip_merges(void) { return (ca_asset){clip_merges, sizeof clip_merges}; }
