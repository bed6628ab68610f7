/* Ordinary differential equations: Stan's solvers, of the old interface (arrays, parameters in one
 * array, data apart) and of the new one (a vector, any further arguments).
 *
 * rk45 and ckrk are the methods that Stan uses, with its control of steps. bdf is an L-stable
 * implicit Runge-Kutta method instead of a multistep one, adams is rk45; these two are held to a
 * tenth of the tolerances, since Stan's multistep methods err less than these at equal ones. */
#include "stan/functions.h"
#include "stan/trace.h"

#include <math.h>
#include <string.h>

typedef struct solver {
  sl__stan_call *call;
  bool old;        /* the old interface */
  int first, rest; /* extra arguments of the function: the first's place, and how many */
  int32_t states;
  int parameters;
  sl_node *parameter;       /* nodes among the extra arguments */
  sl__stan_value *argument; /* of the function */
  sl_status status;         /* of the last call */
} solver;

static bool name_has(const sl__stan_call *call, const char *part) {
  return strstr(call->builtin->name, part) != NULL;
}

/* ---- the function's arguments ---- */

/* The nodes that an argument is made of: itself, or those of its pieces. */
static void list_nodes(solver *s, const sl__stan_value *value) {
  const int64_t count = value->form == SL__STAN_PIECES ? value->count : 1;
  for (int64_t i = 0; i < count; i++) {
    const sl_node node = value->form == SL__STAN_PIECES ? value->pieces[i].node : value->node;
    int k = 0;
    while (k < s->parameters && s->parameter[k] != node) k++;
    if (node && k == s->parameters) s->parameter[s->parameters++] = node;
  }
}

static bool has_nodes(const sl__stan_value *value) {
  return (value->form == SL__STAN_NODE || value->form == SL__STAN_PIECES) && value->count > 0;
}

static sl_status find_parameters(solver *s) {
  int64_t most = 1;
  for (int i = 0; i < s->rest; i++) {
    const sl__stan_value *value = &s->call->argument[s->first + i];
    if (has_nodes(value)) most += value->form == SL__STAN_PIECES ? value->count : 1;
  }
  s->parameter = sl__stan_memory(s->call, (size_t)most, sizeof *s->parameter);
  if (!s->parameter) return SL_NO_MEMORY;
  for (int i = 0; i < s->rest; i++) {
    const sl__stan_value *value = &s->call->argument[s->first + i];
    if (has_nodes(value)) list_nodes(s, value);
  }
  return SL_OK;
}

static sl_node stand_in(const solver *s, const sl_node *parameter, sl_node node) {
  for (int k = 0; k < s->parameters; k++)
    if (s->parameter[k] == node) return parameter[k];
  return node;
}

/* An extra argument with the nodes that stand for its own. */
static sl_status replace(const solver *s, const sl_node *parameter, const sl__stan_value *value,
                         sl__stan_value *out) {
  *out = *value;
  if (!has_nodes(value)) return SL_OK;
  out->kept = NULL;
  if (value->form == SL__STAN_NODE) {
    out->node = stand_in(s, parameter, value->node);
    return SL_OK;
  }
  sl__stan_piece *pieces = sl__stan_memory(s->call, (size_t)value->count, sizeof *pieces);
  if (!pieces) return SL_NO_MEMORY;
  for (int64_t i = 0; i < value->count; i++) {
    pieces[i] = value->pieces[i];
    if (pieces[i].node) pieces[i].node = stand_in(s, parameter, pieces[i].node);
  }
  out->pieces = pieces;
  return SL_OK;
}

/* Scalars as an array or a vector of pieces. */
static sl_status state_value(const solver *s, const sl_node *state, sl__stan_value *out) {
  const sl__stan_type type =
      s->old ? sl__stan_type_of(SL__STAN_REAL_TYPE, 1) : sl__stan_type_of(SL__STAN_VECTOR_TYPE, 0);
  sl__stan_piece *pieces = sl__stan_memory(s->call, (size_t)s->states, sizeof *pieces);
  if (!pieces) return SL_NO_MEMORY;
  for (int32_t i = 0; i < s->states; i++)
    pieces[i] = (sl__stan_piece){.node = state[i], .index = -1};
  *out = sl__stan_value_of_node(type, 1, &s->states, 0);
  out->form = SL__STAN_PIECES;
  out->pieces = pieces;
  return SL_OK;
}

/* ---- the function ---- */

static sl_node element_of(sl__graph *g, const sl__stan_value *value, int32_t i) {
  if (value->form == SL__STAN_NODE) return op_element(g, value->node, 0, i);
  if (value->form == SL__STAN_NUMBERS) return op_number(g, SL_F64, value->numbers[i]);
  const sl__stan_piece *piece = &value->pieces[i];
  if (!piece->node) return op_number(g, SL_F64, piece->number);
  return piece->index < 0 ? piece->node : op_element(g, piece->node, 0, piece->index);
}

