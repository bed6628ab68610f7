/* Makes docs/flows.md: what kinds of layers there are, how well and how fast each fits the two
 * moons, and how many rows a second each maps either way.
 *
 *   bench_catalogue [--quick] [TEXT] > docs/flows.md
 *
 * A kind that no line of `fits` uses is an error, so that the page cannot fall behind. One thread,
 * float32. --quick: a few steps and short times, to try the program itself. TEXT: only the fits
 * that have it in their formula. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "angles.h"
#include "api/handle.h"
#include "base/os.h"
#include "fitted_trips.h"
#include "kind_tables.h"
#include "infer/infer.h"

/* The formulas that are fitted to the moons; %s: once for every transformer. */
static const char *const fits[] = {
    "scale-loc",
    "scale-hh*4-loc",
    "planar*16",
    "planar(leaky=0.2)*16",
    "radial*16",
    "(sylvester-lu)*8",
    "(leaky_relu(0.5)-lu)*8",
    "(lu-elementwise(rqs))*4",
    "(triangular-reverse-elementwise(rqs))*4",
    "(orthogonal-elementwise(rqs))*4",
    "(lowrank-elementwise(rqs))*4",
    "(actnorm-coupling(affine))*6",
    "(batchnorm-coupling(affine))*6",
    "(coupling(affine)-permute)*6",
    "coupling(affine,sines=4)*6",
    "coupling(%s)*6",
    "(maf(%s)-reverse)*4",
    "(iaf(affine)-reverse)*4",
    "(iaf(rqs)-reverse)*4",
    "bnaf*2",
    "standardize-coupling(affine)*4-reverse",
    "coupling(affine)*2-softplus-log-coupling(affine)*2",
    "(coupling(affine)-exp-inverse(softplus))*4",
    "(coupling(affine)-sigmoid-power(0.9)-logit)*4",
    "(coupling(affine)-tanh-power(0.9)-atanh)*4",
    "coupling(affine)*4-elu(alpha=4)",
    "inverse(coupling(rqs)*6)",
    "normal-coupling(rqs)*4",
    "uniform-logit-coupling(rqs)*4",
    "student-coupling(rqs)*4",
    "laplace-coupling(rqs)*4",
    "logistic-coupling(rqs)*4",
    "gaussian-coupling(rqs)*4",
    "gaussian_mixture(16)",
    "gaussian_mixture(8)-coupling(rqs)*2",
    "mixture(8,scale-loc)",
    "mixture(2,coupling(rqs)*2)",
};
static const int32_t dims[] = {2, 8, 64};
enum {
  DIMS = sizeof dims / sizeof dims[0],
  FITS = sizeof fits / sizeof fits[0],
  TRAIN_ROWS = 100000,
  TEST_ROWS = 20000,
  STEPS = 5000,
  QUICK_STEPS = 50,
  BATCH = 256,
  TIMED_ROWS = 4096,
  SEED = 1
};

typedef struct catalogue {
  sl_context *context;
  double *train, *test; /* [rows][2] */
  double *fresh;        /* [TRIP_ROWS][2] that no fit has seen; NULL: no round trips */
  double entropy;
  bool quick;
  const char *only; /* or NULL */
} catalogue;

/* ---- rows a second ---- */

typedef struct pace {
  double score, sample; /* rows a second; 0: cannot */
} pace;

static double time_calls(catalogue *c, sl_evaluator *evaluator, bool sampling, float *x,
                         int32_t dim, float *log_prob) {
  const sl_array_in in = sl_in_f32(x, TIMED_ROWS, dim);
  const sl_array_out out = sl_out_f32(x, TIMED_ROWS, dim),
                     density = sl_out_f32(log_prob, TIMED_ROWS, 1);
  double best = INFINITY, begin = sl__os_seconds(), now = begin;
  for (int calls = 0; calls < 3 || (now - begin < (c->quick ? 0.01 : 0.2) && calls < 1000);
       calls++) {
    double start = sl__os_seconds();
    sl_status status = sampling ? sl_evaluator_sample(c->context, evaluator, 1, NULL, &out, NULL)
                                : sl_evaluator_log_prob(c->context, evaluator, &in, NULL, &density);
    if (status != SL_OK) return 0;
    now = sl__os_seconds();
    best = fmin(best, now - start);
  }
  return TIMED_ROWS / best;
}

