/* sluice plot: figures of models, draws, data and targets, drawn by gnuplot. */
#include <math.h>
#include <string.h>
#include "cli/figures.h"

static const sl__option_row options[] = {
    {"output", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "file to write: .png, .svg, .pdf, or .gp for gnuplot's script; else in the terminal"},
    {"kind", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "kind of figure; what the files are decides if it is not given"},
    {"data", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "rows to draw over a model; of a Stan program, its data, JSON"},
    {"columns", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "the columns to draw, by name, number or range, \"mu, theta[1], 4..6\""},
    {"grid", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "write the numbers of a density to this table, and draw nothing"},
    {"show", SL__OPTION_BOOL, "false", 0, 0, NULL, "draw in the terminal, in characters"},
    {"terminal", SL__OPTION_CHOICE, "text", 0, 0, "text|sixel", "what the terminal can show"},
    {"title", SL__OPTION_TEXT, NULL, 0, 0, NULL, "above the figure, instead of the file's name"},
    {"width", SL__OPTION_INT, NULL, 20, 20000, NULL, "pixels; in a terminal, characters"},
    {"height", SL__OPTION_INT, NULL, 10, 20000, NULL, "pixels; in a terminal, characters"},
    {"xrange", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "part of the x axis to draw, A:B; an end left out is the figure's own"},
    {"yrange", SL__OPTION_TEXT, NULL, 0, 0, NULL, "part of the y axis to draw, A:B"},
    {"context", SL__OPTION_TEXT, NULL, 0, 0, NULL, "file with the condition, one row"},
    {"context-value", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "of a conditional model, the condition that is drawn, \"dose=0.5\""},
    {"chains", SL__OPTION_INT, NULL, 1, 1e6, NULL,
     "cut the rows of one file without chain__ into N chains"},
    {"target", SL__OPTION_TEXT, NULL, 0, 0, NULL, "a standard target, pot1, funnel, ..."},
    {"density", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "a log density in Stan's grammar, \"-(x^2-y)^2 - 0.5*y^2\""},
    {"dim", SL__OPTION_TEXT, NULL, 0, 0, NULL, "the names of its coordinates, \"x,y\""},
    {"unconstrained", SL__OPTION_BOOL, "false", 0, 0, NULL,
     "of a fit to a Stan program: the flow's own coordinates"},
    {"allow-native", SL__OPTION_BOOL, "false", 0, 0, NULL,
     "run the code of a .so file that has BridgeStan's functions"},
};

/* Where the figure goes, by the name of its file. */
typedef struct request {
  const char *path; /* NULL: standard output */
  const char *grid;
  sl__plot_format format;
  bool script;
} request;

static sl_status read_request(sl__cli *cli, request *r) {
  static const struct {
    const char *ending;
    sl__plot_format format;
  } formats[] = {{".png", SL__PLOT_PNG}, {".svg", SL__PLOT_SVG}, {".pdf", SL__PLOT_PDF}};
  *r = (request){.path = sl__cli_option(cli, "output")->text,
                 .grid = sl__cli_option(cli, "grid")->text,
                 .format = SL__PLOT_TEXT};
  const bool show = sl__cli_option(cli, "show")->integer != 0;
  if (strcmp(sl__cli_option(cli, "terminal")->text, "sixel") == 0) r->format = SL__PLOT_SIXEL;
  if (r->grid && (r->path || show))
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "--grid writes numbers instead of a figure; leave -o and --show out");
  if (r->path && show)
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "-o and --show are both where the figure goes; choose one");
  if (!r->path) return SL_OK;
  if (sl__has_ending(r->path, ".gp")) {
    r->script = true;
    r->format = SL__PLOT_PNG;
    return SL_OK;
  }
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
    if (sl__has_ending(r->path, formats[i].ending)) {
      r->format = formats[i].format;
      return sl__os_check_out(cli->context, r->path);
    }
  return sl__fail(cli->context, SL_BAD_ARGUMENT,
                  "%s: a figure is .png, .svg or .pdf, and .gp is gnuplot's script; name it so",
                  r->path);
}

/* "A:B", "A:" or ":B"; numbers as in data, gnuplot's '*' for an end that is left out. */
static sl_status read_range(sl__cli *cli, const char *option, sl__plot_end ends[2]) {
  const char *text = sl__cli_option(cli, option)->text;
  if (!text) return SL_OK;
  const char *colon = strchr(text, ':'), *end = text + strlen(text);
  bool good = colon != NULL;
  for (int k = 0; k < 2 && good; k++) {
    const char *from = k == 0 ? text : colon + 1, *to = k == 0 ? colon : end;
    if (from == to || (to == from + 1 && *from == '*')) continue;
    good = sl__parse_real(from, to, &ends[k].value) == to && isfinite(ends[k].value);
    ends[k].set = true;
  }
  if (good && (!ends[0].set || !ends[1].set || ends[0].value < ends[1].value)) return SL_OK;
  return sl__fail(cli->context, SL_BAD_ARGUMENT,
                  "--%s %.40s is no range; write the lower end, a colon and the upper end, -2:3.5",
                  option, text);
}

static sl_status find_kind(sl__cli *cli, const char *name, const sl__plot_kind **out) {
  int count;
  const sl__plot_kind *const *kinds = sl__plot_kinds(&count);
  const char *names[32];
  *out = sl__plot_kind_find(name);
  if (*out) return SL_OK;
  sl__text list;
  sl__text_open(&list, cli->context);
  for (int i = 0; i < count; i++) {
    names[i] = kinds[i]->name;
    sl__text_add(&list, "%s%s", i > 0 ? ", " : "", kinds[i]->name);
  }
  const char *near = sl__nearest_name(name, names, count);
  const sl_status status =
      near ? sl__fail(cli->context, SL_BAD_ARGUMENT,
                      "there is no kind of figure \"%.60s\"; did you mean %s?", name, near)
           : sl__fail(cli->context, SL_BAD_ARGUMENT,
                      "there is no kind of figure \"%.60s\"; there are %s", name,
                      list.failed ? "" : list.data);
  sl__text_close(&list);
  return status;
}

