/* Ordinary differential equations. The operation ODE holds a sub-graph, the slopes of a system at a
 * variable of its own (time and states), and run_ode.c walks along the solution with it.
 *
 * Derivatives are those of forward sensitivity analysis (Hairer, Norsett, Wanner, "Solving Ordinary
 * Differential Equations I", section I.14): with dy/dt = f(t, y, p) and S = dy/dp,
 *   dS/dt = (df/dy) S + df/dp,
 * which is solved along with y, under the same control of errors. The columns of S belong to the
 * sources, in this order: the start (S begins as the identity), the time of the start (S begins as
 * -f), the parameters (S begins as 0); those that are constants have none. So the variable is t,
 * then for every state i: y_i, S_i1, .., S_iK; the node is [times, m, 1 + K]; and what the caller
 * sees is a view of its first column, whose derivative is a product with the others. */
#include <string.h>

#include "graph/operations.h"

enum { MAX_SYSTEM = 1 << 20 }; /* numbers of the variable */

typedef struct system {
  sl__graph *g;
  sl__arena *arena;
  const sl__ode *ode;
  sl__ode_function f;
  void *user;
  int32_t states, columns; /* m; 1 + K */
  bool batched, moves;     /* moves: the time of the start is a source */
  int sources, first;      /* first: the parameter's place among them */
  sl_node *source;
  sl_node *parameter; /* stand-ins that nothing flows through */
  sl_node variable;
  sl_node *place; /* wrt: [states], then of the parameters */
} system;

static bool is_constant(const sl__graph *g, sl_node node) {
  const sl__node *n = &g->nodes[node];
  if (n->operation == SL__OP_CONSTANT) return true;
  const int64_t count = sl__operand_count(n);
  for (int64_t k = 0; k < count; k++) {
    if (!is_constant(g, sl__operand_at(n, k))) return false;
  }
  return count > 0;
}

static sl_node each_row(const system *s, sl_node a) {
  return s->batched ? op_rows(s->g, a) : a;
}

static sl_node zeros(const system *s, sl_shape shape) {
  return each_row(s, sl__zeros(s->g, SL_F64, shape));
}

static sl_node flat(sl__graph *g, sl_node a) {
  return a ? op_reshape(g, a, sl__shape1((int32_t)sl__shape_count(g->nodes[a].shape))) : 0;
}

static bool add_source(system *s, sl_node node, int64_t *columns) {
  s->source[s->sources++] = node;
  *columns += sl__shape_count(s->g->nodes[node].shape);
  return *columns <= MAX_SYSTEM;
}

/* Which are the sources, and how large the system is with them. */
static bool measure(system *s) {
  sl__graph *g = s->g;
  const sl__ode *ode = s->ode;
  const sl__node *n = g->nodes;
  const size_t most = (size_t)ode->parameters + 2;
  s->source = sl__arena_take(s->arena, most, sizeof *s->source);
  s->parameter = sl__arena_take(s->arena, most, sizeof *s->parameter);
  s->place = sl__arena_take(s->arena, most + (size_t)s->states, sizeof *s->place);
  if (!s->source || !s->parameter || !s->place) return sl__out_of_memory(g);
  s->batched = n[ode->start_time].batched || n[ode->start].batched || n[ode->times].batched;
  int64_t columns = 1;
  bool fits = true;
  if (!is_constant(g, ode->start)) fits &= add_source(s, ode->start, &columns);
  s->moves = !is_constant(g, ode->start_time);
  if (s->moves) fits &= add_source(s, ode->start_time, &columns);
  s->first = s->sources;
  for (int i = 0; i < ode->parameters && fits; i++) {
    s->batched |= n[ode->parameter[i]].batched;
    fits &= add_source(s, ode->parameter[i], &columns);
  }
  if (!fits || columns * s->states > MAX_SYSTEM)
    return sl__graph_refuse(g, SL_UNSUPPORTED,
                            "ode: %d states with %lld sensitivities each are too many", s->states,
                            (long long)columns - 1);
  s->columns = (int32_t)columns;
  for (int i = 0; i < ode->parameters; i++)
    s->parameter[i] = op_stop_gradient(g, each_row(s, ode->parameter[i]));
  return g->status == SL_OK;
}

