/* Two sets of draws parameter by parameter, and together by the energy test, against how far two exact
 * sets of their sizes would be apart; and the verdict. */
#include "cli/compare.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include "cli/points.h"

enum { MOST_TESTED = 2000, LEAST_TESTED = 500, PERMUTATIONS = 199 };

/* ---- comparing ---- */

static sl_status pair_columns(sl__cli *cli, sl__comparison *c) {
  const sl__draws *a = &c->of[0].draws, *b = &c->of[1].draws;
  c->differ = sl__arena_take(&cli->arena, (size_t)a->parameters, sizeof *c->differ);
  if (!c->differ) return SL_NO_MEMORY;
  for (int side = 0; side < 2; side++)
    SL__TRY(sl__cli_refuse_same_wanted(cli, c->of[side].name, c->of[side].draws.parameters,
                                       (const char *const *)c->of[side].draws.names));
  for (int64_t i = 0; i < a->parameters; i++) {
    int64_t other = 0;
    while (other < b->parameters && !sl__cli_same_name(a->names[i], b->names[other])) other++;
    if (other < b->parameters) c->differ[c->count++] = (sl__difference){.a = i, .b = other};
  }
  if (c->count > 0) {
    if (c->count < a->parameters || c->count < b->parameters)
      sl__cli_say(cli, "compared: the %lld parameters that both have", (long long)c->count);
    return SL_OK;
  }
  if (a->parameters != b->parameters)
    return sl__fail(
        cli->context, SL_BAD_ARGUMENT,
        "%s: no parameter has a name of %s (\"%.40s\" against \"%.40s\"); give draws of "
        "the same quantities",
        c->of[1].name, c->of[0].name, b->names[0], a->names[0]);
  sl__cli_say(cli, "no name is common; parameters are compared in their order");
  for (; c->count < a->parameters; c->count++)
    c->differ[c->count] = (sl__difference){.a = c->count, .b = c->count};
  return SL_OK;
}

/* ---- constants but for rounding, as the diagonal of a correlation matrix is ---- */

/* Of its size, so much of a number is rounding. */
static const double rounding = 64 * DBL_EPSILON;

typedef struct range {
  double low, high;
} range;

static range range_of(const sl__draws *draws, int64_t column) {
  range all = {INFINITY, -INFINITY};
  for (int64_t row = 0; row < draws->chains * draws->draws; row++) {
    all.low = fmin(all.low, draws->values[row * draws->columns + column]);
    all.high = fmax(all.high, draws->values[row * draws->columns + column]);
  }
  return all;
}

static bool is_rounding(range r) {
  return r.high - r.low <= rounding * fmax(fabs(r.low), fabs(r.high));
}

static void hold(sl__cli_draws *d, int64_t column, double value) {
  const sl__draws *draws = &d->draws;
  for (int64_t row = 0; row < draws->chains * draws->draws; row++)
    draws->values[row * draws->columns + column] = value;
  d->rows[column].constant = true;
  d->rows[column].mean = value;
  d->rows[column].sd = 0;
}

/* Where neither side moves by more, each is held; at one number, if the two are no farther apart. */
static void hold_constants(sl__comparison *c, const sl__difference *d) {
  sl__cli_draws *of_a = &c->of[0], *of_b = &c->of[1];
  if (of_a->rows[d->a].non_finite + of_b->rows[d->b].non_finite > 0) return;
  const range a = range_of(&of_a->draws, d->a), b = range_of(&of_b->draws, d->b);
  const range both = {fmin(a.low, b.low), fmax(a.high, b.high)};
  if (!is_rounding(a) || !is_rounding(b)) return;
  hold(of_a, d->a, a.low);
  hold(of_b, d->b, is_rounding(both) ? a.low : b.low);
}

/* ---- each pair, and all together ---- */

/* Independent draws that a row's draws are worth: at most as many as there are. */
static double effective(const sl__cli_draws *d, int64_t parameter) {
  const double draws = (double)(d->draws.chains * d->draws.draws);
  const double ess = d->rows[parameter].ess_bulk;
  return ess > 0 && ess < draws ? ess : draws;
}

static double error_of(const sl__summary_row *row) {
  return row->constant ? 0 : row->mcse_mean;
}

static double in_units(double gap, double unit) {
  return gap == 0 ? 0 : gap / unit;
}

static sl_status compare_one(sl__cli *cli, const sl__comparison *c, sl__difference *d) {
  const sl__summary_row *a = &c->of[0].rows[d->a], *b = &c->of[1].rows[d->b];
  const sl__series of_a = sl__cli_series(&c->of[0], d->a), of_b = sl__cli_series(&c->of[1], d->b);
  const double gap = a->mean - b->mean;
  /* What never moves has no error: a gap between constants is beyond every bound, or none. */
  d->mean_in_mcse = in_units(gap, hypot(error_of(a), error_of(b)));
  d->mean_in_sd = in_units(gap, sqrt(0.5) * hypot(a->sd, b->sd));
  d->sd_ratio = a->sd / b->sd;
  return sl__wasserstein_distance(cli->context, &of_a, &of_b, effective(&c->of[0], d->a),
                                  effective(&c->of[1], d->b), &d->wasserstein);
}

