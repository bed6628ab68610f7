/* Maximum likelihood: it learns; it ends in the same bits whatever the threads and however often it
 * is interrupted; weights, patience, trouble and refusals mean what infer.h says. */
#include "check.h"
#include <unistd.h>
#include "base/context.h"
#include "mle_fixture.h"
#include "short_memory.h"

static const char *const small_flow = "coupling(affine,hidden=16x16)*4";

/* Moons, and options for a short run. */
static bool open_fitting(fitting *f, int threads, const char *formula) {
  int count;
  const sl__toy *moons = sl__toys(&count); /* the first */
  static double x[(TRAIN + VALID) * DIM];
  moons->draw((sl__random_key){1, SL__STREAM_DATA, 0}, 0, TRAIN + VALID, x);
  for (int k = 0; k < (TRAIN + VALID) * DIM; k++) x[k] *= 0.5;
  if (!begin_fitting(f, threads, formula, x)) return false;
  f->options.steps = 120;
  f->options.batch = 128;
  f->options.valid_every = 20;
  f->options.rate = 5e-3;
  return true;
}

/* FNV-1a of the result. */
static uint64_t fingerprint(const fitting *f) {
  uint64_t state = 0xcbf29ce484222325u;
  for (size_t i = 0; i < (size_t)f->flow->size * sizeof(float); i++)
    state = (state ^ ((const unsigned char *)f->vector)[i]) * 0x100000001b3u;
  return state;
}

static const char *temporary_path(const char *name) {
  static char path[256];
  const char *folder = getenv("TMPDIR");
  snprintf(path, sizeof path, "%s/sluice_t_mle_%ld_%s", folder ? folder : "/tmp", (long)getpid(),
           name);
  return path;
}

TEST(moons_are_learnt) {
  fitting f;
  if (!open_fitting(&f, 2, small_flow)) return;
  f.options.steps = 800;
  f.options.valid_every = 100;
  REQUIRE_OK(f.context, fit(&f));
  /* Entropy of moons at half size: 2.3939 - 2 log 2; a Gaussian gets about -1.9. */
  const double entropy = 2.3939 - 2 * log(2);
  CHECK(f.report.best_valid > -1.3);
  CHECK(f.report.best_valid < -entropy + 0.15);
  CHECK_INTEGER(f.report.steps, 800);
  CHECK(f.report.skipped == 0 && f.report.trouble[0] == '\0' && !f.report.resumed);
  close_fitting(&f);
}

TEST(every_optimiser_improves_every_schedule_runs) {
  int optimisers, schedules;
  const sl__optimiser *const *optimiser = sl__optimisers(&optimisers);
  const sl__schedule *const *schedule = sl__schedules(&schedules);
  for (int k = 0; k < optimisers + schedules; k++) {
    fitting f;
    if (!open_fitting(&f, 1, small_flow)) return;
    double start = NAN;
    f.options.rate = NAN;
    f.options.steps = 1;
    f.options.schedule = "cosine";
    f.options.warmup_steps = 1000000; /* as good as no step */
    REQUIRE_OK(f.context, fit(&f));
    start = f.report.best_valid;
    f.options.warmup_steps = 3;
    f.options.steps = 100;
    if (k < optimisers)
      f.options.optimiser = optimiser[k]->name;
    else
      f.options.schedule = schedule[k - optimisers]->name;
    REQUIRE_OK(f.context, fit(&f));
    if (!CHECK(f.report.best_valid > start + 0.05))
      printf("  %s, %s: %.4f from %.4f\n", f.options.optimiser, f.options.schedule,
             f.report.best_valid, start);
    close_fitting(&f);
  }
}

TEST(threads_change_no_bit) {
  uint64_t first = 0;
  for (int threads = 1; threads <= 8; threads = threads == 2 ? 8 : threads * 2) {
    fitting f;
    if (!open_fitting(&f, threads, "lu-coupling(rqs,hidden=16x16,dropout=0.1)*2")) return;
    f.options.steps = 60;
    f.options.batch = 600;
    f.options.ema = 0.99;
    REQUIRE_OK(f.context, fit(&f));
    if (threads == 1) first = fingerprint(&f);
    CHECK(fingerprint(&f) == first);
    close_fitting(&f);
  }
}

typedef struct stopper {
  int64_t stop_at, calls;
} stopper;

static bool stop_later(void *user, const sl__mle_progress *now) {
  stopper *s = user;
  s->calls++;
  return now->step < s->stop_at;
}

/* Stops at some steps, resumes each time with a new context and a vector of zeros; with everything
 * on that has state. */
