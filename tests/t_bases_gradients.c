/* Gradients of every base's log density and draws, by parameters, values and context, against
 * differences. */
#include "bases.h"

typedef struct drawing {
  sl__program *program;
  sl__workspace *workspace;
} drawing;

/* The sum over rows and coordinates of weighted draws, and its gradient by all parameters. */
static sl_status build_drawing(fixture *f, sl__graph *g, drawing *d) {
  sl__flow *flow = f->flow;
  sl_node c = flow->context_dim > 0 ? op_input(g, flow->type, sl__shape1(flow->context_dim)) : 0;
  sl_node z = flow->base.kind->draw(&flow->base, g, SL__STREAM_BASE, c), outputs[MOST + 1],
          wrt[MOST];
  double weight[MOST_DIM] = {1, -0.7, 0.4};
  sl_node sum =
      op_sum_all(g, op_multiply(g, z, op_constant(g, flow->type, sl__shape1(flow->dim), weight)));
  int count = flow->parameter_count;
  if (!CHECK(count <= MOST)) return SL_UNSUPPORTED;
  for (int i = 0; i < count; i++)
    wrt[i] = op_parameter(g, flow->type, flow->parameters[i].shape, flow->parameters[i].offset);
  outputs[0] = op_sum_rows(g, sum);
  SL__TRY(sl__gradient(g, sum, count, wrt, outputs + 1));
  SL__TRY(sl__program_new(f->context, g, count + 1, outputs, &d->program));
  return sl__workspace_new(f->context, d->program, ROWS, &d->workspace);
}

/* gradient [flow->size] may be NULL. */
static double run_drawing(fixture *f, const drawing *d, const double *c, double *gradient) {
  double sum = NAN;
  sl__sink sinks[MOST + 1] = {{.data = &sum, .type = SL_F64}};
  for (int i = 0; i < f->flow->parameter_count; i++)
    sinks[i + 1] = (sl__sink){.data = gradient ? gradient + f->flow->parameters[i].offset : NULL,
                              .type = SL_F64};
  sl__feed feed = {.data = c, .type = SL_F64};
  sl__run run = {.rows = ROWS,
                 .parameters = f->vector,
                 .feeds = &feed,
                 .sinks = sinks,
                 .key = {5, SL__STREAM_TEST, 3}};
  CHECK_OK(f->context, sl__program_run(f->context, d->program, d->workspace, &run));
  return sum;
}

typedef struct scored {
  fixture *f;
  const drawing *d; /* NULL: the density */
  double z[ROWS * MOST_DIM], c[ROWS * CONTEXT];
} scored;

static double value_of(scored *s) {
  double log_prob[ROWS], sum = 0;
  if (s->d) return run_drawing(s->f, s->d, s->c, NULL);
  if (!fixture_log_prob(s->f, ROWS, s->z, s->c, log_prob)) return NAN;
  for (int r = 0; r < ROWS; r++) sum += log_prob[r];
  return sum;
}

/* By *at, by differences of fourth order. */
static double slope(scored *s, double *at) {
  static const double steps[4] = {1, -1, 2, -2}, weights[4] = {8, -8, -1, 1};
  double kept = *at, h = 1e-5 * fmax(1, fabs(kept)), sum = 0;
  for (int i = 0; i < 4; i++) {
    *at = kept + h * steps[i];
    sum += weights[i] * value_of(s);
  }
  *at = kept;
  return sum / (12 * h);
}

static void check_parameter_slopes(scored *s, const double *gradient) {
  const sl__flow *flow = s->f->flow;
  double size = 1 + fabs(value_of(s));
  for (int i = 0; i < flow->parameter_count; i++) {
    const sl__parameter *p = &flow->parameters[i];
    int64_t count = sl__shape_count(p->shape);
    for (int64_t k = 0; k < count; k += 1 + count / 8) {
      double wanted = slope(s, &s->f->vector[p->offset + k]);
      if (!CHECK_CLOSE(gradient[p->offset + k], wanted, 1e-8 * size))
        printf("  %s: %s[%lld]\n", s->d ? "draws" : "density", p->name, (long long)k);
    }
  }
}

