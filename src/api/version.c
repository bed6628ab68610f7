/* The library's version; the header's #defines are its one home. */
#include "sluice/sluice.h"

int32_t sl_version(void) {
  return SL_VERSION_NUMBER;
}

const char *sl_version_text(void) {
  return SL_VERSION;
}
