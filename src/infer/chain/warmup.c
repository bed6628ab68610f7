/* The two schedules of a warm-up.
 *
 * Stan's: a first buffer in which only the step size is learned, windows of doubling length at
 * whose ends the metric is set and the step size sought anew, and a last buffer (Stan reference
 * manual, "HMC algorithm parameters"). The Fisher metrics learn at every draw: from the moments of
 * a window that is thrown away for the next one, begun later, every `early` or `late` draws, so
 * that the way from the first point is soon forgotten (Seyboldt, Carlson and Carpenter 2026,
 * arXiv:2603.18845, section 4). */
#include "infer/chain/warmup.h"
#include <math.h>

enum {
  early_window = 10,
  late_window = 80,
  most_rank = 64,
  most_kept = 1000,
  shortest_with_meetings = 100,
  meeting_parts = 5,
  last_regrouping = 3,
  batches = 16,
  shortest_batch = 10
};
static const double early_share = 0.3, last_share = 0.15;

const char *sl__metric_kind_name(sl__metric_kind kind) {
  static const char *const names[] = {"unit_e", "diag_e", "dense_e", "fisher_diag",
                                      "fisher_low_rank"};
  return names[kind];
}

static bool is_fisher(const sl__sampler_options *options) {
  return options->metric >= SL__METRIC_KIND_FISHER_DIAG;
}

static sl__metric_form form_of(sl__metric_kind kind) {
  static const sl__metric_form forms[] = {
      [SL__METRIC_KIND_UNIT_E] = SL__METRIC_UNIT,
      [SL__METRIC_KIND_DIAG_E] = SL__METRIC_DIAGONAL,
      [SL__METRIC_KIND_DENSE_E] = SL__METRIC_DENSE,
      [SL__METRIC_KIND_FISHER_DIAG] = SL__METRIC_DIAGONAL,
      [SL__METRIC_KIND_FISHER_LOW_RANK] = SL__METRIC_LOW_RANK,
  };
  return forms[kind];
}

/* Stan shrinks the buffers of a short warm-up to 15 %, 75 % and 10 %. */
static void plan_windows(sl__warmup *warmup) {
  const sl__sampler_options *options = warmup->options;
  int32_t first = options->init_buffer, window = options->window, last = options->term_buffer;
  if (options->warmup < 20) {
    warmup->window_end = -1; /* too short for any */
    return;
  }
  if (first + window + last > options->warmup) {
    first = (int32_t)(0.15 * options->warmup);
    last = (int32_t)(0.1 * options->warmup);
    window = options->warmup - first - last;
  }
  warmup->windows_begin = first;
  warmup->windows_end = options->warmup - last - 1;
  warmup->window_size = window;
  warmup->window_end = first + window - 1;
}

sl_status sl__warmup_open(sl__arena *arena, const sl__sampler_options *options, int32_t dim,
                          sl__warmup *warmup) {
  *warmup = (sl__warmup){.options = options};
  const sl__metric_form form = form_of(options->metric);
  const int32_t rank = dim < most_rank ? dim : most_rank;
  SL__TRY(sl__metric_open(arena, form, dim, rank, &warmup->metric));
  SL__TRY(sl__moments_open(arena, dim, &warmup->front));
  SL__TRY(sl__moments_open(arena, dim, &warmup->back));
  if (form == SL__METRIC_DENSE || form == SL__METRIC_LOW_RANK) {
    const int64_t kept = options->warmup < most_kept ? options->warmup : most_kept;
    SL__TRY(sl__window_open(arena, dim, kept < 4 ? 4 : kept, &warmup->window));
    const size_t work =
        form == SL__METRIC_DENSE ? (size_t)dim * (size_t)dim : sl__low_rank_work(dim, rank);
    warmup->work = sl__arena_take(arena, work, sizeof(double));
    if (!warmup->work) return SL_NO_MEMORY;
  }
  sl__step_size_open(&warmup->step, options->adapt_delta);
  plan_windows(warmup);
  return SL_OK;
}

void sl__warmup_start(sl__warmup *warmup, const double *gradient) {
  if (is_fisher(warmup->options)) sl__estimate_first(gradient, &warmup->metric);
}

/* ---- Stan's ---- */

/* The next window is twice as long, or all that is left if another would not fit behind it. */
static void next_window(sl__warmup *warmup) {
  if (warmup->window_end == warmup->windows_end) {
    warmup->window_end = -1;
    return;
  }
  warmup->window_size *= 2;
  warmup->window_end += warmup->window_size;
  if (warmup->window_end + 2 * warmup->window_size > warmup->windows_end)
    warmup->window_end = warmup->windows_end;
}

