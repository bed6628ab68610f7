/* The tables of Stan's functions, distributions and operators. */
#include <string.h>
#include "stan/builders.h"

/* What the last column of a row stands for: a function, or NULL. */
#define BUILDER(builder) sl__stan_build_##builder

static const sl__stan_builtin builtins[] = {
#define FUNCTION(name, signatures, builder) \
  {#name, signatures, SL__STAN_PLAIN, false, false, BUILDER(builder)},
#define KNOWN(name, signatures) {#name, signatures, SL__STAN_PLAIN, false, true, NULL},
#include "stan/functions.def"
#define DENSITY(name, signatures, builder) \
  {#name "_lpdf", signatures, SL__STAN_DENSITY, false, false, BUILDER(builder)},
#define MASS(name, signatures, builder) \
  {#name "_lpmf", signatures, SL__STAN_DENSITY, true, false, BUILDER(builder)},
#define CDF(name, signatures, builder) \
  {#name "_cdf", signatures, SL__STAN_CDF, false, false, BUILDER(builder)},
#define LOG_CDF(name, signatures, builder)                                   \
  {#name "_lcdf", signatures, SL__STAN_CDF, false, false, BUILDER(builder)}, \
      {#name "_lccdf", signatures, SL__STAN_CDF, false, false, BUILDER(builder)},
#define DRAW(name, signatures, builder) \
  {#name "_rng", signatures, SL__STAN_RNG, false, false, BUILDER(builder)},
#define KNOWN_DENSITY(name, signatures) {#name, signatures, SL__STAN_DENSITY, false, true, NULL},
#define KNOWN_CUMULATIVE(name, signatures)                          \
  {#name "_cdf", signatures, SL__STAN_CDF, false, true, NULL},      \
      {#name "_lcdf", signatures, SL__STAN_CDF, false, true, NULL}, \
      {#name "_lccdf", signatures, SL__STAN_CDF, false, true, NULL},
#include "stan/distributions.def"
};

const sl__stan_builtin *sl__stan_builtins(int *count) {
  *count = (int)(sizeof builtins / sizeof *builtins);
  return builtins;
}

const sl__stan_builtin *sl__stan_builtin_find(const char *name) {
  int count;
  const sl__stan_builtin *rows = sl__stan_builtins(&count);
  for (int i = 0; i < count; i++)
    if (strcmp(rows[i].name, name) == 0) return &rows[i];
  return NULL;
}

static const char *const operators[][2] = {
#define OPERATOR(op, first, second) [SL__STAN_##op] = {first, second},
#include "stan/operators.def"
};

const char *sl__stan_operator_function(sl__stan_operator op, int which) {
  return operators[op][which];
}

typedef struct removed_function {
  const char *name, *instead;
} removed_function;

static const removed_function removed[] = {
#define REMOVED(name, instead) {#name, instead},
#include "stan/removed.def"
};

const char *sl__stan_removed_function(const char *name) {
  for (size_t i = 0; i < sizeof removed / sizeof *removed; i++)
    if (strcmp(removed[i].name, name) == 0) return removed[i].instead;
  return NULL;
}
