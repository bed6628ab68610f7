/* What the files of single optimisers and schedules share with their registries. */
#ifndef SL_INFER_OPTIMISERS_H
#define SL_INFER_OPTIMISERS_H
#include "infer/infer.h"

#define OPTIMISER(name) extern const sl__optimiser sl__optimiser_##name;
#include "infer/optimisers.def"
#define SCHEDULE(name) extern const sl__schedule sl__schedule_##name;
#include "infer/schedules.def"

/* The linear rise that every schedule may start with: 1/warmup_steps, ..., 1. */
double sl__warmup_factor(int64_t step, int64_t warmup_steps);
#endif
