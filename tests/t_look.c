/* Looking at data: what layers are shown and what they make of it (sl__flow_look), and the looks of
 * a fit: before the first step, now and then, once in a life, in the same bits however often the
 * fit is interrupted. */
#include <unistd.h>
#include "flow_fixture.h"
#include "flow/model.h"
#include "mle_fixture.h"
#include "short_memory.h"

enum { ROWS = 700, WIDEST = 4 };

static int find(const sl__flow *flow, const char *name) {
  for (int i = 0; i < flow->parameter_count; i++)
    if (strcmp(flow->parameters[i].name, name) == 0) return i;
  printf("no parameter %s\n", name);
  CHECK(false);
  exit(1);
}

static double *tensor(fixture *f, const char *name) {
  return f->vector + f->flow->parameters[find(f->flow, name)].offset;
}

/* Plain moments of column k of rows [count][dim]. */
static void moments(const double *rows, int count, int dim, int k, double *mean, double *sd) {
  double sum = 0, squares = 0;
  for (int r = 0; r < count; r++) sum += rows[r * dim + k];
  *mean = sum / count;
  for (int r = 0; r < count; r++) {
    double off = rows[r * dim + k] - *mean;
    squares += off * off;
  }
  *sd = sqrt(squares / count);
}

/* Column k is about 10^k wide, skew, and correlated with the first. */
static void make_rows(double *x, int count, int dim, uint64_t seed) {
  fixture_points(x, count * dim, 1, seed);
  for (int r = 0; r < count; r++)
    for (int k = dim - 1; k >= 0; k--) {
      double *at = &x[r * dim + k];
      *at = pow(10, k) * (*at + 0.2 * *at * *at + 0.5 * x[r * dim]) + 3 * k - 2;
    }
}

static sl_status look(fixture *f, int rows, const double *x, const double *c, bool first) {
  static float narrow[2][ROWS * WIDEST];
  bool is_narrow = f->flow->type == SL_F32;
  for (int k = 0; is_narrow && k < rows * f->flow->dim; k++) narrow[0][k] = (float)x[k];
  for (int k = 0; is_narrow && k < rows * f->flow->context_dim; k++) narrow[1][k] = (float)c[k];
  for (int64_t k = 0; k < f->flow->size; k++) f->narrow[k] = (float)f->vector[k];
  sl_status status = is_narrow ? sl__flow_look(f->context, f->flow, f->narrow, rows, narrow[0],
                                               f->flow->context_dim > 0 ? narrow[1] : NULL, first)
                               : sl__flow_look(f->context, f->flow, f->vector, rows, x, c, first);
  for (int64_t k = 0; is_narrow && k < f->flow->size; k++) f->vector[k] = (double)f->narrow[k];
  return status;
}

/* Rows at the base side of a layer (counted from 1): mean 0, deviation 1. */
static void check_standard(fixture *f, const double *x, const double *c, int layer,
                           double tolerance) {
  static double z[ROWS * WIDEST], log_det[ROWS];
  int dim = f->flow->dim, features = dim - f->flow->periodic;
  fixture_range(f, layer - 1, f->flow->chain.count);
  if (!fixture_map(f, FIXTURE_LOG_PROB_MAP, ROWS, x, c, z, log_det)) return;
  for (int k = 0; k < features; k++) {
    double mean, sd;
    moments(z, ROWS, dim, k, &mean, &sd);
    CHECK_CLOSE(mean, 0, tolerance);
    CHECK_CLOSE(sd, 1, tolerance);
  }
}

/* Without what their hypernetworks add, which is near 0 at first, layers learn exactly. */
static void silence_hypernetworks(fixture *f) {
  for (int i = 0; i < f->flow->parameter_count; i++) {
    const sl__parameter *p = &f->flow->parameters[i];
    size_t bytes = (size_t)sl__shape_count(p->shape) * sizeof *f->vector;
    if (strstr(p->name, ".hyper.")) memset(f->vector + p->offset, 0, bytes);
  }
}

