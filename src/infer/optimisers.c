/* The registry of optimisers, expanded from optimisers.def. */
#include <math.h>
#include <string.h>
#include "infer/optimisers.h"

static const sl__optimiser *const registry[] = {
#define OPTIMISER(name) &sl__optimiser_##name,
#include "infer/optimisers.def"
};

const sl__optimiser *const *sl__optimisers(int *count) {
  *count = (int)(sizeof registry / sizeof registry[0]);
  return registry;
}

const sl__optimiser *sl__optimiser_find(const char *name) {
  for (size_t i = 0; i < sizeof registry / sizeof registry[0]; i++)
    if (strcmp(registry[i]->name, name) == 0) return registry[i];
  return NULL;
}

static double given_or(double given, double fallback) {
  return isnan(given) ? fallback : given;
}

sl__optimiser_options sl__optimiser_resolve(const sl__optimiser *optimiser,
                                            const sl__optimiser_options *options) {
  const sl__optimiser_options *defaults = &optimiser->defaults;
  return (sl__optimiser_options){
      .beta1 = given_or(options->beta1, defaults->beta1),
      .beta2 = given_or(options->beta2, defaults->beta2),
      .epsilon = given_or(options->epsilon, defaults->epsilon),
      .momentum = given_or(options->momentum, defaults->momentum),
      .weight_decay = given_or(options->weight_decay, defaults->weight_decay),
  };
}
