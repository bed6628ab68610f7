/* The registry of learning-rate schedules, expanded from schedules.def. */
#include <string.h>
#include "infer/optimisers.h"

static const sl__schedule *const registry[] = {
#define SCHEDULE(name) &sl__schedule_##name,
#include "infer/schedules.def"
};

const sl__schedule *const *sl__schedules(int *count) {
  *count = (int)(sizeof registry / sizeof registry[0]);
  return registry;
}

const sl__schedule *sl__schedule_find(const char *name) {
  for (size_t i = 0; i < sizeof registry / sizeof registry[0]; i++)
    if (strcmp(registry[i]->name, name) == 0) return registry[i];
  return NULL;
}

double sl__warmup_factor(int64_t step, int64_t warmup_steps) {
  return step < warmup_steps ? (double)(step + 1) / (double)warmup_steps : 1;
}