static void check_actnorms(const char *formula, int dim, int context_dim, sl_dtype type,
                           double tolerance) {
  static double x[ROWS * WIDEST], c[ROWS * WIDEST];
  fixture f;
  int failures = check_failures;
  make_rows(x, ROWS, dim, 3);
  fixture_points(c, ROWS * context_dim, 1, 4);
  if (!fixture_open(&f, formula, dim, context_dim, type)) return;
  for (int i = 0; i < f.flow->parameter_count; i++) /* nothing in the chain is the identity */
    if (!strstr(f.flow->parameters[i].name, "started"))
      for (int64_t k = 0; k < sl__shape_count(f.flow->parameters[i].shape); k++)
        f.vector[f.flow->parameters[i].offset + k] += 0.1 * cos((double)(k + i));
  silence_hypernetworks(&f);
  CHECK(sl__flow_looks(f.flow, false) && !sl__flow_looks(f.flow, true));
  if (CHECK_OK(f.context, look(&f, ROWS, x, c, true)))
    for (int i = 0; i < f.flow->chain.count; i++)
      if (strcmp(f.flow->chain.layers[i].kind->name, "actnorm") == 0)
        check_standard(&f, x, c, i + 1, tolerance);
  if (check_failures > failures) printf("  in %s, dim %d\n", formula, dim);
  fixture_close(&f);
}

TEST(actnorm_makes_its_base_side_standard) {
  check_actnorms("actnorm", 1, 0, SL_F64, 1e-12);
  check_actnorms("actnorm-lu-actnorm-coupling(affine,hidden=8)-actnorm", 3, 0, SL_F64, 1e-11);
  check_actnorms("actnorm-lu-actnorm-coupling(affine,hidden=8)-actnorm", 3, 0, SL_F32, 1e-4);
  check_actnorms("loc-actnorm-maf(hidden=8)-scale", 4, 0, SL_F64, 1e-11);
  check_actnorms("actnorm*3", 2, 0, SL_F64, 1e-12);
  check_actnorms("actnorm-coupling(affine,hidden=8)-actnorm", 2, 2, SL_F64, 1e-11);
}

/* What stands in inverse(...) is brought to mean 0 and deviation 1 where the base side is. */
TEST(actnorm_turned_round) {
  check_actnorms("inverse(actnorm)", 2, 0, SL_F64, 1e-12);
  check_actnorms("lu-inverse(actnorm-coupling(affine,hidden=8)-actnorm)-loc", 3, 0, SL_F64, 1e-11);
}

/* Some features are angles: the others' layers see the others only. */
TEST(angles_are_not_shown) {
  static double x[ROWS * 3];
  fixture f = {0};
  make_rows(x, ROWS, 3, 3);
  for (int r = 0; r < ROWS; r++) x[3 * r + 2] = 3 * cos(r);
  const sl__flow_plan plan = {.formula = "actnorm-coupling(affine,hidden=8)-inverse(actnorm)",
                              .dim = 3,
                              .periodic = 1,
                              .type = SL_F64,
                              .seed = 3};
  REQUIRE(sl_context_new(NULL, &f.context) == SL_OK);
  REQUIRE_OK(f.context, sl__flow_new(f.context, &plan, &f.flow));
  f.vector = calloc((size_t)f.flow->size, sizeof *f.vector);
  f.narrow = calloc((size_t)f.flow->size, sizeof *f.narrow);
  sl__flow_initialise(f.flow, f.vector);
  silence_hypernetworks(&f);
  REQUIRE_OK(f.context, look(&f, ROWS, x, NULL, true));
  for (int layer = 1; layer <= 3; layer += 2) check_standard(&f, x, NULL, layer, 1e-10);
  fixture_close(&f);
}

TEST(actnorm_starts_once) {
  static double x[ROWS * 2], other[ROWS * 2];
  fixture f;
  make_rows(x, ROWS, 2, 3);
  for (int k = 0; k < ROWS * 2; k++) other[k] = 7 * x[k] + 100;
  if (!fixture_open(&f, "actnorm-lu-actnorm", 2, 0, SL_F64)) return;
  CHECK(*tensor(&f, "layers.1.started") == 0);
  REQUIRE_OK(f.context, look(&f, ROWS, x, NULL, true));
  CHECK(*tensor(&f, "layers.1.started") == 1 && *tensor(&f, "layers.3.started") == 1);
  size_t bytes = (size_t)f.flow->size * sizeof *f.vector;
  double *before = malloc(bytes);
  memcpy(before, f.vector, bytes);
  REQUIRE_OK(f.context, look(&f, ROWS, other, NULL, true));
  CHECK(memcmp(before, f.vector, bytes) == 0);
  free(before);
  fixture_close(&f);
}

