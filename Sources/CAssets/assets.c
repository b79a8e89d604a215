#include "assets.h"

// C23's #embed, which clang also takes in earlier modes; it is what Swift cannot do.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char clip_merges[] = {
#embed "../../Assets/clip-merges.txt"
};

static const unsigned char family_configurations[] = {
#embed "../../Assets/family-configurations.json"
};

ca_asset ca_clip_merges(void) { return (ca_asset){clip_merges, sizeof clip_merges}; }

ca_asset ca_family_configurations(void) {
    return (ca_asset){family_configurations, sizeof family_configurations};
}
