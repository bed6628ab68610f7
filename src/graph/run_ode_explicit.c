/* Explicit Runge-Kutta methods of order 5 with an error estimate of order 4: Dormand and Prince
 * (Hairer, Norsett, Wanner, "Solving Ordinary Differential Equations I", table II.5.2), with their
 * interpolation (eq. II.6.12), and Cash and Karp (ACM TOMS 16, 1990). The last stage of both is the
 * slope at the new state, which is the first of the next step. */
#include <string.h>

#include "graph/ode.h"

enum { STAGES = SL__ODE_SLOPES };

typedef struct tableau {
  double node[STAGES];               /* c */
  double weight[STAGES][STAGES - 1]; /* a; the last row is b */
  double error[STAGES];              /* b less that of the order below */
} tableau;

static const tableau dormand_prince = {
    {0, 1. / 5, 3. / 10, 4. / 5, 8. / 9, 1, 1},
    {{0},
     {1. / 5},
     {3. / 40, 9. / 40},
     {44. / 45, -56. / 15, 32. / 9},
     {19372. / 6561, -25360. / 2187, 64448. / 6561, -212. / 729},
     {9017. / 3168, -355. / 33, 46732. / 5247, 49. / 176, -5103. / 18656},
     {35. / 384, 0, 500. / 1113, 125. / 192, -2187. / 6784, 11. / 84}},
    {71. / 57600, 0, -71. / 16695, 71. / 1920, -17253. / 339200, 22. / 525, -1. / 40}};

static const tableau cash_karp = {
    {0, 1. / 5, 3. / 10, 3. / 5, 1, 7. / 8, 1},
    {{0},
     {1. / 5},
     {3. / 40, 9. / 40},
     {3. / 10, -9. / 10, 6. / 5},
     {-11. / 54, 5. / 2, -70. / 27, 35. / 27},
     {1631. / 55296, 175. / 512, 575. / 13824, 44275. / 110592, 253. / 4096},
     {37. / 378, 0, 250. / 621, 125. / 594, 0, 512. / 1771}},
    {37. / 378 - 2825. / 27648, 0, 250. / 621 - 18575. / 48384, 125. / 594 - 13525. / 55296,
     -277. / 14336, 512. / 1771 - 1. / 4, 0}};

static double *slope(const sl__ode_run *r, int stage) {
  return r->slopes + stage * r->size * r->lanes;
}

/* Tries a step: slopes, error, and the new state in the variable. */
static void try_step(const sl__ode_run *r, const tableau *t) {
  const sl__kernels *k = r->kernels;
  for (int stage = 1; stage < STAGES; stage++) {
    for (int64_t l = 0; l < r->lanes; l++)
      r->variable[l] = r->lane[l].time + t->node[stage] * r->trial[l];
    k->ode_sum(r->size, r->lanes, r->variable + r->lanes, r->x, r->trial, stage, t->weight[stage],
               r->slopes);
    sl__ode_evaluate(r, slope(r, stage));
  }
  k->ode_sum(r->size, r->lanes, r->work, NULL, r->trial, STAGES, t->error, r->slopes);
  k->ode_norm(r->size, r->lanes, r->norm, r->work, r->x, r->slopes, r->trial, r->absolute,
              r->relative);
}

/* The solution at the part theta of a step is x + h sum of weight[j] k[j]. */
static void interpolate(double theta, double weight[STAGES]) {
  const double *b = dormand_prince.weight[STAGES - 1];
  const double less = theta - 1, square = theta * theta;
  const double a = square * (3 - 2 * theta), c = square * less * less;
  weight[0] =
      a * b[0] - c * (5 / 11282082432.) * (2558722523. - 31403016 * theta) + theta * less * less;
  weight[1] = 0;
  weight[2] = a * b[2] + c * (100 / 32700410799.) * (882725551. - 15701508 * theta);
  weight[3] = a * b[3] - c * (25 / 1880347072.) * (443332067. - 31403016 * theta);
  weight[4] = a * b[4] + c * (32805 / 199316789632.) * (23143187. - 3489224 * theta);
  weight[5] = a * b[5] - c * (55 / 822651844.) * (29972135. - 7076736 * theta);
  weight[6] = square * less + c * (10 / 29380423.) * (7414447. - 829305 * theta);
}

/* norm: has the lane output within the step that has been taken? */
static bool find_outputs(const sl__ode_run *r) {
  bool any = false;
  for (int64_t i = 0; i < r->lanes; i++) {
    const sl__ode_lane *l = &r->lane[i];
    const bool has = l->active && l->accepted && sl__ode_next_time(r, i) - l->time <= 0x1p-52;
    r->norm[i] = has;
    any |= has;
  }
  return any;
}

/* Output within the steps that have been taken: one time of every lane, until none has any left. */
static void put_inside(const sl__ode_run *r) {
  while (find_outputs(r)) {
    for (int64_t i = 0; i < r->lanes; i++) {
      const sl__ode_lane *l = &r->lane[i];
      double weight[STAGES] = {0};
      if (r->norm[i] != 0)
        interpolate((sl__ode_next_time(r, i) - (l->time - l->trial)) / l->trial, weight);
      for (int j = 0; j < STAGES; j++) r->weights[j * r->lanes + i] = l->trial * weight[j];
    }
    r->kernels->ode_sum(r->size, r->lanes, r->work, r->x, NULL, STAGES, r->weights, r->slopes);
    for (int64_t i = 0; i < r->lanes; i++) {
      if (r->norm[i] != 0) sl__ode_put(r, i, r->work);
    }
  }
}

/* Where the step was accepted, its end is the next one's beginning. */
static void move_on(const sl__ode_run *r) {
  for (int64_t i = 0; i < r->lanes; i++) r->norm[i] = r->lane[i].accepted;
  r->kernels->ode_choose(r->size, r->lanes, r->x, r->norm, r->variable + r->lanes);
  r->kernels->ode_choose(r->size, r->lanes, r->slopes, r->norm, slope(r, STAGES - 1));
}

/* The first slope of lanes that have just started. */
static void start_lanes(const sl__ode_run *r) {
  bool any = false;
  for (int64_t i = 0; i < r->lanes; i++) {
    r->norm[i] = r->lane[i].fresh;
    r->variable[i] = r->lane[i].time;
    any |= r->lane[i].fresh;
  }
  if (!any) return;
  memcpy(r->variable + r->lanes, r->x, (size_t)(r->size * r->lanes) * sizeof *r->x);
  sl__ode_evaluate(r, r->work);
  r->kernels->ode_choose(r->size, r->lanes, r->slopes, r->norm, r->work);
}

void sl__ode_explicit(sl__ode_run *r, bool at_outputs) {
  const tableau *t = at_outputs ? &cash_karp : &dormand_prince;
  sl__ode_control(r, 1. / 3, 1. / 5);
  memset(r->slopes, 0, (size_t)(r->size * r->lanes) * sizeof *r->slopes);
  while (sl__ode_begin_step(r, at_outputs)) {
    start_lanes(r);
    try_step(r, t);
    sl__ode_judge(r);
    if (at_outputs)
      sl__ode_put_ends(r);
    else
      put_inside(r);
    move_on(r);
  }
}