TEST(constant_columns_are_survived) {
  static double x[ROWS * 3];
  for (int all = 0; all <= 1; all++) {
    fixture f;
    make_rows(x, ROWS, 3, 3);
    for (int r = 0; r < ROWS; r++)
      for (int k = 0; k < 3; k++)
        if (all || k == 1) x[3 * r + k] = 0.1 * (k + 1);
    if (!fixture_open(&f, "actnorm-batchnorm-actnorm", 3, 0, SL_F64)) return;
    REQUIRE_OK(f.context, look(&f, ROWS, x, NULL, true));
    const double *shift = tensor(&f, "layers.3.shift"),
                 *log_scale = tensor(&f, "layers.3.log_scale");
    double first_mean, sd[3];
    for (int k = 0; k < 3; k++) moments(x, ROWS, 3, k, &first_mean, &sd[k]);
    double floor = all ? 1 : 1e-3 * sqrt((sd[0] * sd[0] + sd[2] * sd[2]) / 3);
    CHECK_CLOSE(shift[1], 0.2, 1e-12);
    CHECK_CLOSE(exp(log_scale[1]), floor, 1e-12);
    for (int64_t k = 0; k < f.flow->size; k++) CHECK(isfinite(f.vector[k]));
    fixture_close(&f);
  }
}

/* A column of small numbers beside one of large ones is no constant. */
TEST(units_do_not_matter) {
  static double x[ROWS * 2];
  fixture f;
  make_rows(x, ROWS, 2, 3);
  for (int r = 0; r < ROWS; r++)
    x[2 * r] = 1e-6 * x[2 * r] + 0.1, x[2 * r + 1] = 1e6 * x[2 * r + 1] + 1e12;
  if (!fixture_open(&f, "actnorm", 2, 0, SL_F64)) return;
  REQUIRE_OK(f.context, look(&f, ROWS, x, NULL, true));
  check_standard(&f, x, NULL, 1, 1e-8);
  fixture_close(&f);
}

TEST(rows_that_are_not_finite_do_not_count) {
  static double x[ROWS * 2];
  fixture f;
  make_rows(x, ROWS, 2, 3);
  double mean, sd;
  moments(x + 4, ROWS - 2, 2, 0, &mean, &sd);
  x[0] = NAN;
  x[3] = -INFINITY;
  if (!fixture_open(&f, "actnorm-batchnorm", 2, 0, SL_F64)) return;
  REQUIRE_OK(f.context, look(&f, ROWS, x, NULL, true));
  CHECK_CLOSE(*tensor(&f, "layers.2.mean"), mean, 1e-12);
  fixture_close(&f);
  for (int k = 0; k < ROWS * 2; k++) x[k] = k % 2 ? (double)NAN : k;
  if (!fixture_open(&f, "actnorm-batchnorm", 2, 0, SL_F64)) return;
  REQUIRE_OK(f.context, look(&f, ROWS, x, NULL, true)); /* nothing to be learnt: as it was */
  CHECK(*tensor(&f, "layers.1.started") == 0 && *tensor(&f, "layers.2.started") == 0);
  CHECK(*tensor(&f, "layers.1.shift") == 0 && *tensor(&f, "layers.2.variance") == 1);
  fixture_close(&f);
}

/* Its statistics by plain loops: all the way at first, by momentum later. */
TEST(batchnorm_moves_by_momentum) {
  static double x[ROWS * 2], z[ROWS * 2], log_det[ROWS];
  fixture f;
  double mean[2], sd[2], variance[2];
  if (!fixture_open(&f, "batchnorm(momentum=0.3,epsilon=0.01)", 2, 0, SL_F64)) return;
  CHECK(sl__flow_looks(f.flow, true));
  make_rows(x, ROWS, 2, 3);
  for (int k = 0; k < 2; k++) moments(x, ROWS, 2, k, &mean[k], &sd[k]);
  REQUIRE_OK(f.context, look(&f, ROWS, x, NULL, true));
  for (int k = 0; k < 2; k++) {
    variance[k] = sd[k] * sd[k];
    CHECK_CLOSE(tensor(&f, "layers.1.mean")[k], mean[k], 1e-12);
    CHECK_CLOSE(tensor(&f, "layers.1.variance")[k], variance[k], 1e-12);
  }
  make_rows(x, ROWS, 2, 9);
  for (int k = 0; k < ROWS * 2; k++) x[k] *= 3;
  for (int round = 0; round < 2; round++) {
    REQUIRE_OK(f.context, look(&f, ROWS, x, NULL, round == 1)); /* a second fit goes on as well */
    for (int k = 0; k < 2; k++) {
      double new_mean, new_sd;
      moments(x, ROWS, 2, k, &new_mean, &new_sd);
      mean[k] += 0.3 * (new_mean - mean[k]);
      variance[k] += 0.3 * (new_sd * new_sd - variance[k]);
      CHECK_CLOSE(tensor(&f, "layers.1.mean")[k], mean[k], 1e-12);
      CHECK_CLOSE(tensor(&f, "layers.1.variance")[k], variance[k], 1e-12);
    }
  }
  tensor(&f, "layers.1.shift")[0] = 0.5;
  tensor(&f, "layers.1.log_scale")[0] = -0.25;
  REQUIRE(fixture_map(&f, FIXTURE_LOG_PROB_MAP, 1, x, NULL, z, log_det));
  const double root = sqrt(variance[0] + 0.01);
  CHECK_CLOSE(z[0], (x[0] - mean[0]) / root * exp(-0.25) + 0.5, 1e-12);
  CHECK_CLOSE(log_det[0], -0.25 - log(root) - 0.5 * log(variance[1] + 0.01), 1e-12);
  fixture_close(&f);
}

