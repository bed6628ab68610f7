/* Derivatives of roots (op_root) against differences, first and second, also of roots that depend on
 * roots; and what becomes of failed allocations. */
#include "root_fixture.h"

static double roots[ROWS * FEATURES];

/* sum over rows and elements of weight * (x + log f'(x)), x the root: as a flow needs it. */
static sl_node log_slopes(const setting *s, sl_node x, sl__root_function f, sl_node *q) {
  sl__graph *g = s->g;
  sl_node slope = 0;
  const sl_node sum = op_sum_all(g, f(q, g, x));
  if (!sum || sl__gradient(g, sum, 1, &x, &slope) != SL_OK) return 0;
  const sl_node weight =
      op_constant(g, s->type, sl__shape1(FEATURES), (double[FEATURES]){1, -0.7, 0.4});
  const sl_node terms = op_multiply(g, weight, op_add(g, x, op_log(g, slope)));
  return op_sum_rows(g, op_sum_all(g, terms));
}

/* Its gradients to y and q against differences. */
static void check_gradients(const setting *s, const char *name, sl_node loss, double tolerance) {
  enum { MOST = FEW * FEATURES };
  const int of_q = (sl__node_batched(s->g, s->q) ? FEW : 1) * 3 * FEATURES;
  sl_node gradient[2] = {0};
  if (!CHECK_OK(s->context, sl__gradient(s->g, loss, 2, (sl_node[]){s->y, s->q}, gradient))) return;
  double value, up, down, by_y[MOST], by_q[3 * MOST];
  const sl_node outputs[3] = {loss, gradient[0], gradient[1]};
  if (!run_pieces(s, 3, outputs, FEW, FEW, ys, qs, (double *[]){&value, by_y, by_q}, NULL)) return;
  double worst = 0;
  for (int i = 0; i < MOST + of_q; i++) {
    double *at = i < MOST ? &ys[i] : &qs[i - MOST];
    const double kept = *at, given = i < MOST ? by_y[i] : by_q[i - MOST], h = 1e-5;
    *at = kept + h;
    run_pieces(s, 1, &loss, FEW, FEW, ys, qs, (double *[]){&up}, NULL);
    *at = kept - h;
    run_pieces(s, 1, &loss, FEW, FEW, ys, qs, (double *[]){&down}, NULL);
    *at = kept;
    const double off = fabs((up - down) / (2 * h) - given) / (1 + fabs(given));
    if (!(off <= worst)) worst = off;
  }
  if (!CHECK(worst < tolerance) || !CHECK(fabs(value) > 1e-3))
    printf("  %s: gradient off by %g\n", name, worst);
}

/* The sum of the squares of loss's derivatives to y and q, which must be batched. */
static sl_node squared_gradient(const setting *s, sl_node loss) {
  sl_node d[2] = {0};
  CHECK_OK(s->context, sl__gradient(s->g, loss, 2, (sl_node[]){s->y, s->q}, d));
  return op_sum_rows(s->g, op_add(s->g, op_sum_all(s->g, op_square(s->g, d[0])),
                                  op_sum_all(s->g, op_square(s->g, d[1]))));
}

TEST(first_derivatives_against_differences) {
  for (int k = 0; k < KINDS; k++) {
    setting s;
    if (!open_setting(&s, SL_F64, 1, true)) return;
    draw_few(&families[k]);
    const sl_node x = root_in(&s, s.y, &s.q, families[k].graph, -50, 50);
    check_gradients(&s, families[k].name, log_slopes(&s, x, families[k].graph, &s.q), 1e-8);
    close_setting(&s);
  }
}

TEST(second_derivatives_against_differences) {
  for (int k = 0; k < KINDS; k++) {
    setting s;
    if (!open_setting(&s, SL_F64, 1, false)) return;
    draw_few(&families[k]);
    const sl_node x = root_in(&s, s.y, &s.q, families[k].graph, -50, 50);
    const sl_node loss = log_slopes(&s, x, families[k].graph, &s.q);
    check_gradients(&s, families[k].name, squared_gradient(&s, loss), 1e-7);
    close_setting(&s);
  }
}

/* ---- roots that depend on roots ---- */

