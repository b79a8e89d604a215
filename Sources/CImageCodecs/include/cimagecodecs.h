/// PNG and WebP for Swift: libpng's errors jump, which must not cross Swift frames.
#pragma once