TEST(resumed_is_uninterrupted) {
  const double noise[DIM] = {0.01, 0};
  uint64_t whole = 0;
  char path[256];
  snprintf(path, sizeof path, "%s", temporary_path("checkpoint.safetensors"));
  for (int interrupted = 0; interrupted <= 1; interrupted++) {
    const int64_t stops[] = {1, 33, 60, 61, 1000};
    for (size_t k = interrupted ? 0 : 4; k < sizeof stops / sizeof stops[0]; k++) {
      fitting f;
      if (!open_fitting(&f, 1 + (int)k % 2, "coupling(affine,hidden=16x16,dropout=0.1)*4")) return;
      stopper s = {.stop_at = stops[k]};
      f.x[57] = NAN; /* bad steps and the slower rate after them are part of the state */
      f.options.ema = 0.95;
      f.options.schedule = "plateau";
      f.options.optimiser = "rmsprop";
      f.options.optimiser_options.momentum = 0.5;
      f.options.rate = 3e-3;
      f.options.patience = 6;
      f.options.valid_every = 7;
      f.data.noise_width = noise;
      f.options.progress = stop_later;
      f.options.user = &s;
      if (interrupted) f.options.checkpoint = path;
      if (interrupted && k > 0) {
        f.options.resume = path;
        memset(f.vector, 0, (size_t)f.flow->size * sizeof(float));
      }
      const sl_status status = fit(&f);
      CHECK_INTEGER(status, stops[k] < 120 ? SL_STOPPED : SL_OK);
      if (status == SL_STOPPED) CHECK_INTEGER(f.report.steps, stops[k]);
      if (status == SL_OK && !interrupted) whole = fingerprint(&f);
      if (status == SL_OK) CHECK(f.report.skipped >= 5);
      if (status == SL_OK && interrupted) {
        CHECK(f.report.resumed);
        CHECK(fingerprint(&f) == whole);
      }
      close_fitting(&f);
    }
  }
  remove(path);
}

TEST(resuming_refuses_what_is_not_the_same) {
  char path[256];
  snprintf(path, sizeof path, "%s", temporary_path("other.safetensors"));
  fitting f;
  if (!open_fitting(&f, 1, small_flow)) return;
  f.options.steps = 5;
  f.options.checkpoint = path;
  REQUIRE_OK(f.context, fit(&f));
  f.options.resume = path;
  f.options.batch = 64;
  CHECK_INTEGER(fit(&f), SL_BAD_ARGUMENT);
  CHECK(strstr(sl_error(f.context), "batch 128") && strstr(sl_error(f.context), "now it is 64"));
  f.options.batch = 128;
  float *const changed[] = {&f.x[3], &f.valid_x[DIM * VALID - 1]};
  for (int k = 0; k < 2; k++) {
    const float kept = *changed[k];
    *changed[k] += 1;
    CHECK_INTEGER(fit(&f), SL_BAD_ARGUMENT);
    CHECK(strstr(sl_error(f.context), "other data"));
    *changed[k] = kept;
  }
  REQUIRE_OK(f.context, fit(&f)); /* finished already: nothing left to do */
  CHECK(f.report.resumed && f.report.steps == 5);
  f.options.resume = "/nonexistent/checkpoint";
  CHECK_INTEGER(fit(&f), SL_IO);
  close_fitting(&f);
  remove(path);
}

/* With the batch all rows, a row given twice is a row of weight 2. */
TEST(weights_count_rows) {
  enum { ROWS = 100, TWICE = 30 };
  float x[(ROWS + TWICE) * DIM], weight[ROWS];
  double first[2] = {0};
  fitting f;
  for (int weighted = 0; weighted <= 1; weighted++) {
    if (!open_fitting(&f, 1, small_flow)) return;
    memcpy(x, f.x, sizeof x);
    memcpy(x + ROWS * DIM, f.x, TWICE * DIM * sizeof *x);
    for (int r = 0; r < ROWS; r++) weight[r] = r < TWICE ? 2 : 1;
    f.data.x = x;
    f.data.rows = f.options.batch = weighted ? ROWS : ROWS + TWICE;
    f.data.weight = weighted ? weight : NULL;
    f.options.steps = 20;
    f.options.optimiser = "sgd";
    f.options.rate = 1e-2;
    REQUIRE_OK(f.context, fit(&f));
    const double now[2] = {f.report.best_valid, f.report.train_loss};
    if (!weighted) memcpy(first, now, sizeof now);
    CHECK_CLOSE(now[0], first[0], 1e-5);
    CHECK_CLOSE(now[1], first[1], 1e-5);
    close_fitting(&f);
  }
  if (!open_fitting(&f, 1, small_flow)) return;
  f.data.rows = ROWS;
  f.data.weight = weight;
  weight[7] = -1;
  CHECK_INTEGER(fit(&f), SL_BAD_ARGUMENT);
  CHECK(strstr(sl_error(f.context), "row 8"));
  close_fitting(&f);
}

