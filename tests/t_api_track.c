/* A tracker of the caller's, through the public header alone. */
#include "check.h"
#include "sluice/sluice.h"

/* ---- an example: where the draws of the flow lie, every hundredth step ---- */

typedef struct watcher {
  sl_context *context;
  int64_t calls, last, stop_after;
  double mean;
} watcher;

/* values: the mean of the first coordinate, and its square. */
static sl_status watch(void *user, const sl_vi_progress *now, const sl_flow *flow, double *values) {
  watcher *w = user;
  double x[500][2], sum = 0;
  const sl_array_out rows = sl_out_f64(*x, 500, 2);
  const sl_status status = sl_flow_sample(w->context, flow, 7, NULL, &rows, NULL);
  for (int i = 0; i < 500; i++) sum += x[i][0];
  values[0] = w->mean = sum / 500;
  values[1] = w->mean * w->mean;
  w->calls++;
  w->last = now->step;
  return now->step == w->stop_after ? SL_STOPPED : status;
}

static void open(watcher *w, sl_target **target, sl_vi_options *options) {
  static const char *const names[] = {"mean", "square"};
  if (sl_context_new(NULL, &w->context) != SL_OK ||
      sl_target_standard(w->context, "gaussian55", target) != SL_OK)
    abort();
  sl_vi_options_default(options, sizeof *options);
  options->mode = SL_VI_PLAIN;
  options->steps = 1000;
  options->rate = 0.01;
  options->samples = 20;
  options->track = "loss@100=t_api_track.csv";
  options->track_function = watch;
  options->track_user = w;
  options->track_names = names;
  options->track_count = 2;
}

/* The last line of the file: step, loss, and the function's two. */
static int read_track(double last[4], char head[80]) {
  char line[200];
  int lines = 0;
  FILE *file = fopen("t_api_track.csv", "r");
  if (!file) return 0;
  for (; fgets(line, sizeof line, file); lines++)
    if (lines == 0)
      snprintf(head, 80, "%.79s", line);
    else
      sscanf(line, "%lf,%lf,%lf,%lf", &last[0], &last[1], &last[2], &last[3]);
  fclose(file);
  remove("t_api_track.csv");
  return lines;
}

/* What it returns stops the fit, and the flow that is returned is the one that it saw. */
TEST(a_function_is_tracked_and_stops_the_fit) {
  for (int precision = SL_F32; precision <= SL_F64; precision++) {
    watcher w = {.stop_after = 600};
    double last[4] = {0};
    char head[80] = "";
    sl_target *target;
    sl_flow *flow;
    sl_vi_options options;
    sl_vi_report report = {.size = sizeof report};
    open(&w, &target, &options);
    options.precision = precision;
    CHECK(sl_vi(w.context, target, &options, &flow, &report) == SL_STOPPED);
    REQUIRE(flow != NULL);
    CHECK(strstr(report.stopped, "by the caller") != NULL);
    CHECK_INTEGER(report.steps, 600);
    CHECK_INTEGER(w.calls, 6);
    CHECK_INTEGER(read_track(last, head), 7);
    CHECK_TEXT(head, "step,loss,mean,square\n");
    CHECK(last[0] == 600 && last[2] == w.mean && last[3] == w.mean * w.mean);
    CHECK(w.mean > 1); /* on its way from 0 to 5 */
    sl_vi_progress now = {.step = 1};
    double again[2];
    CHECK_OK(w.context, watch(&w, &now, flow, again));
    CHECK(again[0] == last[2]);
    sl_flow_free(flow);
    sl_target_free(target);
    sl_context_free(w.context);
  }
}

/* ---- functions that keep their numbers themselves, and what fails ---- */

static sl_status count_calls(void *user, const sl_vi_progress *now, const sl_flow *flow,
                             double *values) {
  watcher *w = user;
  CHECK(values == NULL && sl_flow_dim(flow) == 2);
  CHECK_TEXT(sl_flow_column_name(flow, 1), "x2");
  w->calls++;
  w->last = now->step;
  return SL_OK;
}