static sl_status write_grid(sl__cli *cli, const sl__plot *plot, const sl__plot_kind *kind,
                            const char *path) {
  sl__plot_set table;
  if (!kind->numbers)
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "--grid writes the numbers of a density, not of --kind %s; leave one out",
                    kind->name);
  if (plot->set_count > 0 && plot->sets[0].columns > 2)
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "--grid is of the density of one or two columns, and there are %d; choose one "
                    "or two columns with --columns",
                    (int)plot->sets[0].columns);
  SL__TRY(sl__plot_check(plot, kind));
  SL__TRY(kind->numbers(plot, &cli->arena, &table));
  return sl__table_write(cli->context, sl__cli_about(cli, path, NULL), NULL, table.rows,
                         table.columns, SL_F64, table.values, table.names);
}

static sl_status write_figure(sl__cli *cli, const sl__plot *plot, const sl__plot_kind *kind,
                              const request *r) {
  char *bytes;
  size_t length;
  SL__TRY(r->script ? sl__plot_script(plot, kind, &bytes, &length)
                    : sl__plot_draw(plot, kind, &bytes, &length));
  const int64_t left_out = kind->left_out ? kind->left_out(plot) : 0;
  if (left_out > 0)
    sl__cli_say(cli, "a figure of --kind %s has no room for the last %lld, which are left out",
                kind->name, (long long)left_out);
  const sl_status status = sl__os_write_file(cli->context, r->path ? r->path : "-", bytes, length);
  sl__free(&cli->context->allocator, bytes);
  return status;
}

static sl_status draw(sl__cli *cli, sl__cli_figures *f, const request *r,
                      const sl__plot_kind **kind) {
  const char *wanted = sl__cli_option(cli, "kind")->text;
  if (wanted) SL__TRY(find_kind(cli, wanted, kind));
  SL__TRY(sl__cli_figures_read(cli, wanted, f));
  SL__TRY(sl__cli_figures_choose(cli, f));
  SL__TRY(sl__cli_hire(cli));
  if (!wanted)
    SL__TRY(find_kind(cli, r->grid && f->count > 0 ? "density" : sl__cli_figures_kind(f), kind));
  if (sl__cli_option(cli, "columns")->text && !((*kind)->wants & SL__PLOT_OF_COLUMNS))
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "a figure of --kind %s is not of chosen columns; leave --columns out",
                    (*kind)->name);
  sl__plot plot = f->plot;
  const int64_t width = sl__cli_option(cli, "width")->integer;
  const int64_t height = sl__cli_option(cli, "height")->integer;
  plot.title = sl__cli_option(cli, "title")->text;
  plot.format = r->format;
  plot.width = width > 0                    ? (int)width
               : r->format == SL__PLOT_TEXT ? sl__os_terminal_width() - 1
                                            : 0;
  plot.height = height > 0 ? (int)height : 0;
  SL__TRY(read_range(cli, "xrange", plot.ends[0]));
  SL__TRY(read_range(cli, "yrange", plot.ends[1]));
  sl__cli_figures_fit(f, *kind, &plot);
  return r->grid ? write_grid(cli, &plot, *kind, r->grid) : write_figure(cli, &plot, *kind, r);
}

static int print_json(sl__cli *cli, const request *r, const sl__plot_kind *kind) {
  sl__text text;
  sl__json json;
  sl__cli_json_open(cli, &text, &json);
  sl__json_text(&json, "kind", kind->name);
  sl__json_text(&json, "output", r->grid ? r->grid : r->path);
  return sl__cli_json_close(cli, &text, &json);
}

static int run(sl__cli *cli) {
  request r;
  sl__cli_figures figures = {0};
  const sl__plot_kind *kind = NULL;
  sl_status status = read_request(cli, &r);
  if (status == SL_OK && cli->json && !r.path && !r.grid)
    status = sl__fail(cli->context, SL_BAD_ARGUMENT,
                      "a figure in the terminal and --json both want standard output; add -o FILE");
  if (status == SL_OK) status = draw(cli, &figures, &r, &kind);
  const int code = status != SL_OK ? sl__cli_fail(cli, status)
                   : cli->json     ? print_json(cli, &r, kind)
                                   : SL__EXIT_DONE;
  sl__cli_figures_close(&figures);
  return code;
}

const sl__command sl__command_plot = {
    .name = "plot",
    .arguments = "FILE...",
    .summary = "draw a model, draws, data or a target as PNG, SVG, PDF or in the terminal",
    .details =
        "FILE is a model, draws, a table of rows, a .stan program, or what --track recorded;\n"
        "several files of rows are drawn over each other. gnuplot does the drawing. Kinds:\n"
#define KIND(name, line) "  " line "\n"
#include "plot/kinds.def"
#undef KIND
    ,
    .examples = "  sluice plot m.safetensors --data rows.csv -o density.png\n"
                "  sluice plot draws.csv q.safetensors -o corner.pdf\n"
                "  sluice plot m.safetensors --kind loss -o loss.svg\n"
                "  sluice plot --target pot1 --show\n"
                "  sluice plot draws.csv --kind trace --columns 'mu, tau' -o trace.png\n"
                "  sluice plot m.safetensors --grid density.csv\n",
    .minimum = 0,
    .maximum = 8,
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .run = run,
};
