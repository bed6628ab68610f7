/* Runs that ask whether to go on: where each row may take long they end between rows, and the
 * slices that they are made in change no bit. And patience: what is given up. */
#include <math.h>
#include <string.h>
#include "target/target.h"
#include "vi_fixture.h"

enum { ROWS = 512, FIRST_TAKEN = 16 };

/* An explicit method needs steps in proportion to the rate. */
static const char program[] =
    "functions { vector f(real t, vector y, real rate) { return -rate * y; } }\n"
    "parameters { real a; }\n"
    "model { array[1] vector[1] y = ode_rk45(f, [1]', 0, {1.0}, exp(a));\n"
    "  a ~ normal(y[1][1], 1); }\n";

static int64_t asked;

static bool go_on(void *user) {
  (void)user;
  asked++;
  return true;
}

static bool stop(void *user) {
  (void)user;
  asked++;
  return false;
}

typedef struct fixture {
  sl_context *context;
  sl__target *target;
  sl__density *density;
  double q[ROWS], value[ROWS], gradient[ROWS];
} fixture;

static void open_fixture(fixture *f, double lowest, double highest) {
  *f = (fixture){.context = vi_context(1)};
  if (sl__target_stan(f->context, "decay.stan", program, strlen(program), NULL, NULL, 0, 0,
                      &f->target) != SL_OK ||
      sl__density_new(f->context, f->target, 0, true, &f->density) != SL_OK)
    abort();
  for (int r = 0; r < ROWS; r++) f->q[r] = lowest + (highest - lowest) * r / (ROWS - 1);
  asked = 0;
}

static void close_fixture(fixture *f) {
  sl__density_free(f->density);
  sl__target_free(f->target);
  sl_context_free(f->context);
}

static sl__points points_of(fixture *f) {
  return (sl__points){.rows = ROWS,
                      .q = f->q,
                      .value = f->value,
                      .gradient = f->gradient,
                      .row_stride = 1,
                      .column_stride = 1};
}

TEST(slices_change_no_bit) {
  fixture f;
  double value[ROWS], gradient[ROWS];
  open_fixture(&f, -3, 6);
  const sl__points points = points_of(&f);
  CHECK_OK(f.context, sl__density_run(f.context, f.density, &points));
  memcpy(value, f.value, sizeof value);
  memcpy(gradient, f.gradient, sizeof gradient);
  memset(f.value, 0, sizeof f.value);
  CHECK_OK(f.context, sl__density_run_asking(f.context, f.density, &points, go_on, NULL));
  CHECK(memcmp(value, f.value, sizeof value) == 0);
  CHECK(memcmp(gradient, f.gradient, sizeof gradient) == 0);
  close_fixture(&f);
}

TEST(rows_that_take_long_can_be_ended) {
  fixture f;
  open_fixture(&f, 12.5, 12.6);
  const sl__points points = points_of(&f);
  CHECK(sl__density_run_asking(f.context, f.density, &points, stop, NULL) == SL_STOPPED);
  CHECK_INTEGER(asked, 1);
  CHECK(sl__density_gradients(f.density) >= FIRST_TAKEN);
  CHECK(sl__density_gradients(f.density) < ROWS);
  close_fixture(&f);
}

TEST(patience_gives_up_what_takes_long_and_changes_nothing_else) {
  fixture f;
  double value[ROWS], gradient[ROWS], steps = 0;
  open_fixture(&f, -3, 10);
  const sl__points all = points_of(&f);
  sl__points near = all;
  near.rows = ROWS / 2;
  CHECK_OK(f.context, sl__density_run(f.context, f.density, &all));
  memcpy(value, f.value, sizeof value);
  memcpy(gradient, f.gradient, sizeof gradient);
  CHECK(isfinite(value[ROWS - 1]));
  CHECK_OK(f.context, sl__density_learn_patience(f.context, f.density, &near, &steps));
  CHECK(steps > 0 && steps < 10000);
  CHECK_OK(f.context, sl__density_run(f.context, f.density, &all)); /* learned, not set */
  CHECK(memcmp(value, f.value, sizeof value) == 0);
  sl__density_set_patience(f.density, steps);
  CHECK_OK(f.context, sl__density_run(f.context, f.density, &all));
  CHECK(memcmp(value, f.value, ROWS / 2 * sizeof *value) == 0);
  CHECK(memcmp(gradient, f.gradient, ROWS / 2 * sizeof *gradient) == 0);
  CHECK(f.value[ROWS - 1] == -(double)INFINITY);
  close_fixture(&f);
}

TEST(there_is_no_limit_to_patience_without_a_value) {
  fixture f;
  double steps = 1;
  open_fixture(&f, 800, 900); /* exp overflows */
  const sl__points points = points_of(&f);
  CHECK_OK(f.context, sl__density_learn_patience(f.context, f.density, &points, &steps));
  CHECK(steps == 0);
  close_fixture(&f);
}
