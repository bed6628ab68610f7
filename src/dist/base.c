/* The registry of base densities: base.def. */
#include <string.h>
#include "dist/base.h"

#define BASE(name) extern const sl__base sl__base_##name;
#include "dist/base.def"

static const sl__base *const bases[] = {
#define BASE(name) &sl__base_##name,
#include "dist/base.def"
};

const sl__base *const *sl__bases(int *count) {
  *count = (int)(sizeof bases / sizeof bases[0]);
  return bases;
}

const sl__base *sl__base_find(const char *name) {
  for (size_t i = 0; i < sizeof bases / sizeof bases[0]; i++)
    if (strcmp(bases[i]->name, name) == 0) return bases[i];
  return NULL;
}