static bool call(const system *s, sl_node time, const sl_node *state, sl_node *slope) {
  sl__graph *g = s->g;
  if (!s->f(s->user, g, time, state, s->parameter, slope) || g->status != SL_OK) return false;
  for (int32_t i = 0; i < s->states; i++) {
    const sl__node *n = &g->nodes[slope[i]];
    if (!slope[i] || n->type != SL_F64 || n->shape.dims != 0)
      return sl__graph_refuse(g, SL_BAD_ARGUMENT, "ode: slope %d is no scalar of float64", i);
    slope[i] = each_row(s, slope[i]);
  }
  return g->status == SL_OK;
}

/* ---- the sub-graph ---- */

/* Column c of the variable's state i, or several. */
static sl_node part(const system *s, int32_t i, int32_t column, int32_t count) {
  return op_slice(s->g, s->variable, 0, 1 + i * s->columns + column, count, 1);
}

/* df_i/dp, a column for each sensitivity; 0: zeros. */
static sl_node direct_part(const system *s, const sl_node *derivative) {
  sl__graph *g = s->g;
  sl_node *direct = sl__arena_take(s->arena, (size_t)s->ode->parameters + 1, sizeof *direct);
  if (!direct) return sl__out_of_memory(g);
  int parts = 0;
  int32_t used = 0;
  for (int k = 0; k < s->first; k++) used += (int32_t)sl__shape_count(g->nodes[s->source[k]].shape);
  if (used) direct[parts++] = zeros(s, sl__shape1(used));
  bool any = false;
  for (int k = 0; k < s->ode->parameters; k++) {
    const sl_node by = derivative[s->states + k];
    any |= by != zeros(s, g->nodes[by].shape);
    direct[parts++] = flat(g, by);
  }
  return any ? op_concatenate(g, parts, direct, 0) : 0;
}

/* dS_i/dt, from the derivatives of slope i by the states and parameters. */
static sl_node sensitivity(const system *s, const sl_node *derivative) {
  sl__graph *g = s->g;
  const int32_t count = s->columns - 1;
  sl_node sum = direct_part(s, derivative);
  for (int32_t j = 0; j < s->states; j++) {
    const sl_node by = derivative[j], columns = part(s, j, 1, count);
    if (by == zeros(s, sl__scalar_shape())) continue;
    sum = sum ? op_multiply_add(g, by, columns, sum) : op_multiply(g, by, columns);
  }
  return sum ? sum : zeros(s, sl__shape1(count));
}

/* Slope i and its sensitivities to `value`, its derivatives by the states to `jacobian`. */
static bool differentiate(const system *s, int32_t i, sl_node slope, sl_node *value,
                          sl_node *jacobian) {
  sl__graph *g = s->g;
  const int count = s->states + s->ode->parameters;
  value[0] = flat(g, slope);
  value[1] = 0;
  if (s->columns == 1 && s->ode->method != SL__ODE_STIFF) return g->status == SL_OK;
  sl_node *derivative = sl__arena_take(s->arena, (size_t)count, sizeof *derivative);
  if (!derivative) return sl__out_of_memory(g);
  if (sl__gradient(g, slope, count, s->place, derivative) != SL_OK) return false;
  for (int32_t j = 0; j < s->states; j++)
    jacobian[(int64_t)i * s->states + j] = each_row(s, flat(g, derivative[j]));
  if (s->columns > 1) value[1] = sensitivity(s, derivative);
  return g->status == SL_OK;
}

static sl_node join(const system *s, int64_t count, sl_node *parts) {
  int64_t used = 0;
  for (int64_t k = 0; k < count; k++) {
    if (parts[k]) parts[used++] = parts[k];
  }
  return sl__contiguous(s->g, op_concatenate(s->g, (int)used, parts, 0));
}