static sl_status measure(catalogue *c, const sl_flow *flow, pace *out) {
  int32_t dim = sl_flow_dim(flow);
  sl_evaluator *evaluator = NULL;
  float *x = sl__allocate(c->context, (size_t)TIMED_ROWS * (size_t)dim, sizeof *x);
  float *log_prob = sl__allocate(c->context, TIMED_ROWS, sizeof *log_prob);
  sl_status status = x && log_prob ? SL_OK : SL_NO_MEMORY;
  if (status == SL_OK)
    status = sl_evaluator_new(c->context, flow, SL_EVALUATE_LOG_PROB | SL_EVALUATE_SAMPLE,
                              TIMED_ROWS, &evaluator);
  if (status == SL_OK) {
    out->sample = time_calls(c, evaluator, true, x, dim, log_prob);
    out->score = time_calls(c, evaluator, false, x, dim, log_prob); /* of the samples */
  }
  sl_evaluator_free(evaluator);
  sl__free(&c->context->allocator, x);
  sl__free(&c->context->allocator, log_prob);
  return status;
}

static void print_pace(double rows) {
  if (!(rows > 0))
    printf(" - |");
  else if (rows >= 1e6)
    printf(" %.1f M |", rows / 1e6);
  else
    printf(" %.0f k |", rows / 1e3);
}

/* ---- fits ---- */

static const char fits_heading[] =
    "| formula | NLL | gap | parameters | ms a step | score | sample | round trip, f32 | f64 |\n"
    "|---|---|---|---|---|---|---|---|---|\n";

static void set_options(const catalogue *c, sl_fit_options *options) {
  sl_fit_options_default(options, sizeof *options);
  options->steps = c->quick ? QUICK_STEPS : STEPS;
  options->batch = BATCH;
  options->rate = 5e-3;
  options->schedule = "cosine";
  options->clip = 5;
  options->ema = 0.999;
  options->baselines = 0;
  options->valid_fraction = 0;
}

static void print_trip(const fitted_trip *trip) {
  printf(" %.0e", trip->worst);
  if (trip->lost > 0) printf(", %d of %d not finite", trip->lost, 2 * TRIP_ROWS);
  printf(" |");
}

/* Through the flow as it was fitted, and through the same numbers in float64. */
static sl_status print_trips(const catalogue *c, const sl_flow *flow) {
  fitted_trip trip;
  sl_flow *wide = NULL;
  SL__TRY(fitted_trip_both(c->context, flow, c->fresh, &trip));
  print_trip(&trip);
  sl_status status = fitted_trip_widen(c->context, flow, SEED, &wide);
  if (status == SL_OK) status = fitted_trip_both(c->context, wide, c->fresh, &trip);
  if (status == SL_OK) print_trip(&trip);
  sl_flow_free(wide);
  return status;
}

static sl_status print_fit(catalogue *c, const char *formula, const sl_flow *flow,
                           const sl_fit_report *report) {
  pace now = {0};
  SL__TRY(measure(c, flow, &now));
  printf("| `%s` | %.3f | %.3f | %lld | %.3f |", formula, -report->test.log_prob,
         -report->test.log_prob - c->entropy, (long long)flow->model->flow->trainable,
         1e3 * report->seconds / (double)report->steps);
  print_pace(now.score);
  print_pace(now.sample);
  if (c->fresh)
    SL__TRY(print_trips(c, flow));
  else
    printf(" - | - |");
  printf("\n");
  fflush(stdout);
  return SL_OK;
}

static sl_fit_data data_of(const catalogue *c) {
  return (sl_fit_data){.size = sizeof(sl_fit_data),
                       .x = sl_in_f64(c->train, TRAIN_ROWS, 2),
                       .test_x = sl_in_f64(c->test, TEST_ROWS, 2)};
}

static sl_status fit_one(catalogue *c, const char *formula) {
  sl_flow *flow = NULL;
  if (c->only && !strstr(formula, c->only)) return SL_OK;
  SL__TRY(sl_flow_new(c->context, formula, NULL, 2, 0, SL_F32, SEED, &flow));
  sl_fit_options options;
  set_options(c, &options);
  const sl_fit_data data = data_of(c);
  sl_fit_report report = {.size = sizeof report};
  sl_status status = sl_fit_flow(c->context, flow, &data, &options, &report);
  if (status == SL_OK) status = print_fit(c, formula, flow, &report);
  if (status != SL_OK) {
    printf("| `%s` | %s |\n", formula, sl_error(c->context));
    fprintf(stderr, "%s: %s\n", formula, sl_error(c->context));
  }
  sl_flow_free(flow);
  return status == SL_NUMERIC ? SL_OK : status;
}