static sl_status call_function(solver *s, sl__graph *g, sl_node time, const sl_node *state,
                               const sl_node *parameter, sl_node *slope) {
  sl__stan_value result;
  s->argument[0] = sl__stan_scalar_node(time);
  SL__TRY(state_value(s, state, &s->argument[1]));
  for (int i = 0; i < s->rest; i++)
    SL__TRY(replace(s, parameter, &s->call->argument[s->first + i], &s->argument[2 + i]));
  SL__TRY(sl__stan_apply(s->call, 0, 2 + s->rest, s->argument, &result));
  if (result.dims != 1 || result.size[0] != s->states)
    return sl__stan_refuse(s->call, "the function returns %d slopes for a state of %d",
                           result.dims ? result.size[0] : 1, s->states);
  for (int32_t i = 0; i < s->states; i++) slope[i] = element_of(g, &result, i);
  return SL_OK;
}

static bool build_slopes(void *user, sl__graph *g, sl_node time, const sl_node *state,
                         const sl_node *parameter, sl_node *slope) {
  solver *s = user;
  s->status = call_function(s, g, time, state, parameter, slope);
  return s->status == SL_OK;
}

/* ---- the call ---- */

/* Known tolerance i, a positive number. */
static sl_status tolerance(sl__stan_call *call, int i, const char *what, double *out) {
  const double *number = sl__stan_is_known(&call->argument[i]) ? sl__stan_numbers(call, i) : NULL;
  if (!number) return sl__stan_refuse(call, "%s must not depend on parameters", what);
  *out = *number;
  if (*out > 0 && isfinite(*out)) return SL_OK;
  return sl__stan_refuse(call, "%s is %g, but must be positive and finite", what, *out);
}

static sl_status read_limits(solver *s, int first, sl__ode *ode) {
  if (first < 0) return SL_OK;
  SL__TRY(tolerance(s->call, first, "relative tolerance", &ode->relative));
  SL__TRY(tolerance(s->call, first + 1, "absolute tolerance", &ode->absolute));
  return tolerance(s->call, first + 2, "the largest number of steps", &ode->max_steps);
}

/* What is done where in the list of arguments. */
static sl_status read_arguments(solver *s, sl__ode *ode) {
  sl__stan_call *call = s->call;
  s->old = strncmp(call->builtin->name, "integrate_", 10) == 0;
  const bool limits = s->old ? call->count > 7 : name_has(call, "_tol");
  s->first = !s->old && limits ? 7 : 4;
  s->rest = s->old ? 3 : call->count - s->first;
  ode->method = SL__ODE_DORMAND_PRINCE;
  if (name_has(call, "bdf")) ode->method = SL__ODE_STIFF;
  if (name_has(call, "ckrk")) ode->method = SL__ODE_CASH_KARP;
  const bool multistep = name_has(call, "bdf") || name_has(call, "adams");
  ode->relative = ode->absolute = 1e-6;
  ode->max_steps = s->old && multistep ? 1e8 : 1e6;
  SL__TRY(read_limits(s, limits ? (s->old ? 7 : 4) : -1, ode));
  if (multistep) {
    ode->relative *= 0.1;
    ode->absolute *= 0.1;
  }
  s->states = (int32_t)call->argument[1].count;
  s->argument = sl__stan_memory(call, (size_t)s->rest + 2, sizeof *s->argument);
  if (!s->argument) return SL_NO_MEMORY;
  return find_parameters(s);
}

static sl_status check_known_times(solver *s, int32_t n) {
  sl__stan_call *call = s->call;
  const bool start_known = sl__stan_is_known(&call->argument[2]);
  const double *times = sl__stan_numbers(call, 3);
  const double *start = start_known ? sl__stan_numbers(call, 2) : NULL;
  if (!times || (start_known && !start)) return SL_NO_MEMORY;
  if (start && !(isfinite(*start) && times[0] > *start))
    return sl__stan_refuse_value(
        call, "the start is at time %g, but must be before the first output, %g", *start, times[0]);
  for (int32_t i = 0; i < n; i++) {
    if (!isfinite(times[i]))
      return sl__stan_refuse_value(call, "time %d is %g, but must be finite", i + 1, times[i]);
    if (i > 0 && (times[i] < times[i - 1] || (s->old && times[i] == times[i - 1])))
      return sl__stan_refuse_value(call, "times must ascend, but time %d is %g after %g", i + 1,
                                   times[i], times[i - 1]);
  }
  return SL_OK;
}

