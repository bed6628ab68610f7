/* The course of a loss: its means against plain sums, whatever its length. */
#include "check.h"
#include "infer/loss_history.h"

TEST(points_are_means_of_equally_many_values) {
  static sl__loss_history history;
  for (int64_t length = 1; length < 5000; length += 619) {
    history = (sl__loss_history){0};
    double sum = 0;
    for (int64_t step = 1; step <= length; step++) {
      const double loss = 3 + (double)(step * 7919 % 101);
      sum += loss;
      sl__loss_history_add(&history, step, loss, -loss);
    }
    CHECK(history.count <= SL__LOSS_POINTS && (length < 512 || history.count >= 256));
    const double each = ldexp(1, (int)history.merges);
    double again = history.waiting_sum;
    for (int64_t i = 0; i < history.count; i++) {
      again += each * history.loss[i];
      CHECK_CLOSE(history.step[i], (double)(i + 1) * each, 0);
      CHECK_CLOSE(history.valid[i], -(3 + (double)((int64_t)history.step[i] * 7919 % 101)), 0);
    }
    CHECK_CLOSE(again, sum, 1e-12);
  }
}

TEST(what_is_not_finite_is_left_out) {
  static sl__loss_history history;
  sl__loss_history_add(&history, 1, NAN, 0);
  sl__loss_history_add(&history, 2, INFINITY, 0);
  CHECK_INTEGER(history.count, 0);
  sl__loss_history_add(&history, 3, 2, NAN);
  CHECK_INTEGER(history.count, 1);
}
