/* A method for stiff systems: ESDIRK4(3)6L[2]SA of Kennedy and Carpenter (NASA/TM-2016-219173,
 * table 5; Appl. Numer. Math. 44, 2003), six stages, order 4 with an embedded one of order 3,
 * L-stable, its last stage the new state. Steps end at output times.
 *
 * Slope k of a stage solves k = f(t, base + h gamma k) by Newton's method with one matrix for the
 * whole step, 1 - h gamma df/dy, of the states alone: for the sensitivities, whose own Jacobian has
 * that matrix on its diagonal and, below, what couples them to the states, it leaves an iteration
 * that converges like the states' own. The error is multiplied by the matrix's inverse, since it is
 * too large otherwise for components that have died out (Hairer and Wanner, "Solving Ordinary
 * Differential Equations II", eq. IV.8.19). */
#include <math.h>
#include <string.h>

#include "graph/ode.h"

enum { STAGES = 6, MOST_ITERATIONS = 10, DONE = -1 };

static const double gamma_ = 1. / 4;
static const double node[STAGES] = {0, 1. / 2, 83. / 250, 31. / 50, 17. / 20, 1};
static const double weight[STAGES][STAGES - 1] = {
    {0},
    {1. / 4},
    {8611. / 62500, -1743. / 31250},
    {5012029. / 34652500, -654441. / 2922500, 174375. / 388108},
    {15267082809. / 155376265600., -71443401. / 120774400, 730878875. / 902184768,
     2285395. / 8070912},
    {82889. / 524892, 0, 15625. / 83664, 69875. / 102672, -2260. / 8211}};
static const double error_weight[STAGES] = {
    82889. / 524892 - 4586570599. / 29645900160., 0,
    15625. / 83664 - 178811875. / 945068544,      69875. / 102672 - 814220225. / 1159782912,
    -2260. / 8211 + 3700637. / 11593932,          1. / 4 - 61727. / 225920};

static double *slope(const sl__ode_run *r, int stage) {
  return r->slopes + stage * r->size * r->lanes;
}

/* ---- the matrix of a lane ---- */

/* 1 - h gamma J = P L U. */
static void factor(const sl__ode_run *r, int64_t lane) {
  const int64_t n = r->states;
  double *a = r->matrix + lane * n * n;
  int32_t *pivot = r->pivot + lane * n;
  for (int64_t i = 0; i < n * n; i++)
    a[i] = (i % (n + 1) == 0) - r->trial[lane] * gamma_ * r->jacobian[i * r->lanes + lane];
  for (int64_t k = 0; k < n; k++) {
    int64_t best = k;
    for (int64_t i = k + 1; i < n; i++) {
      if (fabs(a[i * n + k]) > fabs(a[best * n + k])) best = i;
    }
    pivot[k] = (int32_t)best;
    for (int64_t j = 0; j < n && best != k; j++) {
      const double kept = a[k * n + j];
      a[k * n + j] = a[best * n + j];
      a[best * n + j] = kept;
    }
    for (int64_t i = k + 1; i < n; i++) {
      const double part = a[i * n + k] /= a[k * n + k];
      for (int64_t j = k + 1; j < n; j++) a[i * n + j] -= part * a[k * n + j];
    }
  }
}

/* Solves for one column of the lane's b [size][lanes], in place. */
static void solve_column(const sl__ode_run *r, int64_t lane, double *b, int64_t column) {
  const int64_t n = r->states, stride = r->columns * r->lanes;
  const double *a = r->matrix + lane * n * n;
  const int32_t *pivot = r->pivot + lane * n;
  double *at = b + column * r->lanes + lane, *x = r->vector;
  for (int64_t i = 0; i < n; i++) x[i] = at[i * stride];
  for (int64_t k = 0; k < n; k++) {
    const double kept = x[pivot[k]];
    x[pivot[k]] = x[k];
    x[k] = kept;
  }
  for (int64_t i = 1; i < n; i++) {
    for (int64_t j = 0; j < i; j++) x[i] -= a[i * n + j] * x[j];
  }
  for (int64_t i = n - 1; i >= 0; i--) {
    for (int64_t j = i + 1; j < n; j++) x[i] -= a[i * n + j] * x[j];
    x[i] /= a[i * n + i];
  }
  for (int64_t i = 0; i < n; i++) at[i * stride] = x[i];
}

static void solve(const sl__ode_run *r, int64_t lane, double *b) {
  for (int64_t c = 0; c < r->columns; c++) solve_column(r, lane, b, c);
}

/* ---- a stage ---- */

