/* Where roots (op_root) are hard, absent or not allowed: brackets that do not hold, any magnitude,
 * functions that never get there, and what is refused. */
#include "root_fixture.h"

static double roots[ROWS * FEATURES], others[ROWS * FEATURES];

TEST(brackets_that_do_not_hold_are_widened) {
  static const double brackets[][2] = {
      {200, 201}, {-201, -200},          {5, 5},   {0, 0},           {7, -7},
      {NAN, NAN}, {-INFINITY, INFINITY}, {NAN, 2}, {1e-300, 2e-300}, {1e30, 2e30},
  };
  for (int t = 0; t < 2; t++) {
    for (size_t k = 0; k < sizeof brackets / sizeof brackets[0]; k++) {
      setting s;
      if (!open_setting(&s, both_types[t], 1, true)) return;
      draw_few(&families[1]);
      const sl_node x = root_in(&s, s.y, &s.q, cubic_graph, brackets[k][0], brackets[k][1]);
      run_pieces(&s, 1, &x, FEW, FEW, ys, qs, (double *[]){roots}, NULL);
      for (int i = 0; i < FEW * FEATURES; i++) {
        const int d = i % FEATURES;
        const double p[3] = {qs[d], qs[FEATURES + d], qs[2 * FEATURES + d]};
        if (!CHECK_CLOSE(cubic(p, roots[i]), ys[i], 8 * epsilon_of(s.type)))
          printf("  bracket %g to %g\n", brackets[k][0], brackets[k][1]);
      }
      close_setting(&s);
    }
  }
}

/* x + tanh(x) / 2 near 0 and far away: precise relative to the root, however small or large. */
TEST(roots_of_any_magnitude_are_precise) {
  static const double wanted[12] = {0,     1e-300, -1e-300, 1e-150, 1e-30, -1e-12,
                                    -1e-9, 1e-4,   100,     -1e12,  1e30,  -1e300};
  static const double brackets[3][2] = {{-1000, 700}, {-1.3, 2}, {1e-200, 1e-199}};
  for (int t = 0; t < 2; t++) {
    for (int k = 0; k < 3; k++) {
      setting s;
      if (!open_setting(&s, both_types[t], 1, true)) return;
      for (int d = 0; d < FEATURES; d++) {
        qs[d] = 0.5;
        qs[FEATURES + d] = 1;
        qs[2 * FEATURES + d] = 0;
      }
      for (int i = 0; i < 12; i++) {
        const bool fits = s.type == SL_F64 || wanted[i] == 0 || fabs(log10(fabs(wanted[i]))) < 37;
        ys[i] = fits ? wanted[i] + 0.5 * tanh(wanted[i]) : 0;
      }
      const sl_node x = root_in(&s, s.y, &s.q, planar_graph, brackets[k][0], brackets[k][1]);
      run_pieces(&s, 1, &x, 4, 4, ys, qs, (double *[]){roots}, NULL);
      for (int i = 0; i < 12; i++) {
        const double off = fabs(roots[i] - (ys[i] != 0 ? wanted[i] : 0));
        if (!CHECK(off <= 2 * epsilon_of(s.type) * fabs(wanted[i])))
          printf("  %g against %g from %g to %g\n", roots[i], wanted[i], brackets[k][0],
                 brackets[k][1]);
      }
      close_setting(&s);
    }
  }
}

/* tanh never reaches 2; nothing reaches infinity; a logarithm has no value below 0. */
TEST(where_there_is_no_root_one_element_is_not_a_number) {
  for (int t = 0; t < 2; t++) {
    setting s;
    if (!open_setting(&s, both_types[t], 2, true)) return;
    sl__graph_label(s.g, "layer 2: planar");
    draw_few(&families[0]);
    for (int d = 0; d < FEATURES; d++) qs[d] = 1;
    enum { N = 300 };
    for (int i = 0; i < N * FEATURES; i++) ys[i] = 0.5 * sin(i);
    const sl_node x = root_in(&s, s.y, &s.q, planar_graph, -50, 50);
    sl_status diagnosis;
    run_pieces(&s, 1, &x, N, N, ys, qs, (double *[]){others}, &diagnosis);
    CHECK_INTEGER(diagnosis, SL_OK);
    const int bad[3] = {17 * FEATURES + 1, 130 * FEATURES, 299 * FEATURES + 2};
    ys[bad[0]] = (double)INFINITY;
    ys[bad[1]] = (double)NAN;
    ys[bad[2]] = -(double)INFINITY;
    run_pieces(&s, 1, &x, N, N, ys, qs, (double *[]){roots}, NULL);
    int lost = 0;
    for (int i = 0; i < N * FEATURES; i++) {
      const bool is_bad = i == bad[0] || i == bad[1] || i == bad[2];
      lost += is_bad ? !isnan(roots[i]) : roots[i] != others[i];
    }
    CHECK_INTEGER(lost, 0);
    close_setting(&s);
  }
}