/* Turned round it settles, rather than running after itself, with its base side standard. */
TEST(batchnorm_turned_round) {
  static double x[ROWS * 2];
  fixture f;
  make_rows(x, ROWS, 2, 3);
  if (!fixture_open(&f, "inverse(batchnorm(momentum=0.5))-loc", 2, 0, SL_F64)) return;
  for (int round = 0; round < 60; round++)
    REQUIRE_OK(f.context, look(&f, ROWS, x, NULL, round == 0));
  check_standard(&f, x, NULL, 1, 1e-3);
  fixture_close(&f);
}

/* ---- saved and loaded ---- */

static const char *temporary_path(const char *name) {
  static char path[256];
  const char *folder = getenv("TMPDIR");
  snprintf(path, sizeof path, "%s/sluice_t_look_%ld_%s", folder ? folder : "/tmp", (long)getpid(),
           name);
  return path;
}

TEST(loaded_is_started) {
  static double x[ROWS * 2];
  sl_context *context = NULL;
  sl__model *model = NULL, *loaded = NULL;
  const char *path = temporary_path("model.safetensors");
  make_rows(x, ROWS, 2, 3);
  REQUIRE(sl_context_new(NULL, &context) == SL_OK);
  REQUIRE_OK(context, sl__model_new(context, "actnorm", NULL, 2, 0, SL_F64, 1, &model));
  REQUIRE_OK(context, sl__flow_look(context, model->flow, model->vector, ROWS, x, NULL, true));
  REQUIRE_OK(context, sl__model_save(context, model, path));
  REQUIRE_OK(context, sl__model_load(context, path, &loaded));
  for (int k = 0; k < ROWS * 2; k++) x[k] += 50;
  REQUIRE_OK(context, sl__flow_look(context, loaded->flow, loaded->vector, ROWS, x, NULL, true));
  const size_t bytes = (size_t)model->flow->size * sizeof(double);
  CHECK(memcmp(model->vector, loaded->vector, bytes) == 0);
  const double *started = loaded->vector;
  CHECK(started[loaded->flow->parameters[find(loaded->flow, "layers.1.started")].offset] == 1);
  remove(path);
  sl__model_free(context, model);
  sl__model_free(context, loaded);
  sl_context_free(context);
}

/* ---- in a fit ---- */

static bool open_fitting(fitting *f, int threads, const char *formula) {
  static double x[(TRAIN + VALID) * DIM];
  make_rows(x, TRAIN + VALID, DIM, 5);
  if (!begin_fitting(f, threads, formula, x)) return false;
  f->options.steps = 100;
  f->options.batch = 64;
  f->options.valid_every = 10;
  f->options.rate = 2e-3;
  return true;
}

static float *fitted(const fitting *f, const char *name) {
  return f->vector + f->flow->parameters[find(f->flow, name)].offset;
}

/* One step of size nothing: what is fitted is what the look has made. */
static void hold_still(fitting *f) {
  f->options.steps = 1;
  f->options.rate = 1e-30;
}

