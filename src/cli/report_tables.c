/* The tables of a report: how good the fit is, what it says of the columns, and what was done. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "cli/draws.h"
#include "cli/report.h"
#include "cli/score_names.h"

static void add_fact(sl__page *page, const char *name, const char *words) {
  sl__page_row(page, name);
  sl__page_cell(page, words);
  sl__page_row_end(page);
}

static void add_count(sl__page *page, const char *name, int64_t count) {
  char words[32];
  snprintf(words, sizeof words, "%lld", (long long)count);
  add_fact(page, name, words);
}

static void add_columns(sl__page *page, const sl_flow *flow, sl_context *context) {
  sl__text text;
  sl__text_open(&text, context);
  for (int32_t i = 0; i < sl_flow_dim(flow); i++) {
    sl__text_add(&text, "%s%s", i > 0 ? ", " : "", sl_flow_column_name(flow, i));
    if (strcmp(sl_flow_column_type(flow, i), "real") != 0)
      sl__text_add(&text, ": %s", sl_flow_column_type(flow, i));
  }
  if (!text.failed) add_fact(page, "columns", text.data);
  sl__text_close(&text);
}

/* Numbers and words of the record, under their own names. */
static void add_record(sl__page *page, const sl__json_value *record) {
  static const char *const elsewhere[] = {
      "verdict",      "command_line",    "command",     "elbo",           "elbo_se",
      "log_evidence", "log_evidence_se", "upper_bound", "upper_bound_se", "khat"};
  for (const sl__json_value *v = record->child; v; v = v->next) {
    char number[32];
    bool shown = v->kind == SL__JSON_TEXT || v->kind == SL__JSON_NUMBER;
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
      shown &= strcmp(v->key, elsewhere[i]) != 0;
    if (!shown) continue;
    if (v->kind == SL__JSON_NUMBER && v->is_integer)
      snprintf(number, sizeof number, "%lld", (long long)v->integer);
    else if (v->kind == SL__JSON_NUMBER)
      sl__format_real(number, v->number, SL_F32);
    add_fact(page, v->key, v->kind == SL__JSON_TEXT ? v->text : number);
  }
}

void sl__report_facts(sl__report *r) {
  const sl_flow *flow = r->figures.flow;
  sl__page *page = &r->page;
  sl__page_element(page, "h2", NULL, "What was fitted, and how");
  sl__page_table(page, 0, NULL);
  add_fact(page, "flow", sl_flow_formula(flow));
  add_fact(page, "base", sl_flow_base(flow));
  add_columns(page, flow, r->cli->context);
  add_count(page, "parameters", sl_flow_parameter_count(flow));
  add_fact(page, "precision", sl_flow_dtype(flow) == SL_F32 ? "f32" : "f64");
  if (r->record) add_record(page, r->record);
  sl__page_table_end(page);
}

static double number_of(const sl__json_value *object, const char *key) {
  const sl__json_value *value = sl__json_member(object, key);
  return value && value->kind == SL__JSON_NUMBER ? value->number : (double)NAN;
}

void sl__report_scores(sl__report *r) {
  static const char *const head[] = {"log density per row, nats", "mean", "standard error", "rows"};
  static const char *const sets[][2] = {{"train", "training rows"},
                                        {"valid", "held out to stop by"},
                                        {"test", "test rows"},
                                        {"gaussian", NULL}, /* by its own name */
                                        {"gaussian_mixture", "Gaussian mixture, test rows"}};
  sl__page *page = &r->page;
  if (!r->record || !sl__json_member(r->record, "train")) return;
  sl__page_element(page, "h2", NULL, "How good it is");
  sl__page_table(page, 4, head);
  for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
    const sl__json_value *score = sl__json_member(r->record, sets[i][0]);
    if (!score || score->kind != SL__JSON_OBJECT) continue;
    sl__page_row(page, sets[i][1] ? sets[i][1] : sl__cli_gaussian_name(r->figures.flow));
    sl__page_number(page, number_of(score, "log_prob"), 4);
    sl__page_number(page, number_of(score, "se"), 4);
    sl__page_number(page, number_of(score, "rows"), 0);
    sl__page_row_end(page);
  }
  sl__page_table_end(page);
}

/* Those of a variational fit, as its command shows them. */
void sl__report_estimates(sl__report *r) {
  static const char *const head[] = {"nats", "value", "standard error"};
  static const char *const rows[][3] = {{"elbo", "elbo_se", "ELBO"},
                                        {"log_evidence", "log_evidence_se", "log evidence"},
                                        {"upper_bound", "upper_bound_se", "upper bound"},
                                        {"khat", "", "Pareto k-hat (no nats)"}};
  sl__page *page = &r->page;
  if (!r->record || !sl__json_member(r->record, "elbo")) return;
  sl__page_element(page, "h2", NULL, "How good it is");
  sl__page_table(page, 3, head);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    if (isnan(number_of(r->record, rows[i][0]))) continue;
    sl__page_row(page, rows[i][2]);
    sl__page_number(page, number_of(r->record, rows[i][0]), 4);
    sl__page_number(page, number_of(r->record, rows[i][1]), 4);
    sl__page_row_end(page);
  }
  sl__page_table_end(page);
}

static void add_significant(sl__report *r, double value) {
  sl__text text;
  sl__text_open(&text, r->cli->context);
  sl__cli_significant(&text, value, 4, 0);
  if (!text.failed) sl__page_element(&r->page, "td", NULL, text.data);
  sl__text_close(&text);
}

/* Means, deviations and quantiles of the model's samples, and of the rows beside them. */
sl_status sl__report_summary(sl__report *r) {
  static const char *const head[] = {"", "mean", "sd", "5 %", "50 %", "95 %"};
  const sl__cli_figures *f = &r->figures;
  sl__page *page = &r->page;
  if (f->count == 0) return SL_OK;
  sl__page_element(page, "h2", NULL, "What it says of the columns");
  sl__page_table(page, 6, head);
  for (int32_t c = 0; c < f->sets[0].columns; c++)
    for (int s = 0; s < f->count; s++) {
      const sl__plot_set *set = &f->sets[s];
      const sl__series x = {1, set->rows, set->values + c, 0, set->columns};
      sl__summary_row row;
      char name[160];
      SL__TRY(sl__summarise(r->cli->context, &x, 1, 1, &row));
      snprintf(name, sizeof name, "%.100s, %s", set->names[c], s == 0 ? "model" : "rows");
      sl__page_row(page, name);
      const double numbers[] = {row.mean, row.sd, row.q5, row.q50, row.q95};
      for (int k = 0; k < 5; k++) add_significant(r, numbers[k]);
      sl__page_row_end(page);
    }
  sl__page_table_end(page);
  return SL_OK;
}
