/* A history of bounded length. When it is full, neighbouring points become one: their losses are
 * averaged, of the held-out ones the later stands. What it holds is a function of the values that
 * were added, so that a resumed fit ends with the same history as one that was not interrupted. */
#include <math.h>
#include "infer/loss_history.h"

static void halve(sl__loss_history *history) {
  history->count /= 2;
  for (int64_t i = 0; i < history->count; i++) {
    history->step[i] = history->step[2 * i + 1];
    history->loss[i] = 0.5 * (history->loss[2 * i] + history->loss[2 * i + 1]);
    history->valid[i] = history->valid[2 * i + 1];
  }
  history->merges++;
}

void sl__loss_history_add(sl__loss_history *history, int64_t step, double loss, double valid) {
  if (!isfinite(loss)) return;
  if (history->count == SL__LOSS_POINTS) halve(history);
  history->waiting_sum += loss;
  history->waiting++;
  const double wanted = ldexp(1, (int)history->merges);
  if ((double)history->waiting < wanted) return;
  history->step[history->count] = (double)step;
  history->loss[history->count] = history->waiting_sum / wanted;
  history->valid[history->count++] = valid;
  history->waiting = 0;
  history->waiting_sum = 0;
}

/* As many digits as a figure shows, which keeps the file small. */
static double rounded(double value) {
  char digits[32];
  const int length = sl__format_real(digits, value, SL_F32);
  double out = value;
  sl__parse_real(digits, digits + length, &out);
  return out;
}

static void write_numbers(sl__json *json, const char *key, int64_t count, const double *numbers) {
  sl__json_open_array(json, key);
  for (int64_t i = 0; i < count; i++) sl__json_real(json, NULL, rounded(numbers[i]));
  sl__json_close_array(json);
}

void sl__loss_history_write(const sl__loss_history *history, sl__json *json) {
  bool held_out = false;
  for (int64_t i = 0; i < history->count; i++) held_out |= !isnan(history->valid[i]);
  sl__json_open_object(json, "history");
  sl__json_open_array(json, "step");
  for (int64_t i = 0; i < history->count; i++)
    sl__json_integer(json, NULL, (int64_t)history->step[i]);
  sl__json_close_array(json);
  write_numbers(json, "loss", history->count, history->loss);
  if (held_out) write_numbers(json, "valid", history->count, history->valid);
  sl__json_close_object(json);
}