/* Columns that are angles bring a flow of their own: a uniform density and circular maps. */
static sl_status fit_angles(catalogue *c) {
  sl_flow *flow = NULL;
  sl_fit_options options;
  const sl__random_key key = {1, SL__STREAM_DATA, 0};
  angles_draw(key, 0, TRAIN_ROWS, c->train);
  angles_draw(key, TRAIN_ROWS, TEST_ROWS, c->test);
  c->entropy = angles_entropy();
  c->fresh = NULL; /* both ends of a circle are one place, which a difference does not know */
  set_options(c, &options);
  options.precision = SL_F32;
  sl_fit_data data = data_of(c);
  data.columns = "1: periodic(-3.141592653589794,3.141592653589794), "
                 "2: periodic(-3.141592653589794,3.141592653589794)";
  sl_fit_report report = {.size = sizeof report};
  printf("\n## Two angles\n\nAs above, but of the angles that bench/angles.h draws, declared "
         "periodic, which chooses the flow;\ntheir entropy is %.4f nats.\n\n%s",
         c->entropy, fits_heading);
  sl_status status = sl_fit(c->context, &data, &options, &flow, &report);
  if (status == SL_OK) status = print_fit(c, "circular", flow, &report);
  sl_flow_free(flow);
  return status;
}

/* Calls visit for every formula, transformers written out; `circles`: also that of a circle, on a
 * base that is one. */
static sl_status for_every(catalogue *c, const char *formula, bool circles,
                           sl_status (*visit)(catalogue *, const char *)) {
  const char *hole = strstr(formula, "%s");
  if (!hole) return visit(c, formula);
  for (const char *name = sl__transformer_names; *name; name += *name == '|') {
    char full[160];
    int length = (int)strcspn(name, "|");
    const bool circle = strncmp(name, "circular", (size_t)length) == 0;
    snprintf(full, sizeof full, "%s%.*s%.*s%s",
             circle ? "uniform(low=-3.1415927,high=3.1415927)-" : "", (int)(hole - formula),
             formula, length, name, hole + 2);
    if (circles || !circle) SL__TRY(visit(c, full));
    name += length;
  }
  return SL_OK;
}

/* ---- the speed of single layers ---- */

static sl_status time_one(catalogue *c, const char *formula) {
  printf("| `%s` |", formula);
  for (int i = 0; i < DIMS; i++) {
    sl_flow *flow = NULL;
    pace now = {0};
    if (sl_flow_new(c->context, formula, NULL, dims[i], 0, SL_F32, 1, &flow) == SL_OK)
      SL__TRY(measure(c, flow, &now));
    print_pace(now.score);
    print_pace(now.sample);
    sl_flow_free(flow);
  }
  printf("\n");
  fflush(stdout);
  return SL_OK;
}

static bool is_word(const char *text, const char *at, const char *word) {
  size_t length = strlen(word);
  bool begins = at == text || !strchr("abcdefghijklmnopqrstuvwxyz_", at[-1]);
  return begins && !strchr("abcdefghijklmnopqrstuvwxyz_=", at[length] ? at[length] : ' ');
}

static bool uses(const char *formula, const char *name) {
  for (const char *at = strstr(formula, name); at; at = strstr(at + 1, name))
    if (is_word(formula, at, name)) return true;
  return false;
}

static bool is_covered(const char *name) {
  for (int i = 0; i < FITS; i++)
    if (uses(fits[i], name)) return true;
  return false;
}

static bool stands_alone(catalogue *c, const char *name) {
  sl_flow *flow = NULL;
  const bool can = sl_flow_new(c->context, name, NULL, 2, 0, SL_F32, 1, &flow) == SL_OK;
  sl_flow_free(flow);
  return can;
}

