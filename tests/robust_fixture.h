/* What the tests of the robust mode's judges share: a run about a unit normal flow that was not
 * fitted, so that only the target and the exploration make the report. */
#ifndef SL_TESTS_ROBUST_FIXTURE_H
#define SL_TESTS_ROBUST_FIXTURE_H
#include "flow/model.h"
#include "infer/robust/attempt.h"
#include "vi_fixture.h"

typedef struct robust_fixture {
  sl_context *context;
  sl__target *target;
  sl__model *model;
  sl__arena arena;
  sl__robust_options options;
  sl__robust_report report;
  sl__robust run;
} robust_fixture;

/* density over `names`; e: borrowed, of as many dimensions, with the flow's mean and sd. */
static inline void robust_open(robust_fixture *f, const char *density, const char *names,
                               sl__exploration *e, sl_dtype type) {
  *f = (robust_fixture){.context = vi_context(1)};
  sl__arena_open(&f->arena, f->context);
  CHECK_OK(f->context, sl__target_expression(f->context, density, names, &f->target));
  sl__robust_defaults(&f->options);
  f->run = (sl__robust){.context = f->context,
                        .target = f->target,
                        .options = &f->options,
                        .exploration = e,
                        .arena = &f->arena,
                        .report = &f->report,
                        .type = type};
  const sl__plan_of_attempt plan = {.layers = "elementwise(rqs)"};
  CHECK_OK(f->context, sl__robust_start(&f->run, &plan, NULL, &f->model));
}

static inline void robust_close(robust_fixture *f) {
  sl__model_free(f->context, f->model);
  sl__target_free(f->target);
  sl__arena_close(&f->arena);
  sl_context_free(f->context);
}
#endif