typedef struct coupled {
  sl_node q, known; /* q: parameters; known: the roots before this one, [n] or 0 */
  int index;
} coupled;

/* Equation i of the triangular system x_i + a_i tanh(w_i x_i + b_i + sum over j < i of x_j / 2). */
static sl_node coupled_graph(void *user, sl__graph *g, sl_node x) {
  const coupled *c = user;
  const sl_node q = op_slice(g, c->q, 1, c->index, 1, 1);
  sl_node inside = op_multiply_add(g, row_of(g, q, 1), x, row_of(g, q, 2));
  if (c->known) {
    const sl_node sum = op_reshape(g, op_sum(g, c->known, 0), sl__shape1(1));
    inside = op_add(g, inside, op_scale(g, sum, 0.5));
  }
  return op_multiply_add(g, row_of(g, q, 0), op_tanh(g, inside), x);
}

static sl_node back_substitute(const setting *s) {
  coupled c = {.q = s->q};
  for (; c.index < FEATURES; c.index++) {
    const sl_node y = op_slice(s->g, s->y, 0, c.index, 1, 1);
    const sl_node low = op_number(s->g, s->type, -20), high = op_number(s->g, s->type, 20);
    const sl_node x = op_root(s->g, y, low, high, coupled_graph, &c);
    c.known = c.known ? op_concatenate(s->g, 2, (sl_node[]){c.known, x}, 0) : x;
  }
  return c.known;
}

TEST(back_substitution_of_a_triangular_system) {
  setting s;
  if (!open_setting(&s, SL_F64, 2, false)) return;
  draw_few(&families[0]);
  const sl_node x = back_substitute(&s);
  run_pieces(&s, 1, &x, FEW, FEW, ys, qs, (double *[]){roots}, NULL);
  for (int row = 0; row < FEW; row++) {
    double before = 0;
    for (int d = 0; d < FEATURES; d++) {
      double q[3];
      parameters_of(row * FEATURES + d, q);
      q[2] += before / 2;
      const double root = bisect(&families[0], q, ys[row * FEATURES + d], -100, 100);
      CHECK_CLOSE(roots[row * FEATURES + d], root, 1e-14);
      before += root;
    }
  }
  const sl_node sum = op_sum_rows(s.g, op_sum_all(s.g, op_square(s.g, x)));
  check_gradients(&s, "back-substitution", sum, 1e-8);
  check_gradients(&s, "back-substitution, twice", squared_gradient(&s, sum), 1e-7);
  close_setting(&s);
}

static sl_status live(sl_context *context, meter *m, long *calls_while_running) {
  setting s = {.context = context, .type = SL_F64};
  sl__program *program = NULL;
  sl__workspace *w = NULL;
  sl_status status = sl__graph_new(context, &s.g);
  if (status == SL_OK) {
    s.y = op_input(s.g, s.type, sl__shape1(FEATURES));
    s.q = op_parameter(s.g, s.type, sl__shape2(3, FEATURES), 0);
    const sl_node x = root_in(&s, s.y, &s.q, log_odds_graph, -9, 9);
    const sl_node loss = op_sum_rows(s.g, op_sum_all(s.g, back_substitute(&s)));
    const sl_node both = op_add(s.g, loss, op_sum_rows(s.g, op_sum_all(s.g, x)));
    sl_node dq;
    status = sl__gradient(s.g, both, 1, &s.q, &dq);
    if (status == SL_OK) status = sl__program_new(context, s.g, 1, &dq, &program);
  }
  if (status == SL_OK) status = sl__workspace_new(context, program, 300, &w);
  if (status == SL_OK) {
    const long before = m->calls;
    const sl__feed feed = {.data = ys, .type = SL_F64};
    double dq[3 * FEATURES];
    const sl__sink sink = {dq, SL_F64, 0, 0};
    const sl__run run = {.rows = 300, .parameters = qs, .feeds = &feed, .sinks = &sink};
    status = sl__program_run(context, program, w, &run);
    *calls_while_running = m->calls - before;
  }
  sl__workspace_free(w);
  sl__program_free(program);
  sl__graph_free(s.g);
  return status;
}

TEST(running_allocates_nothing_and_every_failed_allocation_is_reported) {
  draw_few(&families[2]);
  check_whole_life(live);
}