static sl_status time_all(catalogue *c) {
  printf("\n## Rows a second of one layer, one thread, float32\n\n"
         "Score and sample with their log densities, with default arguments. -: not for so many "
         "features.\n\n"
         "| formula | score, D = 2 | sample | score, D = 8 | sample | score, D = 64 | sample |\n"
         "|---|---|---|---|---|---|---|\n");
  int count = 0;
  const sl__kind *const *kinds = sl__kinds(&count);
  for (int i = 0; i < count; i++) {
    const char *name = kinds[i]->name;
    bool takes = strcmp(name, "coupling") == 0 || strcmp(name, "maf") == 0 ||
                 strcmp(name, "iaf") == 0 || strcmp(name, "elementwise") == 0;
    char formula[64];
    snprintf(formula, sizeof formula, takes ? "%s(%%s)" : "%s", name);
    /* What cannot stand alone, log of a normal number, is shown in its first example. */
    SL__TRY(for_every(c, takes || stands_alone(c, name) ? formula : kinds[i]->examples[0], true,
                      time_one));
  }
  return SL_OK;
}

/* ---- the page ---- */

static sl_status list_kinds(catalogue *c) {
  printf("| kind | what it does | sampling | log density | source |\n|---|---|---|---|---|\n");
  int count = 0;
  const sl__kind *const *kinds = sl__kinds(&count);
  for (int i = 0; i < count; i++) {
    const sl__kind *kind = kinds[i];
    if (!is_covered(kind->name))
      return sl__fail(c->context, SL_UNSUPPORTED, "bench/catalogue.c has no line for %s",
                      kind->name);
    printf("| `%s`%s |", kind->name, sl__kind_is_base(kind) ? " (base)" : "");
    table_cell(kind->summary);
    table_how(kind, true);
    table_how(kind, false);
    table_cell(kind->source);
    printf("\n");
  }
  return SL_OK;
}

static sl_status write_page(catalogue *c) {
  printf("# Flows\n\nMade by `make catalogue`; do not edit. Arguments: `sluice flows NAME`.\n\n"
         "A map and its inverse give a row back to rounding amplified by the condition of the map: "
         "where a\nchain stretches by 1e6, six digits fewer come back.\n\n");
  SL__TRY(list_kinds(c));
  table_transformers();
  printf(
      "\n## Two moons\n\n%d rows, %d steps of Adam on batches of %d, one thread, float32, seed "
      "1. NLL: mean negative log density of\n%d held-out rows; gap: that minus the entropy of "
      "the moons, %.4f nats. Rows a second: scored and drawn. Round trip: the "
      "largest\n|back - x| / (1 + |x|) from %d fresh rows to the base and back, and from as many "
      "draws of the base to data and back,\nin float32 as fitted and in float64 with the same "
      "parameters.\n\n%s",
      TRAIN_ROWS, c->quick ? QUICK_STEPS : STEPS, BATCH, TEST_ROWS, c->entropy, TRIP_ROWS,
      fits_heading);
  for (int i = 0; i < FITS; i++) SL__TRY(for_every(c, fits[i], false, fit_one));
  if (c->only) return SL_OK;
  SL__TRY(fit_angles(c));
  return time_all(c);
}

int main(int argc, char **argv) {
  catalogue c = {.quick = argc > 1 && strcmp(argv[1], "--quick") == 0};
  if (argc > 1 + c.quick) c.only = argv[1 + c.quick];
  const sl_context_options options = {.size = sizeof options, .threads = 1};
  if (sl_context_new(&options, &c.context) != SL_OK) return 1;
  int count = 0;
  const sl__toy *toys = sl__toys(&count), *moons = toys;
  while (strcmp(moons->name, "moons") != 0) moons++;
  c.entropy = moons->entropy;
  c.train = sl__allocate(c.context, 2 * TRAIN_ROWS, sizeof *c.train);
  c.test = sl__allocate(c.context, 2 * TEST_ROWS, sizeof *c.test);
  double *fresh = c.fresh = sl__allocate(c.context, TRIP_NUMBERS, sizeof *c.fresh);
  sl_status status = c.train && c.test && c.fresh ? SL_OK : SL_NO_MEMORY;
  if (status == SL_OK) {
    const sl__random_key key = {1, SL__STREAM_DATA, 0};
    moons->draw(key, 0, TRAIN_ROWS, c.train);
    moons->draw(key, TRAIN_ROWS, TEST_ROWS, c.test);
    moons->draw(key, TRAIN_ROWS + TEST_ROWS, TRIP_ROWS, c.fresh);
    status = write_page(&c);
  }
  if (status != SL_OK) fprintf(stderr, "bench_catalogue: %s\n", sl_error(c.context));
  sl__free(&c.context->allocator, c.train);
  sl__free(&c.context->allocator, c.test);
  sl__free(&c.context->allocator, fresh);
  sl_context_free(c.context);
  return status == SL_OK ? 0 : 1;
}