/* Twenty rows and a large flow: it overfits, stops, and hands back the best it had. */
TEST(early_stopping_keeps_the_best) {
  fitting f;
  if (!open_fitting(&f, 1, "coupling(affine,hidden=64x64)*4")) return;
  f.data.rows = 20;
  f.options.steps = 3000;
  f.options.batch = 20;
  f.options.valid_every = 5;
  f.options.patience = 8;
  f.options.schedule = "constant";
  REQUIRE_OK(f.context, fit(&f));
  CHECK(f.report.stopped_early && f.report.steps < 3000);
  CHECK_INTEGER(f.report.steps, f.report.best_step + 8 * 5);
  const double best = f.report.best_valid;
  /* A step of size nothing from there: the first check finds the same value again. */
  f.options.steps = 1;
  f.options.rate = 1e-30;
  REQUIRE_OK(f.context, fit(&f));
  CHECK(f.report.best_valid == best);
  close_fitting(&f);
}

static void remember_line(void *user, int32_t level, const char *line) {
  (void)level;
  snprintf(user, 1024, "%s", line);
}

TEST(a_row_that_is_not_finite_is_named_and_skipped) {
  fitting f;
  char line[1024] = "";
  if (!open_fitting(&f, 1, small_flow)) return;
  f.context->log = remember_line;
  f.context->log_user = line;
  f.x[123 * DIM + 1] = NAN;
  f.options.steps = 200; /* 25 epochs */
  REQUIRE_OK(f.context, fit(&f));
  CHECK(f.report.skipped >= 24 && f.report.skipped <= 27);
  if (!CHECK(strstr(f.report.trouble, "from 1): 124"))) printf("  %s\n", f.report.trouble);
  CHECK(strstr(line, "skipped"));
  CHECK(f.report.best_valid > -1.9 && isfinite(f.report.train_loss));
  for (int64_t i = 0; i < f.flow->size; i++) CHECK(isfinite(((float *)f.vector)[i]));
  close_fitting(&f);
}

TEST(trouble_that_persists_ends_with_the_best_so_far) {
  fitting f;
  if (!open_fitting(&f, 1, small_flow)) return;
  for (int i = 0; i < TRAIN * DIM; i++) f.x[i] = INFINITY;
  const uint64_t start = fingerprint(&f);
  CHECK_INTEGER(fit(&f), SL_NUMERIC);
  CHECK_INTEGER(f.report.steps, 20);
  CHECK(strstr(sl_error(f.context), "20 steps"));
  CHECK(fingerprint(&f) == start);
  close_fitting(&f);
}

/* Half of the moons lie below 0, which these cannot reach; a smaller rate would not help. */
TEST(rows_out_of_reach_are_told_from_a_rate_too_large) {
  static const char *const formulas[] = {"scale-loc-exp", "uniform-scale-loc"};
  for (int i = 0; i < 2; i++) {
    fitting f;
    if (!open_fitting(&f, 1, formulas[i])) return;
    CHECK_INTEGER(fit(&f), SL_NUMERIC);
    const char *message = sl_error(f.context);
    if (!CHECK(strstr(message, "density 0 to ") && strstr(message, "declare the column's type") &&
               !strstr(message, "smaller rate")))
      printf("  %s\n", message);
    close_fitting(&f);
  }
}

/* An absurd rate is backed off until steps work: it must not end in NaN, and here even learns. */
TEST(an_absurd_rate_cannot_ruin_the_result) {
  fitting f;
  if (!open_fitting(&f, 1, small_flow)) return;
  f.options.rate = 1e3;
  f.options.schedule = "constant";
  const sl_status status = fit(&f);
  CHECK(status == SL_OK || status == SL_NUMERIC);
  CHECK(f.report.best_valid > -2.3 && f.report.skipped > 0 && f.report.trouble[0]);
  for (int64_t i = 0; i < f.flow->size; i++) CHECK(isfinite(((float *)f.vector)[i]));
  close_fitting(&f);
}

static sl_status generate_moons(void *user, int64_t step, int64_t rows, void *x) {
  int count;
  double draws[256 * DIM];
  (void)user;
  sl__toys(&count)->draw((sl__random_key){9, SL__STREAM_DATA, 0}, step * rows, rows, draws);
  for (int64_t i = 0; i < rows * DIM; i++) ((float *)x)[i] = (float)(0.5 * draws[i]);
  return SL_OK;
}

