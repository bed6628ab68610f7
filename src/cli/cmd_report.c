/* sluice report MODEL: one HTML page on a fit: what was fitted and how, the verdict, figures, tables,
 * and the command that does it again. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "cli/draws.h"
#include "cli/figures.h"
#include "cli/kept.h"
#include "cli/page.h"

static const sl__option_row options[] = {
    {"output", SL__OPTION_TEXT, NULL, 0, 0, NULL, "page to write, report.html"},
    {"data", SL__OPTION_TEXT, NULL, 0, 0, NULL, "rows to hold the model against"},
    {"columns", SL__OPTION_TEXT, NULL, 0, 0, NULL, "the columns to draw, \"height, weight\""},
    {"context", SL__OPTION_TEXT, NULL, 0, 0, NULL, "file with the condition, one row"},
    {"context-value", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "of a conditional model, the condition that is drawn, \"dose=0.5\""},
    {"unconstrained", SL__OPTION_BOOL, "false", 0, 0, NULL,
     "of a fit to a Stan program: the flow's own coordinates"},
};

typedef struct report {
  sl__cli *cli;
  sl__page page;
  sl__cli_figures figures;
  const sl__json_value *record; /* or NULL */
  int drawn;
} report;

/* ---- tables ---- */

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
  static const char *const elsewhere[] = {"verdict", "command_line", "command"};
  for (const sl__json_value *v = record->child; v; v = v->next) {
    char number[32];
    bool shown = v->kind == SL__JSON_TEXT || v->kind == SL__JSON_NUMBER;
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
      shown &= strcmp(v->key, elsewhere[i]) != 0;
    if (!shown) continue;
    if (v->kind == SL__JSON_NUMBER) sl__format_real(number, v->number, SL_F32);
    add_fact(page, v->key, v->kind == SL__JSON_TEXT ? v->text : number);
  }
}

static void add_facts(report *r) {
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

static void add_scores(report *r) {
  static const char *const head[] = {"log density per row, nats", "mean", "standard error", "rows"};
  static const char *const sets[][2] = {{"train", "training rows"},
                                        {"valid", "held out to stop by"},
                                        {"test", "test rows"},
                                        {"gaussian", "one Gaussian, test rows"},
                                        {"gaussian_mixture", "Gaussian mixture, test rows"}};
  sl__page *page = &r->page;
  if (!r->record || !sl__json_member(r->record, "train")) return;
  sl__page_element(page, "h2", NULL, "How good it is");
  sl__page_table(page, 4, head);
  for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
    const sl__json_value *score = sl__json_member(r->record, sets[i][0]);
    if (!score || score->kind != SL__JSON_OBJECT) continue;
    sl__page_row(page, sets[i][1]);
    sl__page_number(page, number_of(score, "log_prob"), 4);
    sl__page_number(page, number_of(score, "se"), 4);
    sl__page_number(page, number_of(score, "rows"), 0);
    sl__page_row_end(page);
  }
  sl__page_table_end(page);
}

static void add_significant(report *r, double value) {
  sl__text text;
  sl__text_open(&text, r->cli->context);
  sl__cli_significant(&text, value, 4, 0);
  if (!text.failed) sl__page_element(&r->page, "td", NULL, text.data);
  sl__text_close(&text);
}