static sl_status check_times(solver *s, const sl__ode *ode) {
  sl__stan_call *call = s->call;
  sl__graph *g = sl__stan_graph(call);
  const int32_t n = (int32_t)call->argument[3].count;
  if (sl__stan_is_known(&call->argument[3])) SL__TRY(check_known_times(s, n));
  if (sl__stan_is_known(&call->argument[3]) && sl__stan_is_known(&call->argument[2])) return SL_OK;
  const sl_node first = op_element(g, ode->times, 0, 0);
  SL__TRY(sl__stan_require(call, op_less(g, ode->start_time, first),
                           "the start must be before the first output time"));
  if (n == 1) return SL_OK;
  const sl_node before = op_slice(g, ode->times, 0, 0, n - 1, 1);
  const sl_node after = op_slice(g, ode->times, 0, 1, n - 1, 1);
  return sl__stan_require(call, op_less_equal(g, before, after), "times must ascend");
}

static sl_node solution(solver *s, const sl__ode *ode) {
  s->call->inside = true;
  const sl_node y = op_ode(sl__stan_graph(s->call), ode, build_slopes, s);
  s->call->inside = false;
  return y;
}

static sl_status refuse_solution(sl__stan_call *call, const sl__ode *ode) {
  return sl__stan_refuse_value(call,
                               "no solution: more than %g steps from one output time to the next, "
                               "or values that are not finite",
                               ode->max_steps);
}

/* Everything is known. How many steps are taken cannot be asked of a program: they are counted by
 * trying with few, then with sixteen times as many, so that what is counted is what may be taken.
 * */
static sl_status solve_known(solver *s, sl__ode *ode, const int32_t size[2]) {
  enum { FIRST = 64, MORE = 16, ROUNDS = 10, PLANNING = 16, SPECIAL = SL__STAN_SPECIAL_WORK };
  sl__stan_call *call = s->call;
  sl__graph *g = sl__stan_graph(call);
  const int64_t count = (int64_t)size[0] * size[1];
  const double most = ode->max_steps;
  double *numbers = sl__stan_memory(call, (size_t)count, sizeof *numbers);
  if (!numbers) return SL_NO_MEMORY;
  for (double steps = FIRST;; steps *= MORE) {
    sl__graph_cost cost = {0};
    sl__graph_add_cost(g, &cost);
    const double before = cost.work + SPECIAL * cost.iterated;
    ode->max_steps = fmin(steps, most);
    const sl_node y = solution(s, ode);
    if (s->status != SL_OK) return s->status;
    if (!y) return sl__stan_no_node(call->tracer, call->place);
    sl__graph_add_cost(g, &cost);
    const double round = cost.work + SPECIAL * cost.iterated - before;
    SL__TRY(sl__stan_work(call, ROUNDS * round / PLANNING * ode->max_steps * size[0]));
    SL__TRY(sl__graph_numbers(g, op_reshape(g, y, sl__shape1((int32_t)count)), numbers));
    int64_t good = 0;
    while (good < count && isfinite(numbers[good])) good++;
    if (good == count) return sl__call_give_doubles(call, 2, size, numbers);
    if (steps >= most) return refuse_solution(call, ode);
  }
}

sl_status sl__stan_build_ode(sl__stan_call *call) {
  solver s = {.call = call};
  sl__ode ode;
  sl__graph *g = sl__stan_graph(call);
  if (name_has(call, "adjoint"))
    return sl__stan_refuse(call, "'%s' is not supported; use ode_bdf_tol", call->builtin->name);
  SL__TRY(read_arguments(&s, &ode));
  const int32_t size[2] = {(int32_t)call->argument[3].count, s.states};
  if (s.states == 0) return sl__stan_refuse(call, "the initial state has no elements");
  if (size[0] == 0) return sl__stan_refuse(call, "there are no output times");
  ode.start = op_reshape(g, sl__stan_argument(call, 1), sl__shape1(s.states));
  ode.start_time = sl__stan_argument(call, 2);
  ode.times = op_reshape(g, sl__stan_argument(call, 3), sl__shape1(size[0]));
  SL__TRY(check_times(&s, &ode));
  ode.parameters = s.parameters;
  ode.parameter = s.parameter;
  if (sl__call_all_known(call)) return solve_known(&s, &ode, size);
  const sl_node y = solution(&s, &ode);
  if (s.status != SL_OK) return s.status;
  if (!y) return sl__stan_no_node(call->tracer, call->place);
  const sl_node finite = op_equal(g, op_subtract(g, y, y), op_number(g, SL_F64, 0));
  SL__TRY(sl__stan_require(call, finite,
                           "no solution: more than %g steps from one output time to the next, or "
                           "values that are not finite",
                           ode.max_steps));
  return sl__call_give_node(call, 2, size, op_reshape(g, y, sl__shape1(size[0] * size[1])));
}
