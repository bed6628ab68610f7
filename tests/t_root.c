/* Roots of monotone functions (op_root) in programs: against bisection in plain C, and neither
 * threads nor the cutting of rows changes a bit. */
#include "root_fixture.h"
#include "base/text.h"

static double roots[ROWS * FEATURES], others[ROWS * FEATURES];

TEST(programs_find_what_bisection_finds) {
  for (int t = 0; t < 2; t++) {
    for (int k = 0; k < KINDS; k++) {
      const family *f = &families[k];
      setting s;
      if (!open_setting(&s, both_types[t], 1, false)) return;
      draw_rows(f, ROWS);
      const sl_node x = root_in(&s, s.y, &s.q, f->graph, -500, 500);
      double worst = 0;
      if (run_pieces(&s, 1, &x, ROWS, ROWS, ys, qs, (double *[]){roots}, NULL)) {
        for (int64_t i = 0; i < ROWS * FEATURES; i++) {
          double q[3];
          parameters_of(i, q);
          if (s.type == SL_F32) {
            for (int j = 0; j < 3; j++) q[j] = (double)(float)q[j];
          }
          const double y = s.type == SL_F32 ? (double)(float)ys[i] : ys[i];
          const double root = bisect(f, q, y, -1e4, 1e4);
          const double off = fabs(roots[i] - root) / allowance(f, q, root, y, epsilon_of(s.type));
          if (!(off <= worst)) worst = off;
        }
      }
      if (!CHECK(worst <= 1)) printf("  %s: off by %g\n", f->name, worst);
      close_setting(&s);
    }
  }
}

TEST(no_bit_depends_on_threads_or_pieces) {
  const int threads[3] = {1, 2, 8};
  for (int t = 0; t < 2; t++) {
    for (int k = 0; k < KINDS; k++) {
      draw_rows(&families[k], ROWS);
      ys[5 * FEATURES] = (double)INFINITY; /* the rows beside it must not notice */
      for (int i = 0; i < 3; i++) {
        setting s;
        if (!open_setting(&s, both_types[t], threads[i], false)) return;
        const sl_node x = root_in(&s, s.y, &s.q, families[k].graph, -500, 500);
        double *to = i ? others : roots;
        run_pieces(&s, 1, &x, ROWS, ROWS, ys, qs, &to, NULL);
        if (i) CHECK(memcmp(roots, others, sizeof roots) == 0);
        to = others;
        for (int64_t piece = 1; piece < ROWS; piece = 7 * piece + 2) {
          run_pieces(&s, 1, &x, ROWS, piece, ys, qs, &to, NULL);
          if (!CHECK(memcmp(roots, others, sizeof roots) == 0))
            printf("  %s: pieces of %d rows\n", families[k].name, (int)piece);
        }
        close_setting(&s);
      }
    }
  }
}
/* ---- shared and batched ---- */

/* The same numbers whether y, the bracket and the parameters are batched or not. */
TEST(shared_and_batched_operands_agree) {
  for (int t = 0; t < 2; t++) {
    double results[8] = {0};
    for (int k = 0; k < 8; k++) { /* bits: batched y, bracket, parameters */
      setting s;
      if (!open_setting(&s, both_types[t], 1, true)) return;
      draw_few(&families[0]);
      for (int i = 0; i < FEW * FEATURES; i++) ys[i] = ys[i % FEATURES];
      sl_node y = op_constant(s.g, s.type, sl__shape1(FEATURES), ys), q = s.q;
      sl_node low = op_number(s.g, s.type, -3), high = op_number(s.g, s.type, 8);
      const sl_node rows = op_multiply(s.g, op_element(s.g, s.y, 0, 0), op_number(s.g, s.type, 0));
      if (k & 1) y = s.y;
      if (k & 2) low = op_add(s.g, low, rows);
      if (k & 4) q = op_add(s.g, q, rows);
      const sl_node x = op_root(s.g, y, low, high, planar_graph, &q);
      CHECK_INTEGER(sl__node_batched(s.g, x), k != 0);
      const sl_node last = op_element(s.g, x, 0, 2);
      run_pieces(&s, 1, &last, FEW, FEW, ys, qs, (double *[]){roots}, NULL);
      results[k] = roots[0];
      CHECK(results[k] == results[0] && isfinite(results[k]));
      close_setting(&s);
    }
  }
}

TEST(roots_of_constants_alone_and_after_sums_over_rows) {
  setting s;
  if (!open_setting(&s, SL_F64, 2, true)) return;
  draw_few(&families[0]);
  sl_node q = op_constant(s.g, s.type, sl__shape2(3, FEATURES), qs);
  const sl_node y = op_constant(s.g, s.type, sl__shape1(FEATURES), ys);
  const sl_node first = root_in(&s, y, &q, planar_graph, -50, 50);
  const sl_node mean = op_scale(s.g, op_sum_rows(s.g, s.y), 1.0 / FEW);
  const sl_node second = root_in(&s, mean, &q, planar_graph, -50, 50);
  double at_first[FEATURES], at_mean[FEATURES];
  run_pieces(&s, 2, (sl_node[]){first, second}, FEW, FEW, ys, qs, (double *[]){at_first, at_mean},
             NULL);
  for (int d = 0; d < FEATURES; d++) {
    const double p[3] = {qs[d], qs[FEATURES + d], qs[2 * FEATURES + d]};
    const double average = (ys[d] + ys[FEATURES + d] + ys[2 * FEATURES + d]) / 3;
    CHECK_CLOSE(planar(p, at_first[d]), ys[d], 1e-14);
    CHECK_CLOSE(planar(p, at_mean[d]), average, 1e-14);
  }
  close_setting(&s);
}

TEST(listings_show_what_is_repeated) {
  setting s;
  if (!open_setting(&s, SL_F64, 1, true)) return;
  const sl_node x = root_in(&s, s.y, &s.q, planar_graph, -9, 9);
  sl__program *program;
  REQUIRE(sl__program_new(s.context, s.g, 1, &x, &program) == SL_OK);
  struct sl__text text;
  sl__text_open(&text, s.context);
  sl__program_print(program, &text);
  const char *root = strstr(text.data, "= root"), *tanh_step = root ? strstr(root, "tanh") : NULL;
  if (!CHECK(root && tanh_step && strstr(root, "\n    0    %"))) printf("%s", text.data);
  sl__text_close(&text);
  sl__program_free(program);
  close_setting(&s);
}