static sl_node bounded_graph(void *user, sl__graph *g, sl_node x) {
  (void)user;
  return op_tanh(g, x);
}

static sl_node logarithm_graph(void *user, sl__graph *g, sl_node x) {
  (void)user;
  return op_log(g, x);
}

TEST(functions_that_never_get_there_are_reported_with_their_row) {
  for (int t = 0; t < 2; t++) {
    setting s;
    if (!open_setting(&s, both_types[t], 1, true)) return;
    draw_few(&families[0]);
    for (int i = 0; i < 40 * FEATURES; i++) ys[i] = 0.9 * sin(i);
    sl__graph_label(s.g, "layer 2: bounded");
    const sl_node x = root_in(&s, s.y, &s.q, bounded_graph, -1, 3);
    sl_status diagnosis;
    run_pieces(&s, 1, &x, 40, 40, ys, qs, (double *[]){others}, &diagnosis);
    CHECK_INTEGER(diagnosis, SL_OK);
    for (int i = 0; i < 40 * FEATURES; i++)
      CHECK_CLOSE(others[i], atanh(ys[i]), 40 * epsilon_of(s.type));
    ys[23 * FEATURES + 1] = 2;
    run_pieces(&s, 1, &x, 40, 40, ys, qs, (double *[]){roots}, &diagnosis);
    CHECK_INTEGER(diagnosis, SL_NUMERIC);
    const char *message = sl_error(s.context);
    if (!CHECK(strstr(message, "layer 2: bounded") && strstr(message, "root") &&
               strstr(message, "row 23")))
      printf("  %s\n", message);
    for (int i = 0; i < 40 * FEATURES; i++) {
      if (i == 23 * FEATURES + 1)
        CHECK(isnan(roots[i]));
      else
        CHECK(roots[i] == others[i]);
    }
    /* the search looks at negative numbers too, where log has no value: no matter */
    const sl_node e = root_in(&s, s.y, &s.q, logarithm_graph, -1, 50);
    run_pieces(&s, 1, &e, 40, 40, ys, qs, (double *[]){roots}, &diagnosis);
    CHECK_INTEGER(diagnosis, SL_OK);
    for (int i = 0; i < 40 * FEATURES; i++)
      CHECK_CLOSE(roots[i], exp(ys[i]), 8 * epsilon_of(s.type));
    close_setting(&s);
  }
}

/* ---- what is refused ---- */

static sl_node nested_graph(void *user, sl__graph *g, sl_node x) {
  const sl_node low = op_number(g, SL_F64, -9), high = op_number(g, SL_F64, 9);
  return op_root(g, x, low, high, planar_graph, user);
}
static sl_node constant_graph(void *user, sl__graph *g, sl_node x) {
  (void)x;
  return row_of(g, *(const sl_node *)user, 0);
}
static sl_node narrow_graph(void *user, sl__graph *g, sl_node x) {
  (void)user;
  return op_element(g, x, 0, 0);
}
static sl_node summing_graph(void *user, sl__graph *g, sl_node x) {
  (void)user;
  return op_sum_rows(g, x);
}
static sl_node nothing_graph(void *user, sl__graph *g, sl_node x) {
  (void)user, (void)g, (void)x;
  return 0;
}

TEST(functions_that_have_no_root_to_find_are_refused) {
  static const struct {
    sl__root_function f;
    sl_status status;
  } refused[] = {{nested_graph, SL_UNSUPPORTED},   {constant_graph, SL_BAD_ARGUMENT},
                 {narrow_graph, SL_BAD_ARGUMENT},  {summing_graph, SL_UNSUPPORTED},
                 {nothing_graph, SL_BAD_ARGUMENT}, {planar_graph, SL_OK}};
  for (size_t k = 0; k < sizeof refused / sizeof refused[0]; k++) {
    setting s;
    if (!open_setting(&s, SL_F64, 1, true)) return;
    root_in(&s, s.y, &s.q, refused[k].f, -9, 9);
    CHECK_INTEGER(sl__graph_status(s.g), refused[k].status);
    close_setting(&s);
  }
}

static sl_node leaking_graph(void *user, sl__graph *g, sl_node x) {
  return *(sl_node *)user = op_tanh(g, x);
}

TEST(values_inside_are_not_for_use_outside) {
  setting s;
  if (!open_setting(&s, SL_F64, 1, true)) return;
  sl_node leak = 0;
  const sl_node x = root_in(&s, s.y, &leak, leaking_graph, -9, 9);
  sl__program *program;
  const sl_node both[2] = {op_add(s.g, x, leak), leak};
  for (int k = 0; k < 2; k++) {
    CHECK(sl__program_new(s.context, s.g, 1, &both[k], &program) == SL_BAD_ARGUMENT);
    CHECK(strstr(sl_error(s.context), "outside") != NULL);
  }
  close_setting(&s);
}
