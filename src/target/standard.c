/* Standard targets: the registry, and what they share. */
#include "base/option.h"
#include "target/standard.h"
#include <math.h>
#include <string.h>
#include "target/source.h"

static const sl__standard_target *const registry[] = {
#define STANDARD(name) &sl__standard_##name,
#include "target/targets.def"
};

const sl__standard_target *const *sl__standard_targets(int *count) {
  *count = (int)(sizeof registry / sizeof *registry);
  return registry;
}

sl_node sl__log_add_exp(sl__graph *g, sl_node a, sl_node b) {
  return op_add(g, a, op_softplus(g, op_subtract(g, b, a)));
}

double sl__draw_plateau(sl__random_key key, uint64_t row, uint32_t feature, double half_width,
                        double sd) {
  /* one uniform number chooses between the flat part and the two tails, and the place in it */
  const double tails = sd * sqrt(6.283185307179586477), whole = 2 * half_width + tails;
  const double u = sl__random_uniform(key, row, feature) * whole;
  if (u < 2 * half_width) return u - half_width;
  const double beyond = sd * fabs(sl__random_normal(key, row, feature + 2));
  return u < 2 * half_width + tails / 2 ? half_width + beyond : -half_width - beyond;
}

/* ---- as targets ---- */

typedef struct standard {
  const sl__standard_target *which;
} standard;

static const sl__standard_target *which(const sl__target *target) {
  return ((const standard *)target->state)->which;
}

/* Without constraints there is no Jacobian; constants are what these targets are known by, and
 * stay. */
static sl_node log_density(const sl__target *target, sl__graph *g, sl_node x, uint32_t flags) {
  (void)flags;
  return which(target)->log_density(g, x);
}

static void draw(const sl__target *target, sl__random_key key, int64_t first_row, int64_t rows,
                 double *x) {
  for (int64_t r = 0; r < rows; r++)
    which(target)->draw(key, (uint64_t)(first_row + r), x + r * target->dim);
}

static const sl__target_source source = {.kind = "standard target", .log_density = log_density};

static sl_status refuse_name(sl_context *context, const char *name) {
  sl__text list;
  sl__text_open(&list, context);
  const char *names[sizeof registry / sizeof *registry];
  for (size_t i = 0; i < sizeof registry / sizeof *registry; i++) {
    names[i] = registry[i]->name;
    sl__text_add(&list, "%s%s", i ? ", " : "", registry[i]->name);
  }
  const char *near = sl__nearest_name(name, names, sizeof names / sizeof *names);
  const sl_status status =
      list.failed
          ? SL_NO_MEMORY
          : sl__fail(context, SL_BAD_ARGUMENT,
                     "there is no standard target '%.100s'; %s%s%stake one of %s", name,
                     near ? "did you mean " : "", near ? near : "", near ? "? " : "", list.data);
  sl__text_close(&list);
  return status;
}

sl_status sl__target_standard(sl_context *context, const char *name, sl__target **out) {
  *out = NULL;
  const sl__standard_target *found = NULL;
  for (size_t i = 0; i < sizeof registry / sizeof *registry; i++)
    if (strcmp(registry[i]->name, name) == 0) found = registry[i];
  if (!found) return refuse_name(context, name);
  SL__TRY(sl__target_make(context, &source, found->name, found->dim, sizeof(standard), out));
  sl__target *target = *out;
  ((standard *)target->state)->which = found;
  target->log_evidence = found->log_evidence;
  target->draw = found->draw ? draw : NULL;
  const char *const texts[] = {"name", name, NULL};
  sl_status status = sl__target_set_names(target, NULL);
  if (status == SL_OK) status = sl__target_remember(context, target, "standard", texts);
  if (status != SL_OK) {
    sl__target_free(target);
    *out = NULL;
  }
  return status;
}