/* k += (1 - h gamma J)^-1 (f - k), and how large the change of the state is. */
static double correct(const sl__ode_run *r, int64_t lane, double *k) {
  const int64_t lanes = r->lanes;
  double most = 0;
  for (int64_t i = lane; i < r->size * lanes; i += lanes) r->work[i] = r->value[i] - k[i];
  solve(r, lane, r->work);
  for (int64_t i = lane; i < r->size * lanes; i += lanes) {
    const double change = r->trial[lane] * gamma_ * r->work[i];
    const double ratio = fabs(change) / (r->absolute + r->relative * fabs(r->x[i]));
    k[i] += r->work[i];
    most = ratio <= most ? most : ratio;
    if (!isfinite(ratio)) return (double)INFINITY;
  }
  return most;
}

/* One iteration of all lanes. norm: the size of the last change, or DONE; a lane that does not
 * converge rests for the rest of the trial. Returns whether any goes on. */
static bool iterate(const sl__ode_run *r, double *k, bool first) {
  bool any = false;
  for (int64_t l = 0; l < r->lanes; l++) {
    if (r->norm[l] == DONE || r->trial[l] == 0) continue;
    const double size = correct(r, l, k), before = r->norm[l];
    const bool shrinks = first || size < 0.9 * before;
    r->norm[l] = size;
    /* what is left after the last change, if it shrinks as before */
    const double rate = first ? 1 : size / before;
    const double left = first ? size : size * rate / (1 - rate);
    if (!isfinite(size) || !shrinks)
      r->trial[l] = 0;
    else if (left <= 0.003 || size <= 1e-6)
      r->norm[l] = DONE;
    else
      any = true;
  }
  return any;
}

/* base + h gamma k, and the time of a stage, to the variable. */
static void set_variable(const sl__ode_run *r, int stage) {
  const int64_t lanes = r->lanes;
  double w[STAGES] = {0};
  memcpy(w, weight[stage], sizeof weight[stage]);
  w[stage] = gamma_;
  for (int64_t l = 0; l < lanes; l++) r->variable[l] = r->lane[l].time + node[stage] * r->trial[l];
  r->kernels->ode_sum(r->size, lanes, r->variable + lanes, r->x, r->trial, stage + 1, w, r->slopes);
}

static void solve_stage(const sl__ode_run *r, int stage) {
  double *k = slope(r, stage);
  memcpy(k, slope(r, stage - 1), (size_t)(r->size * r->lanes) * sizeof *k);
  for (int64_t l = 0; l < r->lanes; l++) r->norm[l] = 0;
  bool any = true;
  for (int i = 0; any && i < MOST_ITERATIONS; i++) {
    set_variable(r, stage);
    sl__ode_evaluate(r, r->work);
    any = iterate(r, k, i == 0);
  }
  for (int64_t l = 0; any && l < r->lanes; l++) {
    if (r->norm[l] != DONE) r->trial[l] = 0;
  }
}

/* ---- a step ---- */

static void try_step(const sl__ode_run *r) {
  const int64_t lanes = r->lanes;
  for (int64_t l = 0; l < lanes; l++) r->variable[l] = r->lane[l].time;
  memcpy(r->variable + lanes, r->x, (size_t)(r->size * lanes) * sizeof *r->x);
  sl__ode_evaluate(r, r->slopes);
  for (int64_t l = 0; l < lanes; l++) {
    if (r->trial[l] != 0) factor(r, l);
  }
  for (int stage = 1; stage < STAGES; stage++) solve_stage(r, stage);
  r->kernels->ode_sum(r->size, lanes, r->work, NULL, r->trial, STAGES, error_weight, r->slopes);
  for (int64_t l = 0; l < lanes; l++) {
    if (r->trial[l] != 0) solve(r, l, r->work);
  }
  r->kernels->ode_norm(r->size, lanes, r->norm, r->work, r->x, r->slopes, r->trial, r->absolute,
                       r->relative);
  for (int64_t l = 0; l < lanes; l++) {
    if (r->trial[l] == 0) r->norm[l] = (double)NAN;
  }
  set_variable(r, STAGES - 1);
}

void sl__ode_stiff(sl__ode_run *r) {
  sl__ode_control(r, 1. / 4, 1. / 4);
  while (sl__ode_begin_step(r, true)) {
    try_step(r);
    sl__ode_judge(r);
    sl__ode_put_ends(r);
    for (int64_t l = 0; l < r->lanes; l++) r->norm[l] = r->lane[l].accepted;
    r->kernels->ode_choose(r->size, r->lanes, r->x, r->norm, r->variable + r->lanes);
  }
}