/* Means, deviations and quantiles of the model's samples, and of the rows beside them. */
static sl_status add_summary(report *r) {
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

/* ---- figures ---- */

/* Those that the fit and the data allow. */
static bool is_possible(const report *r, const char *kind) {
  const sl__cli_figures *f = &r->figures;
  const bool plane = sl_flow_dim(f->flow) == 2 && sl_flow_features(f->flow) == 2 && f->count > 0;
  const bool data = f->data.rows > 0;
  if (strcmp(kind, "density") == 0) return f->count > 0 && f->sets[0].columns <= 2;
  if (strcmp(kind, "corner") == 0) return f->count > 0 && f->sets[0].columns > 2;
  if (strcmp(kind, "loss") == 0) return r->record && sl__json_member(r->record, "history");
  if (strcmp(kind, "pit") == 0)
    return data && (sl_flow_context_dim(f->flow) == 0 || f->plot.data_condition.rows > 0);
  if (strcmp(kind, "panels") == 0) return plane && data && !f->mapped;
  if (strcmp(kind, "weights") == 0) return f->target != NULL;
  return plane && !f->mapped;
}

static sl_status add_figure(report *r, const char *name, const char *caption) {
  const sl__plot_kind *kind = sl__plot_kind_find(name);
  char *bytes;
  size_t length;
  if (!kind || !is_possible(r, name)) return SL_OK;
  sl__plot plot = r->figures.plot;
  plot.title = "";
  plot.format = SL__PLOT_SVG;
  r->drawn++;
  sl__cli_figures_fit(&r->figures, kind, &plot);
  const sl_status status = sl__plot_draw(&plot, kind, &bytes, &length);
  /* A loss of one step, a base whose noise cannot be drawn alone: the page does without. */
  if (status == SL_BAD_ARGUMENT || (status == SL_UNSUPPORTED && r->drawn > 1)) return SL_OK;
  if (status != SL_OK) return status;
  sl__page_figure(&r->page, r->drawn, bytes, length, caption);
  sl__free(&r->cli->context->allocator, bytes);
  return SL_OK;
}

static sl_status add_figures(report *r) {
  static const struct {
    const char *kind, *caption;
  } figures[] = {
      {"density", "The density. A band's colour says how much of the mass lies in it and in all "
                  "that is denser; dots are rows, at the sides each column alone."},
      {"corner", "Every pair of columns; regions hold 50 and 90 % of the mass. On the diagonal "
                 "each column alone."},
      {"loss", "The loss along the fit."},
      {"pit", "Calibration: ranks of the rows' base coordinates among draws of the base. They are "
              "level if the model is right; only rows that it was not fitted to can show it."},
      {"panels", "Rows mapped to the base beside the base, and the base mapped to rows beside the "
                 "rows: neighbours should be alike."},
      {"weights", "The tail of the importance weights; a k-hat above the threshold says that the "
                  "fit is not to be trusted."},
      {"layers", "The density after each layer."},
      {"warp", "A square net on the base, as the flow bends it."},
  };
  sl__page_element(&r->page, "h2", NULL, "Figures");
  for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
    SL__TRY(add_figure(r, figures[i].kind, figures[i].caption));
  return SL_OK;
}

/* ---- the page ---- */

static void add_command(report *r) {
  const char *line = sl__cli_kept_text(r->record, "command_line");
  sl__page *page = &r->page;
  sl__page_element(page, "h2", NULL, "To do it again");
  if (line)
    sl__page_element(page, "pre", NULL, line);
  else
    sl__page_element(page, "p", NULL,
                     "The model's file does not say by which command it was made.");
  sl__page_raw(page, "<footer>");
  sl__page_words(page, "Written by sluice ");
  sl__page_words(page, sl_version_text());
  sl__page_words(page, ". Equal commands give equal numbers on any number of threads.");
  sl__page_raw(page, "</footer>\n");
}

static sl_status read_record(report *r, const sl_flow *flow) {
  const char *text = flow->model->training;
  sl__json_value *record = NULL;
  if (!text) return SL_OK;
  SL__TRY(sl__json_parse(r->cli->context, &r->cli->arena, text, strlen(text), &record));
  if (record->kind == SL__JSON_OBJECT) r->record = record;
  return SL_OK;
}

static sl_status write_page(report *r) {
  sl__cli *cli = r->cli;
  const char *subject = r->figures.plot.subject;
  const char *verdict = sl__cli_kept_text(r->record, "verdict");
  sl__page_open(&r->page, cli->context, subject);
  sl__page_element(&r->page, "h1", NULL, subject);
  if (verdict) sl__page_element(&r->page, "p", "verdict", verdict);
  add_scores(r);
  SL__TRY(add_figures(r));
  SL__TRY(add_summary(r));
  add_facts(r);
  add_command(r);
  sl__page_close(&r->page);
  if (r->page.text.failed) return SL_NO_MEMORY;
  return sl__os_write_file(cli->context, sl__cli_option(cli, "output")->text, r->page.text.data,
                           r->page.text.length);
}

static sl_status make(report *r) {
  sl__cli *cli = r->cli;
  if (!sl__cli_option(cli, "output")->text)
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "where the page goes is missing; add -o "
                    "report.html");
  SL__TRY(sl__os_check_out(cli->context, sl__cli_option(cli, "output")->text));
  SL__TRY(sl__cli_figures_read(cli, NULL, &r->figures));
  if (!r->figures.flow)
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "%s is no model; a report is of what `sluice fit` or `sluice vi` wrote",
                    cli->arguments[0]);
  SL__TRY(sl__cli_figures_choose(cli, &r->figures));
  SL__TRY(sl__cli_hire(cli));
  SL__TRY(read_record(r, r->figures.flow));
  return write_page(r);
}

static int print_json(sl__cli *cli, const report *r) {
  sl__text text;
  sl__json json;
  sl__cli_json_open(cli, &text, &json);
  sl__json_text(&json, "output", sl__cli_option(cli, "output")->text);
  sl__json_integer(&json, "figures", r->drawn);
  return sl__cli_json_close(cli, &text, &json);
}

static int run(sl__cli *cli) {
  report r = {.cli = cli};
  const sl_status status = make(&r);
  const int code = status != SL_OK ? sl__cli_fail(cli, status)
                   : cli->json     ? print_json(cli, &r)
                                   : SL__EXIT_DONE;
  if (r.page.text.context) sl__text_close(&r.page.text);
  sl__cli_figures_close(&r.figures);
  return code;
}

const sl__command sl__command_report = {
    .name = "report",
    .arguments = "MODEL",
    .summary = "write one HTML page on a fit: verdict, figures, tables, how to do it again",
    .details = "The page needs no network and no scripts, and can be printed. gnuplot draws the\n"
               "figures. With --data, rows that the model was not fitted to show how good it is.\n",
    .examples = "  sluice report m.safetensors --data test.csv -o report.html\n"
                "  sluice report q.safetensors -o report.html\n",
    .minimum = 1,
    .maximum = 1,
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .run = run,
};