TEST(a_fit_starts_from_the_data_and_a_second_one_does_not) {
  for (int average = 0; average <= 1; average++) {
    fitting f;
    double x[TRAIN * DIM], mean, sd;
    if (!open_fitting(&f, 1, "actnorm")) return;
    hold_still(&f);
    f.options.ema = average ? 0.9 : 0;
    for (int k = 0; k < TRAIN * DIM; k++) x[k] = (double)f.x[k];
    REQUIRE_OK(f.context, fit(&f));
    for (int again = 0; again <= 1; again++) {
      for (int k = 0; k < DIM; k++) {
        moments(x, TRAIN, DIM, k, &mean, &sd);
        CHECK_CLOSE(fitted(&f, "layers.1.shift")[k], mean, 1e-5);
        CHECK_CLOSE(exp((double)fitted(&f, "layers.1.log_scale")[k]), sd, 1e-5);
      }
      CHECK(*fitted(&f, "layers.1.started") == 1);
      for (int k = 0; k < TRAIN * DIM; k++) f.x[k] += 20;
      REQUIRE_OK(f.context, fit(&f));
    }
    close_fitting(&f);
  }
}

/* No check ever says that anything is better than the start: which is after the look. */
TEST(the_first_best_has_looked) {
  fitting f;
  if (!open_fitting(&f, 1, "actnorm")) return;
  for (int k = 0; k < VALID * DIM; k++) f.valid_x[k] = NAN;
  REQUIRE_OK(f.context, fit(&f));
  CHECK(*fitted(&f, "layers.1.started") == 1 && *fitted(&f, "layers.1.shift") != 0);
  close_fitting(&f);
}

TEST(rows_of_no_weight_are_not_shown) {
  fitting f;
  float weight[TRAIN];
  if (!open_fitting(&f, 1, "actnorm")) return;
  hold_still(&f);
  for (int r = 0; r < TRAIN; r++) weight[r] = r % 3 > 0;
  for (int r = 0; r < TRAIN; r += 3) f.x[r * DIM] = 1e6f;
  f.data.weight = weight;
  REQUIRE_OK(f.context, fit(&f));
  CHECK(fabs((double)*fitted(&f, "layers.1.shift")) < 10);
  close_fitting(&f);
}

static sl_status generate_rows(void *user, int64_t step, int64_t rows, void *x) {
  double draws[128 * DIM];
  *(int64_t *)user = step;
  make_rows(draws, (int)rows, DIM, 100 + (uint64_t)step);
  for (int64_t k = 0; k < rows * DIM; k++) ((float *)x)[k] = (float)draws[k];
  return SL_OK;
}

TEST(generated_rows_are_shown) {
  fitting f;
  int64_t last = -1;
  double start = 0;
  for (int steps = 1; steps <= 100; steps += 99) {
    if (!open_fitting(&f, 1, "batchnorm-actnorm")) return;
    f.data = (sl__mle_data){0};
    f.options.generate = generate_rows;
    f.options.user = &last;
    f.options.batch = 128;
    f.options.steps = steps;
    REQUIRE_OK(f.context, fit(&f));
    CHECK_INTEGER(last, steps - 1);
    CHECK(*fitted(&f, "layers.1.started") == 1 && *fitted(&f, "layers.2.started") == 1);
    if (steps == 1) start = f.report.train_loss;
    close_fitting(&f);
  }
  CHECK(start > 2 && start < 6.5); /* far more, without a look: column 2 is 10 wide */
}

/* At the end the statistics are about those of the rows at their layers: of the newest parameters,
 * and with an average, of the average. */
TEST(running_statistics_follow_the_layers_before_them) {
  for (int average = 0; average <= 1; average++) {
    static double x[TRAIN * DIM], z[TRAIN * DIM], log_det[TRAIN];
    const char *formula = "batchnorm(momentum=0.5)-coupling(affine,hidden=8)*2-"
                          "batchnorm(momentum=0.5)-lu";
    fitting f;
    fixture same;
    if (!open_fitting(&f, 2, formula)) return;
    f.data.valid_rows = 0; /* the last parameters are the result */
    f.options.steps = 400;
    f.options.ema = average ? 0.98 : 0;
    REQUIRE_OK(f.context, fit(&f));
    if (!fixture_open(&same, formula, DIM, 0, SL_F64)) return;
    for (int64_t k = 0; k < f.flow->size; k++) same.vector[k] = (double)f.vector[k];
    for (int k = 0; k < TRAIN * DIM; k++) x[k] = (double)f.x[k];
    for (int layer = 1; layer <= 4; layer += 3) {
      char name[2][32];
      snprintf(name[0], sizeof name[0], "layers.%d.mean", layer);
      snprintf(name[1], sizeof name[1], "layers.%d.variance", layer);
      fixture_range(&same, layer, same.flow->chain.count);
      REQUIRE(fixture_map(&same, FIXTURE_LOG_PROB_MAP, TRAIN, x, NULL, z, log_det));
      for (int k = 0; k < DIM; k++) {
        double mean, sd;
        moments(z, TRAIN, DIM, k, &mean, &sd);
        CHECK(fabs(tensor(&same, name[0])[k] - mean) < 0.1 * sd);
        CHECK_CLOSE(tensor(&same, name[1])[k] / (sd * sd), 1, 0.15);
      }
    }
    fixture_close(&same);
    close_fitting(&f);
  }
}