/* The columns that both have, side by side. */
static sl_status gather(sl__cli *cli, const sl__comparison *c, int side, sl__sample *out) {
  const sl__cli_draws *d = &c->of[side];
  const int64_t rows = d->draws.chains * d->draws.draws;
  double *values = sl__arena_take(&cli->arena, (size_t)rows, (size_t)c->count * sizeof *values);
  if (!values) return SL_NO_MEMORY;
  *out = (sl__sample){rows, c->count, values, c->count, 1, (double)rows};
  for (int64_t i = 0; i < c->count; i++) {
    const int64_t from = side == 0 ? c->differ[i].a : c->differ[i].b;
    for (int64_t row = 0; row < rows; row++)
      values[row * c->count + i] = d->draws.values[row * d->draws.columns + from];
    out->effective = fmin(out->effective, effective(d, from));
  }
  return SL_OK;
}

static bool all_finite(const sl__comparison *c) {
  for (int64_t i = 0; i < c->count; i++)
    if (c->of[0].rows[c->differ[i].a].non_finite + c->of[1].rows[c->differ[i].b].non_finite > 0)
      return false;
  return true;
}

/* Rows for the energy test: all distances between them are computed, so fewer of many columns. */
static int64_t tested_rows(int64_t columns) {
  const double work = 2e8;
  const double rows = fmin(sqrt(work / (double)columns), MOST_TESTED);
  return rows > LEAST_TESTED ? (int64_t)rows : LEAST_TESTED;
}

sl_status sl__compare(sl__cli *cli, sl__comparison *c) {
  SL__TRY(pair_columns(cli, c));
  for (int64_t i = 0; i < c->count; i++) hold_constants(c, &c->differ[i]);
  for (int64_t i = 0; i < c->count; i++) SL__TRY(compare_one(cli, c, &c->differ[i]));
  c->test = (sl__energy_test){NAN, NAN, 0, 0};
  if (!all_finite(c)) return SL_OK;
  sl__sample a, b;
  SL__TRY(gather(cli, c, 0, &a));
  SL__TRY(gather(cli, c, 1, &b));
  return sl__energy_distance(cli->context, &a, &b, tested_rows(c->count), PERMUTATIONS, cli->seed,
                             &c->test);
}

/* ---- the verdict ---- */

/* How far beyond what chance explains: 1 is the bound. Means may be 4 errors apart (one in 16,000
 * by chance), distributions three times the floor (one in 10,000 for two normal samples). */
static double excess(const sl__difference *d) {
  return fmax(fabs(d->mean_in_mcse) / 4, d->wasserstein.distance / (3 * d->wasserstein.floor));
}

int sl__farthest_first(const void *a, const void *b) {
  const sl__difference *x = a, *y = b;
  const double p = isnan(excess(x)) ? -1 : excess(x), q = isnan(excess(y)) ? -1 : excess(y);
  if (p != q) return p > q ? -1 : 1;
  return x->a < y->a ? -1 : x->a > y->a;
}

/* Of the energy test, without a difference. */
static const double least_p_value = 0.01;

void sl__conclude(sl__comparison *c) {
  const sl__difference *worst = &c->differ[0];
  int64_t apart = 0;
  char means[64], sds[64], ratio[64], distance[64], floor[64], p[64];
  for (int64_t i = 0; i < c->count; i++) {
    apart += excess(&c->differ[i]) > 1;
    if (sl__farthest_first(&c->differ[i], worst) < 0) worst = &c->differ[i];
  }
  sl__format_fixed(means, fabs(worst->mean_in_mcse), 1);
  sl__format_fixed(sds, fabs(worst->mean_in_sd), 3);
  sl__format_fixed(ratio, worst->sd_ratio, 3);
  sl__format_fixed(distance, worst->wasserstein.distance, 3);
  sl__format_fixed(floor, worst->wasserstein.floor, 3);
  sl__format_fixed(p, c->test.p_value, 3);
  const char *name = c->of[0].draws.names[worst->a];
  c->same = apart == 0 && c->test.p_value >= least_p_value;
  if (isnan(c->test.p_value))
    snprintf(c->verdict, sizeof c->verdict,
             "Cannot be compared: values that are not finite, or too few draws; see `sluice "
             "summary`.");
  else if (c->same)
    snprintf(
        c->verdict, sizeof c->verdict,
        "No difference found: energy test p = %s (below %g would count) on %lld and %lld rows; "
        "farthest apart is %.60s, means %s MCSE (%s sd) apart, Wasserstein %s sd where exact draws "
        "show %s.",
        p, least_p_value, (long long)c->test.rows_a, (long long)c->test.rows_b, name, means, sds,
        distance, floor);
  else
    snprintf(
        c->verdict, sizeof c->verdict,
        "Different: %lld of %lld parameters beyond chance, energy test p = %s on %lld and %lld "
        "rows; farthest apart is %.60s, means %s MCSE (%s sd) apart, sd ratio %s, Wasserstein %s "
        "sd where exact "
        "draws show %s.",
        (long long)apart, (long long)c->count, p, (long long)c->test.rows_a,
        (long long)c->test.rows_b, name, means, sds, ratio, distance, floor);
}
