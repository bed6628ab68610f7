/* Bases within flows: inverse() exchanges the directions, mixtures of flows, models in files and
 * fits. */
#include "bases.h"

/* ---- inverse ---- */

/* Copies numbers between flows whose chains have the same layers in opposite orders. */
static void copy_reversed(const fixture *from, fixture *to) {
  int count = from->flow->chain.count;
  for (int i = 0; i < from->flow->parameter_count; i++) {
    const sl__parameter *p = &from->flow->parameters[i];
    char name[160], *rest = NULL;
    long layer = strtol(p->name + strlen("layers."), &rest, 10);
    snprintf(name, sizeof name, "layers.%ld%s", count + 1 - layer, rest);
    bool found = false;
    for (int k = 0; k < to->flow->parameter_count; k++) {
      const sl__parameter *q = &to->flow->parameters[k];
      if (strcmp(q->name, name) != 0 || sl__shape_count(q->shape) != sl__shape_count(p->shape))
        continue;
      found = true;
      memcpy(to->vector + q->offset, from->vector + p->offset,
             (size_t)sl__shape_count(p->shape) * sizeof *to->vector);
    }
    if (!CHECK(found)) printf("  no %s\n", name);
  }
}

static bool all_finite(const double *a, int count) {
  for (int i = 0; i < count; i++)
    if (!isfinite(a[i])) return false;
  return true;
}

/* Each direction of one against the other direction of the other: the same operations are done. */
static void check_swapped(fixture *f, fixture *g, int32_t dim, int32_t context_dim) {
  enum { POINTS = 8 };
  double x[POINTS * 4], c[POINTS * 2], a[POINTS * 4], b[POINTS * 4], a_det[POINTS], b_det[POINTS];
  static const int other[2] = {FIXTURE_SAMPLE_MAP, FIXTURE_LOG_PROB_MAP};
  fixture_points(x, POINTS * dim, 0.8, 5);
  fixture_points(c, POINTS * context_dim, 1, 6);
  for (int which = 0; which < 2; which++) {
    if (!fixture_map(f, which, POINTS, x, c, a, a_det)) return;
    if (!fixture_map(g, other[which], POINTS, x, c, b, b_det)) return;
    for (int k = 0; k < POINTS * dim; k++) CHECK_CLOSE(b[k], a[k], 1e-13);
    for (int r = 0; r < POINTS; r++) CHECK_CLOSE(b_det[r], a_det[r], 1e-13);
    /* And there and back in one of them. */
    if (!fixture_map(g, which, POINTS, b, c, a, a_det)) return;
    if (!all_finite(b_det, POINTS)) continue; /* some rows are out of reach */
    for (int k = 0; k < POINTS * dim; k++) CHECK_CLOSE(a[k], x[k], 1e-7);
    for (int r = 0; r < POINTS; r++) CHECK_CLOSE(a_det[r], -b_det[r], 1e-6);
  }
}

/* base: a density on what both directions can take, with its dash, or "". */
static void check_inverse(const char *base, const char *formula, int32_t dim, int32_t context_dim) {
  fixture f, g;
  int failures = check_failures;
  char straight[256], turned[256];
  snprintf(straight, sizeof straight, "%s%s", base, formula);
  snprintf(turned, sizeof turned, "%sinverse(%s)", base, formula);
  if (!fixture_open(&f, straight, dim, context_dim, SL_F64)) return;
  if (!fixture_open(&g, turned, dim, context_dim, SL_F64)) return;
  fixture_perturb(&f, 0.1, 41);
  copy_reversed(&f, &g);
  check_swapped(&f, &g, dim, context_dim);
  if (check_failures > failures) printf("  %s, dim %d\n", turned, dim);
  fixture_close(&f);
  fixture_close(&g);
}

static bool fits(const char *formula, int32_t dim) {
  sl_context *context = NULL;
  sl__flow *flow = NULL;
  if (sl_context_new(NULL, &context) != SL_OK) return false;
  const sl__flow_plan plan = {.formula = formula, .dim = dim, .type = SL_F64, .seed = 11};
  bool good = sl__flow_new(context, &plan, &flow) == SL_OK;
  sl__flow_free(context, flow);
  sl_context_free(context);
  return good;
}