static sl_status fail_by_itself(void *user, const sl_vi_progress *now, const sl_flow *flow,
                                double *values) {
  (void)user, (void)flow, (void)values;
  return now->step < 5 ? SL_OK : SL_IO;
}

static sl_status fail_by_the_library(void *user, const sl_vi_progress *now, const sl_flow *flow,
                                     double *values) {
  (void)now, (void)values;
  const watcher *w = user;
  double x[3];
  const sl_array_out rows = sl_out_f64(x, 1, 3);
  return sl_flow_sample(w->context, flow, 1, NULL, &rows, NULL);
}

TEST(without_a_file_it_is_called_after_every_step) {
  watcher w = {0};
  sl_target *target;
  sl_flow *flow;
  sl_vi_options options;
  open(&w, &target, &options);
  options.track = NULL;
  options.track_count = 0;
  options.track_function = count_calls;
  options.steps = 30;
  CHECK_OK(w.context, sl_vi(w.context, target, &options, &flow, NULL));
  CHECK(w.calls == 30 && w.last == 30);
  sl_flow_free(flow);
  sl_target_free(target);
  sl_context_free(w.context);
}

TEST(its_failure_ends_the_fit) {
  watcher w = {0};
  sl_target *target;
  sl_flow *flow;
  sl_vi_options options;
  open(&w, &target, &options);
  options.track = NULL;
  options.track_count = 0;
  options.track_function = fail_by_the_library;
  CHECK(sl_vi(w.context, target, &options, &flow, NULL) == SL_BAD_ARGUMENT && !flow);
  if (!CHECK(strstr(sl_error(w.context), "columns") != NULL)) printf("  %s\n", sl_error(w.context));
  options.track_function = fail_by_itself; /* an older message is not its cause */
  CHECK(sl_vi(w.context, target, &options, &flow, NULL) == SL_IO && !flow);
  CHECK(strstr(sl_error(w.context), "after step 5") != NULL);
  sl_target_free(target);
  sl_context_free(w.context);
}

TEST(what_is_not_whole_is_refused) {
  watcher w = {0};
  sl_target *target;
  sl_flow *flow;
  sl_vi_options options;
  open(&w, &target, &options);
  options.track = NULL;
  CHECK(sl_vi(w.context, target, &options, &flow, NULL) == SL_BAD_ARGUMENT && !flow);
  CHECK(strstr(sl_error(w.context), "@10=trace.csv") != NULL);
  options.track = "@10=t_api_track.csv";
  options.track_function = NULL;
  CHECK(sl_vi(w.context, target, &options, &flow, NULL) == SL_BAD_ARGUMENT && !flow);
  sl_vi_options_default(&options, sizeof options);
  options.track_function = watch;
  CHECK(sl_vi(w.context, target, &options, &flow, NULL) == SL_BAD_ARGUMENT && !flow);
  CHECK(strstr(sl_error(w.context), "track_function") != NULL);
  sl_target_free(target);
  sl_context_free(w.context);
}

/* ---- the other options that came with it ---- */

TEST(stopping_and_wrappers_are_reached) {
  watcher w = {0};
  sl_target *target;
  sl_flow *flow;
  sl_vi_options options;
  sl_vi_report report = {.size = sizeof report};
  open(&w, &target, &options);
  sl_vi_options_default(&options, sizeof options);
  options.mode = SL_VI_PLAIN;
  options.stop_parameters = 1e6;
  options.stop_change = "absolute";
  options.stop_norm = 2;
  options.stop_every = 30;
  options.apply_momentum = 0.9;
  options.max_norm = "*.loc=0.25";
  options.rate = 0.1;
  REQUIRE_OK(w.context, sl_vi(w.context, target, &options, &flow, &report));
  CHECK_INTEGER(report.steps, 30);
  double vector[8]; /* rho, loc, and the data's location and scale */
  const sl_array_out all = sl_out_f64(vector, 1, 8);
  REQUIRE_OK(w.context, sl_flow_parameters(w.context, flow, &all));
  CHECK_CLOSE(hypot(vector[2], vector[3]), 0.25, 1e-12);
  sl_flow_free(flow);
  sl_target_free(target);
  sl_context_free(w.context);
}
