/* sluice report MODEL: one HTML page on a fit: what was fitted and how, the verdict, figures, tables,
 * and the command that does it again. */
#include <stdio.h>
#include <string.h>
#include "cli/kept.h"
#include "cli/report.h"

static const sl__option_row options[] = {
    {"output", SL__OPTION_TEXT, NULL, 0, 0, NULL, "page to write, report.html"},
    {"data", SL__OPTION_TEXT, NULL, 0, 0, NULL, "rows to hold the model against"},
    {"columns", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "the columns to draw, by name, number or range, \"height, 4..6\""},
    {"context", SL__OPTION_TEXT, NULL, 0, 0, NULL, "file with the condition, one row"},
    {"context-value", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "of a conditional model, the condition that is drawn, \"dose=0.5\""},
    {"unconstrained", SL__OPTION_BOOL, "false", 0, 0, NULL,
     "of a fit to a Stan program: the flow's own coordinates"},
};

/* ---- figures ---- */

/* Those that the fit and the data allow. */
static bool is_possible(const sl__report *r, const char *kind) {
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

static void explain(sl__report *r, const char *name, const char *what, const char *why) {
  sl__text text;
  sl__text_open(&text, r->cli->context);
  sl__text_add(&text, "The figure of the kind %s %s %s.", name, what, why);
  r->page.text.failed |= text.failed;
  if (!text.failed) sl__page_element(&r->page, "p", NULL, text.data);
  sl__text_close(&text);
}

/* What cannot be drawn is said on the page, which does without: a loss of one step, a base whose
 * noise cannot be drawn alone. */
static sl_status add_figure(sl__report *r, const char *name, const char *caption) {
  const sl__plot_kind *kind = sl__plot_kind_find(name);
  sl_context *context = r->cli->context;
  char *script, *bytes;
  size_t script_length, length;
  if (!kind || !is_possible(r, name)) return SL_OK;
  sl__plot plot = r->figures.plot;
  plot.title = "";
  plot.format = SL__PLOT_SVG;
  sl__cli_figures_fit(&r->figures, kind, &plot);
  sl_status status = sl__plot_script(&plot, kind, &script, &script_length);
  if (status == SL_NO_MEMORY || status == SL_STOPPED) return status;
  if (status != SL_OK) {
    explain(r, name, "is left out:", context->error.message);
    return SL_OK;
  }
  status = sl__plot_run(context, script, script_length, &bytes, &length);
  sl__free(&context->allocator, script);
  SL__TRY(status);
  sl__page_figure(&r->page, ++r->drawn, bytes, length, caption);
  sl__free(&context->allocator, bytes);
  if (kind->left_out && kind->left_out(&plot) > 0) {
    char count[32];
    snprintf(count, sizeof count, "%lld", (long long)kind->left_out(&plot));
    explain(r, name, "has no room for the last", count);
  }
  return SL_OK;
}

static sl_status add_figures(sl__report *r) {
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

/* The line is kept without the name of the file, which is the report's argument. */
static void add_line(sl__report *r, const char *line) {
  sl__text text;
  sl__text_open(&text, r->cli->context);
  sl__text_add(&text, "%s -o", line);
  sl__cli_add_word(&text, r->cli->arguments[0]);
  r->page.text.failed |= text.failed;
  if (!text.failed) sl__page_element(&r->page, "pre", NULL, text.data);
  sl__text_close(&text);
}

static void add_command(sl__report *r) {
  const char *line = sl__cli_kept_text(r->record, "command_line");
  sl__page *page = &r->page;
  sl__page_element(page, "h2", NULL, "To do it again");
  if (line)
    add_line(r, line);
  else
    sl__page_element(page, "p", NULL,
                     "The model's file does not say by which command it was made.");
  sl__page_raw(page, "<footer>");
  sl__page_words(page, "Written by sluice ");
  sl__page_words(page, sl_version_text());
  sl__page_words(page, ". Equal commands give equal numbers on any number of threads.");
  sl__page_raw(page, "</footer>\n");
}

static sl_status read_record(sl__report *r, const sl_flow *flow) {
  const char *text = flow->model->training;
  sl__json_value *record = NULL;
  if (!text) return SL_OK;
  SL__TRY(sl__json_parse(r->cli->context, &r->cli->arena, text, strlen(text), &record));
  if (record->kind == SL__JSON_OBJECT) r->record = record;
  return SL_OK;
}

static sl_status write_page(sl__report *r) {
  sl__cli *cli = r->cli;
  const char *subject = r->figures.plot.subject;
  const char *verdict = sl__cli_kept_text(r->record, "verdict");
  sl__page_open(&r->page, cli->context, subject);
  sl__page_element(&r->page, "h1", NULL, subject);
  if (verdict) sl__page_element(&r->page, "p", "verdict", verdict);
  sl__report_scores(r);
  sl__report_estimates(r);
  SL__TRY(add_figures(r));
  SL__TRY(sl__report_summary(r));
  sl__report_facts(r);
  add_command(r);
  sl__page_close(&r->page);
  if (r->page.text.failed) return SL_NO_MEMORY;
  return sl__os_write_file(cli->context, sl__cli_option(cli, "output")->text, r->page.text.data,
                           r->page.text.length);
}

static sl_status check_output(const sl__cli *cli) {
  const char *path = sl__cli_option(cli, "output")->text;
  if (!path)
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "where the page goes is missing; add -o report.html");
  const char *name = sl__cli_short_name(path), *ending = strrchr(name, '.');
  if (strcmp(path, "-") != 0 &&
      !(ending && (strcmp(ending, ".html") == 0 || strcmp(ending, ".htm") == 0)))
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "%s: a report is a page of HTML; name it so, report.html", path);
  return sl__os_check_out(cli->context, path);
}

static sl_status make(sl__report *r) {
  sl__cli *cli = r->cli;
  SL__TRY(check_output(cli));
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

static int print_json(sl__cli *cli, const sl__report *r) {
  sl__text text;
  sl__json json;
  sl__cli_json_open(cli, &text, &json);
  sl__json_text(&json, "output", sl__cli_option(cli, "output")->text);
  sl__json_integer(&json, "figures", r->drawn);
  return sl__cli_json_close(cli, &text, &json);
}

static int run(sl__cli *cli) {
  sl__report r = {.cli = cli};
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
