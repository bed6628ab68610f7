/* The tail of the importance weights of a variational fit: the share of draws whose weight is larger
 * than w, and the generalised Pareto tail fitted to it, whose shape is k-hat (Vehtari et al. 2024,
 * JMLR 25:72). On these axes a power law is straight; a tail that falls ever steeper is a light one. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "infer/diagnose/diagnose.h"
#include "infer/vi/vi.h"
#include "plot/figure.h"

enum { DRAWS = 20000, SHOWN = 400 };

typedef struct tail {
  int64_t count;   /* of weights */
  double *weights; /* [count] descending, their mean 1 */
  int64_t length;  /* of the tail */
  double shape, scale, threshold;
  sl__vi_scores scores;
} tail;

static int descending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x < y) - (x > y);
}

/* The tail as Pareto smoothing takes it: the largest min(n / 5, 3 sqrt(n)). */
static sl_status fit_tail(sl__arena *arena, tail *t) {
  const double n = (double)t->count;
  t->length = (int64_t)fmin(n / 5, 3 * sqrt(n));
  if (t->length < 5) return SL_OK;
  const size_t room = 2 * (30 + (size_t)sqrt((double)t->length) + 1);
  double *over = sl__arena_take(arena, (size_t)t->length, sizeof *over);
  double *work = sl__arena_take(arena, room, sizeof *work);
  if (!over || !work) return SL_NO_MEMORY;
  t->threshold = t->weights[t->length];
  for (int64_t i = 0; i < t->length; i++)
    over[i] = fmax(t->weights[t->length - 1 - i] - t->threshold, 1e-300);
  sl__pareto_fit(t->length, over, work, &t->shape, &t->scale);
  return SL_OK;
}

static sl_status compute(const sl__plot *plot, sl__arena *arena, tail *t) {
  const sl__model *model = plot->flow->model;
  *t = (tail){.weights = sl__arena_take(arena, DRAWS, sizeof(double))};
  if (!t->weights) return SL_NO_MEMORY;
  if (plot->target->dim != model->dim)
    return sl__fail(plot->context, SL_BAD_ARGUMENT,
                    "the model has %d columns and the target %d coordinates; give the target that "
                    "it was fitted to",
                    (int)model->dim, (int)plot->target->dim);
  double *log_weights = t->weights;
  SL__TRY(sl__vi_evaluate(plot->context, model->flow, model->vector, plot->target, DRAWS,
                          plot->seed, NULL, log_weights, &t->scores));
  double most = -INFINITY, sum = 0;
  for (int64_t r = 0; r < DRAWS; r++)
    if (isfinite(log_weights[r])) most = fmax(most, log_weights[r]);
  for (int64_t r = 0; r < DRAWS; r++) {
    const double w = exp(log_weights[r] - most);
    if (!isfinite(w)) continue;
    t->weights[t->count++] = w;
    sum += w;
  }
  if (t->count == 0 || !(sum > 0))
    return sl__fail(plot->context, SL_NUMERIC,
                    "no draw of the model has a weight; is it fitted to this target?");
  qsort(t->weights, (size_t)t->count, sizeof *t->weights, descending);
  for (int64_t r = 0; r < t->count; r++) t->weights[r] *= (double)t->count / sum;
  return fit_tail(arena, t);
}

/* Draws in even steps of the logarithm of their rank. */
static int add_ranks(sl__figure *figure, const tail *t) {
  int64_t last = -1;
  sl__figure_add(figure, "$b%d << EOD\n", ++figure->blocks);
  for (int k = 0; k <= SHOWN; k++) {
    const int64_t r = (int64_t)(pow((double)t->count, (double)k / SHOWN) - 1);
    if (r == last || r >= t->count || !(t->weights[r] > 0)) continue;
    last = r;
    sl__figure_real(figure, t->weights[r]);
    sl__figure_add(figure, " ");
    sl__figure_real(figure, ((double)r + 0.5) / (double)t->count);
    sl__figure_add(figure, "\n");
  }
  sl__figure_add(figure, "EOD\n");
  return figure->blocks;
}

static int add_fitted(sl__figure *figure, const tail *t) {
  enum { POINTS = 100 };
  double line[POINTS][2];
  const double share = (double)t->length / (double)t->count;
  for (int i = 0; i < POINTS; i++) {
    const double p = pow(0.5 / (double)t->length, (double)i / (POINTS - 1));
    const double over = fabs(t->shape) > 1e-9 ? t->scale * expm1(-t->shape * log(p)) / t->shape
                                              : -t->scale * log(p);
    line[i][0] = t->threshold + over;
    line[i][1] = share * p;
  }
  return sl__figure_block(figure, POINTS, 2, &line[0][0]);
}

static sl_status draw_tail(const sl__plot *plot, sl__figure *figure, const tail *t) {
  char name[240], khat[64], wanted[64];
  sl__figure_panel(figure, sl__figure_whole(figure));
  sl__figure_add(figure, "set logscale xy\n");
  const double low = fmax(t->weights[t->count / 2] / 10, 1e-6), high = 3 * t->weights[0];
  const sl__range own[] = {{fmin(low, 0.3), fmax(high, 3)}, {0.3 / (double)t->count, 1.5}};
  for (int axis = 0; axis < 2; axis++) {
    sl__range range;
    SL__TRY(sl__figure_window(plot, axis, own[axis], &range));
    sl__figure_add(figure, "set %ctics autofreq\nset %crange [", "xy"[axis], "xy"[axis]);
    sl__figure_real(figure, range.low);
    sl__figure_add(figure, ":");
    sl__figure_real(figure, range.high);
    sl__figure_add(figure, "]\n");
  }
  sl__figure_label(figure, "xlabel", "importance weight (mean 1)");
  sl__figure_label(figure, "ylabel", "share of draws with a larger one");
  sl__figure_key_aside(figure);
  sl__figure_plot(figure, "$b%d with points pt 7 ps 0.45 lc rgb '%s'", add_ranks(figure, t),
                  sl__series_colour(0));
  snprintf(name, sizeof name, "%lld draws of the model", (long long)t->count);
  sl__figure_named(figure, name);
  if (t->length < 5 || !isfinite(t->scores.khat)) return SL_OK;
  sl__figure_plot(figure, "$b%d with lines", add_fitted(figure, t));
  sl__figure_line(figure, 1, 2.4);
  sl__format_fixed(khat, t->scores.khat, 2);
  sl__format_fixed(wanted, t->scores.khat_threshold, 2);
  snprintf(name, sizeof name, "Pareto tail, k-hat %s (trusted below %s)", khat, wanted);
  sl__figure_named(figure, name);
  return SL_OK;
}

static sl_status draw(const sl__plot *plot, sl__figure *figure) {
  tail t;
  sl__arena arena;
  sl__arena_open(&arena, plot->context);
  sl_status status = compute(plot, &arena, &t);
  if (status == SL_OK) status = draw_tail(plot, figure, &t);
  sl__arena_close(&arena);
  return status;
}

const sl__plot_kind sl__plot_kind_weights = {
    .name = "weights",
    .wants = SL__PLOT_WANTS_FLOW | SL__PLOT_WANTS_TARGET | SL__PLOT_ONE_PANEL,
    .width = 800,
    .height = 560,
    .draw = draw,
};