static uint64_t fingerprint(const fitting *f) {
  uint64_t state = 0xcbf29ce484222325u;
  for (size_t i = 0; i < (size_t)f->flow->size * sizeof(float); i++)
    state = (state ^ ((const unsigned char *)f->vector)[i]) * 0x100000001b3u;
  return state;
}

static const char *const mixed = "(batchnorm-coupling(affine,hidden=8))*2-actnorm";

TEST(threads_change_no_bit) {
  uint64_t first = 0;
  for (int threads = 1; threads <= 8; threads = threads == 2 ? 8 : threads * 2) {
    fitting f;
    if (!open_fitting(&f, threads, mixed)) return;
    REQUIRE_OK(f.context, fit(&f));
    if (threads == 1) first = fingerprint(&f);
    CHECK(fingerprint(&f) == first);
    close_fitting(&f);
  }
}

typedef struct stopper {
  int64_t stop_at;
} stopper;

static bool stop_later(void *user, const sl__mle_progress *now) {
  return now->step < ((const stopper *)user)->stop_at;
}

/* Stopped before, at and after steps that end in a look; resumed with a vector of zeros. */
TEST(resumed_is_uninterrupted) {
  const double noise[DIM] = {0.01, 0};
  const int64_t stops[] = {1, 31, 32, 33, 64, 1000};
  enum { LAST = sizeof stops / sizeof stops[0] - 1 };
  const char *path = temporary_path("checkpoint.safetensors");
  uint64_t whole = 0;
  for (int k = -1; k <= LAST; k++) { /* -1: all at once */
    fitting f;
    if (!open_fitting(&f, 1 + (k & 1), mixed)) return;
    stopper s = {.stop_at = stops[k < 0 ? LAST : k]};
    f.options.ema = 0.95;
    f.options.progress = stop_later;
    f.options.user = &s;
    f.data.noise_width = noise;
    if (k >= 0) f.options.checkpoint = path;
    if (k > 0) {
      f.options.resume = path;
      memset(f.vector, 0, (size_t)f.flow->size * sizeof *f.vector);
    }
    CHECK_INTEGER(fit(&f), s.stop_at < f.options.steps ? SL_STOPPED : SL_OK);
    if (k < 0) whole = fingerprint(&f);
    if (k == LAST) CHECK(fingerprint(&f) == whole);
    close_fitting(&f);
  }
  remove(path);
}

TEST(a_constant_column_can_be_fitted) {
  fitting f;
  if (!open_fitting(&f, 1, "actnorm-batchnorm-coupling(affine,hidden=8)")) return;
  for (int r = 0; r < TRAIN; r++) f.x[r * DIM + 1] = 3;
  for (int r = 0; r < VALID; r++) f.valid_x[r * DIM + 1] = 3;
  REQUIRE_OK(f.context, fit(&f));
  for (int64_t k = 0; k < f.flow->size; k++) CHECK(isfinite(f.vector[k]));
  CHECK(isfinite(f.report.best_valid) && f.report.skipped == 0);
  close_fitting(&f);
}

/* ---- out of memory ---- */

TEST(running_out_of_memory_anywhere_is_said_and_leaks_nothing) {
  fitting f;
  if (!open_fitting(&f, 1, "batchnorm-inverse(actnorm)")) return;
  f.options.steps = 2;
  f.options.ema = 0.5;
  short_memory m = {.left = 1000000};
  const sl__allocator plain = f.context->allocator;
  f.context->allocator = (sl__allocator){reallocate_shortly, &m};
  sl_status status = SL_NO_MEMORY;
  for (long n = 0; n < 100000 && status == SL_NO_MEMORY; n++) {
    m = (short_memory){.left = n};
    status = fit(&f);
    if (status != SL_OK && !CHECK_INTEGER(status, SL_NO_MEMORY)) break;
    if (!CHECK_INTEGER(m.alive, 0)) break;
  }
  CHECK_OK(f.context, status);
  f.context->allocator = plain;
  close_fitting(&f);
}