static bool trace(system *s, sl__sub_graph *sub) {
  sl__graph *g = s->g;
  const int32_t m = s->states;
  s->variable = sl__node_add(g, (sl__node){.operation = SL__OP_VARIABLE,
                                           .type = SL_F64,
                                           .shape = sl__shape1(1 + m * s->columns),
                                           .batched = s->batched,
                                           .integer = {g->variables++}});
  for (int32_t i = 0; i < m; i++) s->place[i] = op_element(g, s->variable, 0, 1 + i * s->columns);
  memcpy(s->place + m, s->parameter, (size_t)s->ode->parameters * sizeof *s->place);
  const size_t entries =
      s->ode->method == SL__ODE_STIFF || s->columns > 1 ? (size_t)m * (size_t)m : 1;
  sl_node *slope = sl__arena_take(s->arena, (size_t)m, sizeof *slope);
  sl_node *value = sl__arena_take(s->arena, 2 * (size_t)m, sizeof *value);
  sl_node *jacobian = sl__arena_take(s->arena, entries, sizeof *jacobian);
  if (!slope || !value || !jacobian) return sl__out_of_memory(g);
  if (!call(s, op_element(g, s->variable, 0, 0), s->place, slope)) return false;
  for (int32_t i = 0; i < m; i++) {
    if (!differentiate(s, i, slope[i], value + 2 * i, jacobian)) return false;
  }
  sub->variable = s->variable;
  sub->value = join(s, 2 * m, value);
  sub->slope = s->ode->method == SL__ODE_STIFF ? join(s, (int64_t)m * m, jacobian) : sub->value;
  sub->last = sub->value > sub->slope ? sub->value : sub->slope;
  if (sub->last < sub->variable) sub->last = sub->variable;
  return g->status == SL_OK;
}

/* ---- the node ---- */

/* The slopes at the start or, for times that are no constants, at a point of the solution. */
static sl_node slopes_at(const system *s, sl_node time, sl_node states) {
  sl__graph *g = s->g;
  const int32_t m = s->states;
  sl_node *state = sl__arena_take(s->arena, (size_t)m, sizeof *state);
  sl_node *slope = sl__arena_take(s->arena, (size_t)m, sizeof *slope);
  if (!state || !slope) return sl__out_of_memory(g);
  states = op_stop_gradient(g, each_row(s, states));
  for (int32_t i = 0; i < m; i++) state[i] = op_element(g, states, 0, i);
  if (!call(s, op_stop_gradient(g, each_row(s, time)), state, slope)) return 0;
  for (int32_t i = 0; i < m; i++) slope[i] = flat(g, slope[i]);
  return op_stop_gradient(g, op_concatenate(g, m, slope, 0));
}

/* The variable at the start. */
static sl_node begin(const system *s) {
  sl__graph *g = s->g;
  const int32_t m = s->states, k = s->columns - 1;
  const bool start = s->sources > 0 && s->source[0] == s->ode->start;
  const int32_t at_time = start ? m : 0, rest = k - at_time - s->moves;
  sl_node *parts = sl__arena_take(s->arena, 4 * (size_t)m + 1, sizeof *parts);
  double *identity = sl__arena_take(s->arena, (size_t)m, sizeof *identity);
  if (!parts || !identity) return sl__out_of_memory(g);
  const sl_node slopes = s->moves ? slopes_at(s, s->ode->start_time, s->ode->start) : 0;
  int count = 0;
  parts[count++] = each_row(s, flat(g, s->ode->start_time));
  for (int32_t i = 0; i < m; i++) {
    parts[count++] = each_row(s, op_slice(g, s->ode->start, 0, i, 1, 1));
    identity[i] = 1;
    if (start) parts[count++] = each_row(s, op_constant(g, SL_F64, sl__shape1(m), identity));
    identity[i] = 0;
    if (s->moves) parts[count++] = op_negate(g, op_slice(g, slopes, 0, i, 1, 1));
    if (rest) parts[count++] = zeros(s, sl__shape1(rest));
  }
  return sl__contiguous(g, op_concatenate(g, count, parts, 0));
}

static sl_node add_node(const system *s, const sl__sub_graph *sub) {
  sl__graph *g = s->g;
  const sl__ode *ode = s->ode;
  int64_t count;
  const int32_t times = g->nodes[ode->times].shape.size[0];
  const sl_node start = begin(s), at = sl__contiguous(g, each_row(s, ode->times));
  const sl_node limits = op_constant(g, SL_F64, sl__shape1(3),
                                     (double[3]){ode->relative, ode->absolute, ode->max_steps});
  const sl_node *data =
      sl__sub_graph_data(g, s->arena, sub, SL__OP_ODE, s->sources, s->source, &count);
  if (!start || !at || !limits || !data) return 0;
  const sl_node node =
      sl__node_add_borrowed(g, (sl__node){.operation = SL__OP_ODE,
                                          .type = SL_F64,
                                          .shape = sl__shape3(times, s->states, s->columns),
                                          .batched = s->batched,
                                          .operands = 3,
                                          .operand = {start, at, limits},
                                          .integer = {ode->method, s->sources},
                                          .data = data,
                                          .data_bytes = count * (int64_t)sizeof *data});
  if (!node) return 0;
  const sl_node element = op_element(g, node, 2, 0);
  if (!element) return 0;
  sl__node view = g->nodes[element];
  view.operation = SL__OP_SOLUTION;
  view.operand[0] = node;
  view.root = node;
  return sl__node_add(g, view);
}