static bool learn_by_windows(sl__warmup *warmup, const double *q, const double *gradient) {
  const sl__sampler_options *options = warmup->options;
  if (warmup->window_end < 0 || options->metric == SL__METRIC_KIND_UNIT_E) return false;
  const bool dense = options->metric == SL__METRIC_KIND_DENSE_E;
  if (warmup->iteration < warmup->windows_begin) return false;
  if (dense)
    sl__window_add(&warmup->window, q, gradient);
  else
    sl__moments_add(&warmup->front, q, gradient);
  if (warmup->iteration != warmup->window_end) return false;
  if (dense)
    sl__estimate_covariance(&warmup->window, warmup->work, &warmup->metric);
  else
    sl__estimate_variances(&warmup->front, &warmup->metric);
  sl__moments_clear(&warmup->front);
  sl__window_clear(&warmup->window);
  next_window(warmup);
  return true;
}

/* ---- Fisher's ---- */

static void change_windows(sl__warmup *warmup) {
  const sl__moments kept = warmup->front;
  warmup->front = warmup->back;
  warmup->back = kept;
  sl__moments_clear(&warmup->back);
  if (warmup->work) sl__window_keep(&warmup->window, warmup->back_count);
  warmup->back_count = 0;
}

/* Matrices are dear: they are made anew when a window changes, and at growing distances between. */
static bool is_time_for_matrix(const sl__warmup *warmup, bool changed) {
  const int64_t count = warmup->window.count;
  return count >= 10 && (changed || count % 20 == 0);
}

static void learn_always(sl__warmup *warmup, const double *q, const double *gradient, bool moved) {
  const double share = (double)warmup->iteration / warmup->options->warmup;
  if (share >= 1 - last_share) return;
  /* A chain that did not move tells nothing new. */
  if (moved) {
    sl__moments_add(&warmup->front, q, gradient);
    sl__moments_add(&warmup->back, q, gradient);
    if (warmup->work) sl__window_add(&warmup->window, q, gradient);
    warmup->back_count++;
  }
  const int64_t most = share < early_share ? early_window : late_window;
  const bool change = warmup->back_count >= most;
  if (change) change_windows(warmup);
  if (warmup->front.count < 3) return;
  if (warmup->options->metric == SL__METRIC_KIND_FISHER_DIAG)
    sl__estimate_fisher(&warmup->front, &warmup->metric);
  else if (is_time_for_matrix(warmup, change))
    sl__estimate_low_rank(&warmup->window, warmup->work, &warmup->metric);
}

bool sl__warmup_learn(sl__warmup *warmup, const double *q, const double *gradient, double accept,
                      bool moved, double *step_size) {
  *step_size = sl__step_size_learn(&warmup->step, accept);
  bool anew = false;
  if (is_fisher(warmup->options))
    learn_always(warmup, q, gradient, moved);
  else
    anew = learn_by_windows(warmup, q, gradient);
  warmup->iteration++;
  if (warmup->iteration == warmup->options->warmup) {
    *step_size = sl__step_size_final(&warmup->step);
    return false;
  }
  return anew;
}

void sl__warmup_adopt(sl__warmup *warmup, const sl__warmup *from) {
  sl__metric_copy(&from->metric, &warmup->metric);
  warmup->step = from->step;
  sl__moments_clear(&warmup->front);
  sl__moments_clear(&warmup->back);
  if (warmup->work) sl__window_clear(&warmup->window);
  warmup->back_count = 0;
}

/* Meetings are evenly spaced, the last at the end. */
int64_t sl__warmup_between_meetings(const sl__sampler_options *options) {
  return options->warmup < meeting_parts ? 1 : options->warmup / meeting_parts;
}

bool sl__warmup_is_meeting(const sl__sampler_options *options, int64_t iteration) {
  const int64_t part = sl__warmup_between_meetings(options);
  if (!is_fisher(options) || options->warmup < shortest_with_meetings) return false;
  return iteration == options->warmup ||
         (iteration % part == 0 && iteration / part < meeting_parts);
}

/* The last leaves time for what it changes to be learned. */
bool sl__warmup_is_regrouping(const sl__sampler_options *options, int64_t iteration) {
  return iteration <= last_regrouping * sl__warmup_between_meetings(options);
}

bool sl__warmup_is_late(const sl__sampler_options *options, int64_t iteration) {
  return !sl__warmup_is_regrouping(options, iteration + 1);
}

int64_t sl__warmup_batch(const sl__sampler_options *options) {
  const int64_t late = options->warmup - last_regrouping * sl__warmup_between_meetings(options);
  if (options->trajectories > 0 || !is_fisher(options)) return 0;
  return late / batches < shortest_batch ? 0 : late / batches;
}
