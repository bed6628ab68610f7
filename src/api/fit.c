/* Fitting: the default policy for rows, and training a flow that the caller brings. */
#include <math.h>
#include <string.h>

#include "api/handle.h"
#include "infer/recipe.h"

void sl_fit_options_default(sl_fit_options *options, size_t size) {
  sl_fit_options all;
  memset(&all, 0, sizeof all);
  sl__fit_options_default(&all);
  all.size = size < sizeof all ? size : sizeof all;
  memcpy(options, &all, all.size);
}

sl_status sl_fit_options_set(sl_context *context, sl_fit_options *options, const char *key,
                             const char *value) {
  sl_fit_options all;
  SL__TRY(sl__fit_options_read(context, options, &all));
  size_t size = options->size;
  SL__TRY(sl__fit_options_set(context, &all, key, value));
  memcpy(options, &all, size);
  options->size = size;
  return SL_OK;
}

/* data as the caller's version of the struct knows it -> all of today's fields. */
static sl_status read_data(sl_context *context, const sl_fit_data *data, sl_fit_data *out) {
  *out = (sl_fit_data){0};
  if (!data || data->size < sizeof(size_t) || data->size > sizeof *out)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "sl_fit_data.size is not known; set it to sizeof(sl_fit_data)");
  memcpy(out, data, data->size);
  return SL_OK;
}

/* Reports are filled in full inside and handed over as far as the caller's struct goes. */
static sl_status check_report(sl_context *context, const sl_fit_report *report) {
  if (report && (report->size < sizeof(size_t) || report->size > sizeof *report))
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "sl_fit_report.size is not known; set it to sizeof(sl_fit_report)");
  return SL_OK;
}

static void hand_over(const sl_fit_report *from, sl_fit_report *to) {
  if (!to) return;
  size_t size = to->size;
  memcpy(to, from, size);
  to->size = size;
}

sl_status sl_fit(sl_context *context, const sl_fit_data *data, const sl_fit_options *options,
                 sl_flow **out, sl_fit_report *report) {
  *out = NULL;
  sl_fit_data all_data;
  sl_fit_options all_options;
  sl_fit_report full = {.size = sizeof full};
  SL__TRY(read_data(context, data, &all_data));
  SL__TRY(sl__fit_options_read(context, options, &all_options));
  SL__TRY(check_report(context, report));
  sl__model *model = NULL;
  sl_status status = sl__fit_rows(context, &all_data, &all_options, &model, &full);
  if (model) {
    sl_status wrapped = sl__handle_new(context, model, out);
    if (wrapped != SL_OK) return wrapped;
    hand_over(&full, report);
  }
  return status;
}

sl_status sl_fit_flow(sl_context *context, sl_flow *flow, const sl_fit_data *data,
                      const sl_fit_options *options, sl_fit_report *report) {
  sl_fit_data all_data;
  sl_fit_options all_options;
  sl_fit_report full = {.size = sizeof full};
  SL__TRY(read_data(context, data, &all_data));
  SL__TRY(sl__fit_options_read(context, options, &all_options));
  SL__TRY(check_report(context, report));
  sl_status status = sl__fit_model(context, flow->model, &all_data, &all_options, &full);
  if (status == SL_OK || status == SL_STOPPED || status == SL_NUMERIC) hand_over(&full, report);
  return status;
}

sl_status sl_fit_generated(sl_context *context, sl_flow *flow, sl_generate_function generate,
                           void *user, const sl_fit_options *options, sl_fit_report *report) {
  sl_fit_options all_options;
  sl_fit_report full = {.size = sizeof full};
  if (!generate)
    return sl__fail(context, SL_BAD_ARGUMENT, "the function that generates rows is missing");
  SL__TRY(sl__fit_options_read(context, options, &all_options));
  SL__TRY(check_report(context, report));
  sl_status status =
      sl__fit_generated(context, flow->model, generate, user, &all_options, &full);
  if (status == SL_OK || status == SL_STOPPED || status == SL_NUMERIC) hand_over(&full, report);
  return status;
}