/* y + f (times - times): what makes the derivative by the times f. */
static sl_node follow_times(const system *s, sl_node y) {
  sl__graph *g = s->g;
  const sl_node times = s->ode->times;
  const int32_t n = g->nodes[times].shape.size[0];
  sl_node *slopes = sl__arena_take(s->arena, (size_t)n, sizeof *slopes);
  if (!slopes) return sl__out_of_memory(g);
  for (int32_t i = 0; i < n; i++) {
    slopes[i] = slopes_at(s, op_element(g, times, 0, i), op_element(g, y, 0, i));
    if (!slopes[i]) return 0;
    slopes[i] = op_reshape(g, slopes[i], sl__shape2(1, s->states));
  }
  const sl_node nothing = op_subtract(g, times, op_stop_gradient(g, times));
  const sl_node column = op_reshape(g, nothing, sl__shape2(n, 1));
  return op_add(g, y, op_multiply(g, op_concatenate(g, n, slopes, 0), column));
}

static sl_node build(system *s) {
  sl__sub_graph sub;
  if (!measure(s) || !trace(s, &sub)) return 0;
  const sl_node y = add_node(s, &sub);
  return y && !is_constant(s->g, s->ode->times) ? follow_times(s, y) : y;
}

static bool is_right(const sl__graph *g, const sl__ode *ode) {
  const sl__node *start = &g->nodes[ode->start], *times = &g->nodes[ode->times],
                 *time = &g->nodes[ode->start_time];
  bool all_double = start->type == SL_F64 && times->type == SL_F64 && time->type == SL_F64;
  for (int i = 0; i < ode->parameters; i++) {
    if (!ode->parameter[i]) return false;
    all_double &= g->nodes[ode->parameter[i]].type == SL_F64;
  }
  return all_double && start->shape.dims == 1 && times->shape.dims == 1 && time->shape.dims == 0;
}

sl_node op_ode(sl__graph *g, const sl__ode *ode, sl__ode_function f, void *user) {
  if (!ode->start || !ode->times || !ode->start_time || g->status != SL_OK) return 0;
  if (!is_right(g, ode))
    return sl__graph_refuse(g, SL_BAD_ARGUMENT,
                            "ode: a vector of states, a vector of times and a time of the start "
                            "are needed, all of float64");
  if (!(ode->relative > 0) || !(ode->absolute > 0) || !(ode->max_steps >= 1))
    return sl__graph_refuse(g, SL_BAD_ARGUMENT,
                            "ode: tolerances must be positive, and max_steps at least 1");
  sl__arena arena;
  sl__arena_open(&arena, g->context);
  system s = {.g = g,
              .arena = &arena,
              .ode = ode,
              .f = f,
              .user = user,
              .states = g->nodes[ode->start].shape.size[0]};
  const sl_node result = build(&s);
  sl__arena_close(&arena);
  return result;
}

/* ---- the derivative ---- */

void sl__gradient_solution(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy) {
  const sl_node ode = g->nodes[node].operand[0];
  const sl_shape shape = g->nodes[ode].shape;
  const int sources = g->nodes[ode].integer[1];
  dy = op_reshape(g, dy, sl__shape3(shape.size[0], shape.size[1], 1));
  int32_t at = 1;
  for (int k = 0; k < sources; k++) {
    int64_t listed;
    const sl_node source = sl__parts(&g->nodes[ode], &listed)[3 + k];
    const sl_shape like = g->nodes[source].shape;
    const int32_t count = (int32_t)sl__shape_count(like);
    const sl_node by = op_multiply(g, dy, op_slice(g, ode, 2, at, count, 1));
    sl__contribute(tape, source, op_reshape(g, op_sum(g, op_sum(g, by, 0), 0), like));
    at += count;
  }
}
