/* Which coordinates drive the scales of others. */
#include <math.h>
#include <string.h>
#include "infer/robust/attempt.h"
#include "vi_fixture.h"

enum { ROWS = 4000, DIM = 6 };

/* Coordinate 2 is the log variance of 0, 3 and 4, at this strength; 1 and 5 are by themselves. */
static void draw(double strength, double *x) {
  const sl__random_key key = {7, 8, 9};
  for (uint64_t r = 0; r < ROWS; r++) {
    double *row = x + r * DIM;
    for (uint32_t i = 0; i < DIM; i++) row[i] = sl__random_normal(key, r, 2 * i);
    const double scale = exp(0.5 * strength * row[2]);
    row[0] *= scale;
    row[3] *= scale;
    row[4] *= scale;
  }
}

static void find(double strength, double effective, char out[DIM + 1]) {
  sl_context *context = vi_context(1);
  double *x = calloc((size_t)ROWS * DIM, sizeof *x);
  sl__arena arena;
  sl__arena_open(&arena, context);
  draw(strength, x);
  sl__exploration e = {.dim = DIM, .buffer = {ROWS, x}, .effective = effective};
  sl__robust run = {.context = context, .exploration = &e, .arena = &arena};
  CHECK_OK(context, sl__exploration_settle(&arena, 1, &e));
  CHECK_OK(context, sl__robust_find_drivers(&run));
  strcpy(out, run.drivers ? run.drivers : "");
  sl__arena_close(&arena);
  free(x);
  sl_context_free(context);
}

TEST(a_log_variance_is_found) {
  char mask[DIM + 1];
  find(1, ROWS, mask);
  CHECK(strcmp(mask, "001000") == 0);
}

TEST(independent_coordinates_drive_nothing) {
  char mask[DIM + 1];
  find(0, ROWS, mask);
  CHECK(strcmp(mask, "") == 0);
}

/* What a few independent draws show may be chance. */
TEST(few_draws_are_not_believed) {
  char mask[DIM + 1];
  find(1, 50, mask);
  CHECK(strcmp(mask, "") == 0);
}

static const char *layers_with(const char *drivers, sl__robust *run, sl__exploration *e) {
  static const sl__robust_options options = {0};
  sl__plan_of_attempt plan;
  *e = (sl__exploration){.dim = DIM};
  *run = (sl__robust){.options = &options, .exploration = e, .drivers = drivers};
  CHECK(sl__robust_plan(run, 0, &plan));
  return plan.layers;
}

/* A formula that is cut short would be refused as a mistake: better no such layer. */
TEST(a_layer_that_has_no_room_is_left_out) {
  sl__exploration e;
  sl__robust run;
  char many[600] = "";
  memset(many, '1', sizeof many - 1);
  const char *layers = layers_with("001000", &run, &e);
  CHECK(strstr(layers, "-coupling(affine,hidden=32x32,mask=001000)") != NULL);
  layers = layers_with(many, &run, &e);
  CHECK(strstr(layers, "mask") == NULL && layers[strlen(layers) - 2] == '*');
}