TEST(generated_rows) {
  fitting f;
  if (!open_fitting(&f, 2, small_flow)) return;
  f.data.rows = 0;
  f.data.x = NULL;
  f.options.generate = generate_moons;
  f.options.steps = 300;
  REQUIRE_OK(f.context, fit(&f));
  CHECK(f.report.best_valid > -1.5);
  f.options.steps = 0;
  f.options.epochs = 3;
  CHECK_INTEGER(fit(&f), SL_BAD_ARGUMENT);
  close_fitting(&f);
}

TEST(buffers_do_not_move) {
  fitting f;
  if (!open_fitting(&f, 1, "coupling(affine,hidden=8)*2-standardize")) return;
  CHECK(f.flow->trainable < f.flow->size);
  float *before = malloc((size_t)f.flow->size * sizeof *before);
  memcpy(before, f.vector, (size_t)f.flow->size * sizeof *before);
  f.options.optimiser = "adamw"; /* decay would move them, were they trained */
  f.options.ema = 0.9;
  REQUIRE_OK(f.context, fit(&f));
  int moved = 0;
  for (int p = 0; p < f.flow->parameter_count; p++) {
    const sl__parameter *parameter = &f.flow->parameters[p];
    const int64_t count = sl__shape_count(parameter->shape);
    const bool same = memcmp(before + parameter->offset, (float *)f.vector + parameter->offset,
                             (size_t)count * sizeof *before) == 0;
    if (!parameter->trainable)
      CHECK(same);
    else
      moved += !same;
  }
  CHECK(moved > 0);
  free(before);
  close_fitting(&f);
}

/* Without held-out rows the last parameters are the result, after exactly the epochs asked for. */
TEST(without_held_out_rows) {
  fitting f;
  if (!open_fitting(&f, 1, small_flow)) return;
  f.data.valid_rows = 0;
  f.data.valid_x = NULL;
  f.options.steps = 0;
  f.options.epochs = 10;
  REQUIRE_OK(f.context, fit(&f));
  CHECK_INTEGER(f.report.steps, 79); /* ceil(10 * 1000 / 128) */
  CHECK_INTEGER(f.report.best_step, 79);
  CHECK(isnan(f.report.best_valid) && f.report.train_loss < 1.9);
  close_fitting(&f);
}

TEST(float64_agrees_with_float32) {
  double value[2];
  for (int wide = 0; wide <= 1; wide++) {
    fitting f;
    if (!open_fitting(&f, 1, small_flow)) return;
    static double x[TRAIN * DIM], valid_x[VALID * DIM];
    sl__flow *flow;
    REQUIRE_OK(f.context, sl__flow_new(f.context,
                                       &(sl__flow_plan){.formula = small_flow,
                                                        .dim = DIM,
                                                        .type = wide ? SL_F64 : SL_F32,
                                                        .seed = 7},
                                       &flow));
    double *vector = calloc((size_t)flow->size, sizeof *vector);
    sl__flow_initialise(flow, vector);
    for (int i = 0; i < TRAIN * DIM; i++) x[i] = (double)f.x[i];
    for (int i = 0; i < VALID * DIM; i++) valid_x[i] = (double)f.valid_x[i];
    if (wide) f.data.x = x, f.data.valid_x = valid_x;
    f.options.steps = 30;
    f.options.optimiser = "sgd";
    f.options.rate = 1e-2;
    CHECK_OK(f.context, sl__mle_fit(f.context, flow, vector, &f.data, &f.options, &f.report));
    value[wide] = f.report.best_valid;
    free(vector);
    sl__flow_free(f.context, flow);
    close_fitting(&f);
  }
  CHECK_CLOSE(value[0], value[1], 1e-4);
}

TEST(running_out_of_memory_anywhere_is_said_and_leaks_nothing) {
  fitting f;
  if (!open_fitting(&f, 1, "coupling(affine,hidden=4)")) return;
  const double noise[DIM] = {0.1, 0.1};
  f.data.noise_width = noise;
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

TEST(requests_that_make_no_sense) {
  fitting f;
  if (!open_fitting(&f, 1, small_flow)) return;
  const sl__mle_options good = f.options;
  f.options.optimiser = "nothing";
  CHECK_INTEGER(fit(&f), SL_BAD_ARGUMENT);
  f.options = good, f.options.schedule = "nothing";
  CHECK_INTEGER(fit(&f), SL_BAD_ARGUMENT);
  f.options = good, f.options.batch = 0;
  CHECK_INTEGER(fit(&f), SL_BAD_ARGUMENT);
  f.options = good, f.options.steps = 0;
  CHECK_INTEGER(fit(&f), SL_BAD_ARGUMENT);
  f.options = good, f.options.ema = 1;
  CHECK_INTEGER(fit(&f), SL_BAD_ARGUMENT);
  f.options = good, f.data.rows = 0;
  CHECK_INTEGER(fit(&f), SL_BAD_ARGUMENT);
  close_fitting(&f);
}