TEST(inverse_exchanges_the_directions) {
  int count = 0, checked = 0;
  const sl__kind *const *kinds = sl__kinds(&count);
  for (int i = 0; i < count; i++) {
    if (sl__kind_is_base(kinds[i]) || !fits(kinds[i]->name, 2)) continue;
    check_inverse(kinds[i]->image ? "uniform(low=0.1,high=0.9)-" : "", kinds[i]->name, 2, 0);
    checked++;
  }
  CHECK(checked >= 8);
  check_inverse("", "scale-loc", 3, 0);
  check_inverse("", "(lu(no)-scale)*2-loc", 3, 0);
  check_inverse("", "permute(3:1:2)-maf(hidden=8)-scale(exp)-reverse", 3, 0);
  check_inverse("", "lu(no)-coupling(rqs,mask=10,hidden=8)-loc", 2, 2);
  check_inverse("", "iaf(affine,hidden=8)-(loc-lu(no))*3", 4, 1);
}

/* What a formula is expanded to; an inverted layer has a ' behind its name. */
static const struct {
  const char *formula, *layers;
} expansions[] = {
    {"loc-scale", "loc scale "},
    {"inverse(loc-scale)", "scale' loc' "},
    {"inverse(loc-scale)*2", "scale' loc' scale' loc' "},
    {"inverse(inverse(loc-scale))", "loc scale "},
    {"inverse(loc-inverse(scale-lu)-reverse)", "reverse' scale lu loc' "},
    {"inverse((loc-scale)*2-inverse(lu*2))-loc", "lu lu scale' loc' scale' loc' loc "},
    {"(inverse(loc*2)-scale)*2", "loc' loc' scale loc' loc' scale "},
};

TEST(inverse_reverses_the_order) {
  for (size_t i = 0; i < sizeof expansions / sizeof expansions[0]; i++) {
    fixture f;
    char text[128] = "";
    if (!fixture_open(&f, expansions[i].formula, 2, 0, SL_F64)) return;
    for (int k = 0; k < f.flow->chain.count; k++) {
      const sl__layer *layer = &f.flow->chain.layers[k];
      size_t used = strlen(text);
      snprintf(text + used, sizeof text - used, "%s%s ", layer->kind->name,
               layer->inverted ? "'" : "");
      CHECK_INTEGER(layer->index, k + 1);
    }
    CHECK_TEXT(text, expansions[i].layers);
    fixture_close(&f);
  }
}

/* ---- mixtures of flows ---- */

TEST(copies_of_a_mixture_start_apart) {
  fixture f;
  if (!fixture_open(&f, "mixture(3,loc-coupling(affine,hidden=8))", 2, 0, SL_F64)) return;
  CHECK_INTEGER(f.flow->chain.count, 0);
  for (int i = 0; i < f.flow->parameter_count; i++) {
    const sl__parameter *first = &f.flow->parameters[i];
    if (strncmp(first->name, "base.1.", 7) != 0) continue;
    char name[160];
    snprintf(name, sizeof name, "2.%s", first->name + 7);
    const double *second = numbers(&f, name);
    if (!second) continue;
    CHECK(memcmp(second, f.vector + first->offset,
                 (size_t)sl__shape_count(first->shape) * sizeof *second) != 0);
  }
  for (int i = 0; i < f.flow->parameter_count; i++) {
    const sl__layer *layer = f.flow->parameters[i].layer;
    if (strcmp(f.flow->parameters[i].name, "base.2.layers.1.loc") == 0)
      CHECK_TEXT(layer->title, "component 2, layer 1");
  }
  fixture_close(&f);
}

/* ---- whole models ---- */

static sl_array_in rows_of(const double *data, int64_t rows, int64_t columns) {
  return (sl_array_in){data, SL_F64, rows, columns, columns, 1};
}