static void check_gradients_at(fixture *f) {
  int32_t dim = f->flow->dim;
  double dz[ROWS * MOST_DIM], *gradient = calloc((size_t)f->flow->size + 1, sizeof *gradient);
  scored s = {.f = f};
  fixture_points(s.z, ROWS * dim, 0.7, 5);
  fixture_points(s.c, ROWS * CONTEXT, 1, 6);
  for (int k = 0; k < dim; k++) s.z[k] = 0.3; /* one row inside the unit cube */
  if (!CHECK(gradient != NULL)) return;
  /* Differences of infinities are nothing: outside its cube a uniform density is checked alone. */
  if (isfinite(value_of(&s)) && fixture_gradient(f, ROWS, s.z, s.c, gradient, dz)) {
    check_parameter_slopes(&s, gradient);
    for (int k = 0; k < ROWS * dim; k++)
      CHECK_CLOSE(dz[k], slope(&s, &s.z[k]), 1e-8 * (1 + fabs(value_of(&s))));
  }
  drawing d = {0};
  sl__graph *g = NULL;
  if (CHECK_OK(f->context, sl__graph_new(f->context, &g)) &&
      CHECK_OK(f->context, build_drawing(f, g, &d))) {
    s.d = &d;
    run_drawing(f, &d, s.c, gradient);
    check_parameter_slopes(&s, gradient);
    /* The choice of a component gives weights no gradient. */
    for (int i = 0; i < f->flow->parameter_count; i++)
      if (strcmp(f->flow->parameters[i].name, "base.logits") == 0)
        for (int64_t k = 0; k < sl__shape_count(f->flow->parameters[i].shape); k++)
          CHECK(gradient[f->flow->parameters[i].offset + k] == 0);
  }
  sl__graph_free(g);
  sl__workspace_free(d.workspace);
  sl__program_free(d.program);
  free(gradient);
}

static void check_gradients(const char *text, const sl__kind *kind) {
  (void)kind;
  for (int32_t dim = 1; dim <= MOST_DIM; dim++) {
    bool is_trained = true; /* else a context is refused: nothing reads it */
    for (int conditional = 0; conditional < 2 && is_trained; conditional++) {
      for (int size = 0; size < 2; size++) {
        fixture f;
        if (!fixture_open(&f, text, dim, conditional ? CONTEXT : 0, SL_F64)) return;
        is_trained = f.flow->trainable > 0;
        fixture_perturb(&f, size == 0 ? 0 : 0.5, 37);
        int failures = check_failures;
        check_gradients_at(&f);
        if (check_failures > failures)
          printf("  dim %d, %s context, size %d\n", dim, conditional ? "with" : "without", size);
        fixture_close(&f);
      }
    }
  }
}

TEST(gradients_of_densities_and_draws) {
  for_every_base(check_gradients);
}

/* In a conditional flow the numbers of a base follow the context. */
TEST(contexts_reach_bases) {
  static const char *const texts[] = {"student(learn=true)", "gaussian", "gaussian_mixture(3)",
                                      "gaussian_mixture(3,covariance=diagonal)",
                                      "mixture(2,scale-loc)"};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    fixture f;
    double z[4] = {2, -5, 2, -5}, c[4] = {0.5, 1, -1, 2}, log_prob[2];
    if (!fixture_open(&f, texts[i], 2, CONTEXT, SL_F64)) return;
    fixture_perturb(&f, 0.5, 37);
    if (fixture_log_prob(&f, 2, z, c, log_prob) && !CHECK(fabs(log_prob[0] - log_prob[1]) > 1e-3))
      printf("  in %s: %g and %g\n", texts[i], log_prob[0], log_prob[1]);
    fixture_close(&f);
  }
}