/* Written and read again: the same texts and the same bits. */
static void check_file(sl_context *context, const char *formula, const char *base,
                       const char *want_formula, const char *want_base) {
  enum { POINTS = 16 };
  static const char *const path = "t_bases_model.safetensors";
  sl_flow *flow = NULL, *again = NULL;
  double x[POINTS * 2], a[POINTS], b[POINTS];
  fixture_points(x, POINTS * 2, 1.3, 3);
  for (int k = 0; k < POINTS * 2; k++) x[k] = fabs(x[k]) / 8;
  REQUIRE_OK(context, sl_flow_new(context, formula, base, 2, 0, SL_F32, 7, &flow));
  CHECK_TEXT(sl_flow_formula(flow), want_formula);
  CHECK_TEXT(sl_flow_base(flow), want_base);
  REQUIRE_OK(context, sl_flow_save(context, flow, path));
  REQUIRE_OK(context, sl_flow_load(context, path, &again));
  CHECK_TEXT(sl_flow_formula(again), want_formula);
  CHECK_TEXT(sl_flow_base(again), want_base);
  sl_array_in in = rows_of(x, POINTS, 2);
  sl_array_out out_a = {a, SL_F64, POINTS, 1, 1, 1}, out_b = {b, SL_F64, POINTS, 1, 1, 1};
  CHECK_OK(context, sl_flow_log_prob(context, flow, &in, NULL, &out_a));
  CHECK_OK(context, sl_flow_log_prob(context, again, &in, NULL, &out_b));
  CHECK(memcmp(a, b, sizeof a) == 0);
  CHECK(all_finite(a, POINTS));
  sl_flow_free(flow);
  sl_flow_free(again);
  remove(path);
}

TEST(bases_in_files) {
  sl_context *context = NULL;
  REQUIRE(sl_context_new(NULL, &context) == SL_OK);
  check_file(context, "student(df=3)", NULL, "standardize", "student(3)");
  check_file(context, "", "gaussian", "standardize", "gaussian");
  check_file(context, "uniform-loc(jitter=0)*2", NULL, "loc(0)*2-standardize", "uniform");
  check_file(context, "mixture(2, scale - loc) - inverse(lu-loc)", NULL,
             "inverse(lu-loc)-standardize", "mixture(2,scale-loc)");
  check_file(context, "maf(hidden=8)", "gaussian_mixture(3)", "maf(affine,hidden=8)-standardize",
             "gaussian_mixture(3)");
  check_file(context, "inverse(standardize)", "mixture(2,permute-inverse(coupling(hidden=4)))",
             "inverse(standardize)-standardize",
             "mixture(2,permute-inverse(coupling(affine,hidden=4)))");
  sl_context_free(context);
}

/* A base alone is a flow that can be fitted: three clusters by three components, to their
 * entropy. */
TEST(a_base_alone_is_fitted) {
  enum { DATA = 3000 };
  sl_context *context = NULL;
  sl_fit_options options;
  sl_fit_report report = {.size = sizeof report};
  sl_flow *flow = NULL;
  double *values = calloc((size_t)DATA * 2, sizeof *values);
  REQUIRE(values != NULL && sl_context_new(NULL, &context) == SL_OK);
  draw_clusters(DATA, values);
  sl_fit_options_default(&options, sizeof options);
  options.formula = "gaussian_mixture(3)";
  options.steps = 400;
  options.seed = 3;
  options.baselines = 0;
  sl_array_in in = rows_of(values, DATA, 2);
  sl_fit_data data = {.size = sizeof data, .x = in};
  if (CHECK_OK(context, sl_fit(context, &data, &options, &flow, &report))) {
    double choice = -log(3. / 6) * 3 / 6 - log(2. / 6) * 2 / 6 - log(1. / 6) / 6;
    double entropy = choice + 1 + 2 * HALF_LOG_TWO_PI + log(0.1 * 0.2);
    CHECK_CLOSE(report.train.log_prob, -entropy, 0.1);
  }
  sl_flow_free(flow);
  free(values);
  sl_context_free(context);
}
