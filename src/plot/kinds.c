/* The registry of kinds, from kinds.def; what each wants; and drawing one. */
#include <string.h>
#include "base/os.h"
#include "plot/figure.h"

#define KIND(name, line) extern const sl__plot_kind sl__plot_kind_##name;
#include "plot/kinds.def"
#undef KIND

const sl__plot_kind *const *sl__plot_kinds(int *count) {
#define KIND(name, line) &sl__plot_kind_##name,
  static const sl__plot_kind *const kinds[] = {
#include "plot/kinds.def"
  };
#undef KIND
  *count = sizeof kinds / sizeof *kinds;
  return kinds;
}

const sl__plot_kind *sl__plot_kind_find(const char *name) {
  int count;
  const sl__plot_kind *const *kinds = sl__plot_kinds(&count);
  for (int i = 0; i < count; i++)
    if (strcmp(kinds[i]->name, name) == 0) return kinds[i];
  return NULL;
}

/* ---- what a kind wants ---- */

static bool is_plane(const sl_flow *flow) {
  return flow && sl_flow_dim(flow) == 2 && sl_flow_features(flow) == 2;
}

sl_status sl__plot_check(const sl__plot *plot, const sl__plot_kind *kind) {
  const struct {
    uint32_t bit;
    bool given;
    const char *what;
  } wants[] = {
      {SL__PLOT_WANTS_FLOW, plot->flow != NULL, "a fitted model; give m.safetensors"},
      {SL__PLOT_WANTS_PLANE, is_plane(plot->flow), "a model of two columns; fit two of them"},
      {SL__PLOT_WANTS_DATA, plot->data != NULL, "rows beside the model; add --data rows.csv"},
      {SL__PLOT_WANTS_TARGET, plot->target != NULL,
       "the target that the model was fitted to; name it after the model, or by --target"},
      {SL__PLOT_WANTS_SETS, plot->set_count > 0, "rows or draws; give draws.csv"},
      {SL__PLOT_WANTS_CHAINS, plot->set_count > 0 && plot->sets[0].chains > 0,
       "draws of chains; give the file that `sluice nuts -o` wrote"},
      {SL__PLOT_WANTS_TABLE, plot->table != NULL, "a table of numbers; give a CSV file"},
  };
  for (int k = 0; k < 4; k++)
    if (plot->ends[k / 2][k % 2].set && !(kind->wants & SL__PLOT_ONE_PANEL))
      return sl__fail(plot->context, SL_BAD_ARGUMENT,
                      "a figure of --kind %s has several panels, and --xrange and --yrange choose "
                      "the axes of one; leave them out, or choose columns by --columns",
                      kind->name);
  for (size_t i = 0; i < sizeof wants / sizeof *wants; i++)
    if ((kind->wants & wants[i].bit) && !wants[i].given)
      return sl__fail(plot->context, SL_BAD_ARGUMENT, "--kind %s needs %s", kind->name,
                      wants[i].what);
  return SL_OK;
}

/* ---- drawing ---- */

static sl_status refuse_range(const sl__plot *plot, sl__range range) {
  char low[32], high[32];
  sl__format_real(low, range.low, SL_F64);
  sl__format_real(high, range.high, SL_F64);
  return sl__fail(
      plot->context, SL_BAD_ARGUMENT,
      "an axis from %s to %s cannot be drawn; choose its ends by --xrange and --yrange, "
      "or other rows",
      low, high);
}

sl_status sl__plot_script(const sl__plot *plot, const sl__plot_kind *kind, char **script,
                          size_t *length) {
  sl__figure figure;
  *script = NULL;
  *length = 0;
  SL__TRY(sl__plot_check(plot, kind));
  sl__figure_begin(&figure, plot, kind);
  sl_status status = kind->draw(plot, &figure);
  sl__figure_end(&figure);
  if (status == SL_OK && figure.unbounded) status = refuse_range(plot, figure.bad);
  if (status == SL_OK && figure.script.failed)
    status = sl__fail(plot->context, SL_NO_MEMORY, "no memory for the figure; draw fewer rows");
  if (status != SL_OK) {
    sl__text_close(&figure.script);
    return status;
  }
  *script = figure.script.data; /* a text's memory is the context's */
  *length = figure.script.length;
  return SL_OK;
}

sl_status sl__plot_run(sl_context *context, const char *script, size_t script_length, char **bytes,
                       size_t *length) {
  /* -d: no start-up files of the user's */
  static const char *const words[] = {"gnuplot", "-d", "-", NULL};
  sl__os_program program = {.words = words, .input = script, .input_length = script_length};
  *bytes = NULL;
  *length = 0;
  sl_status status = sl__os_run(context, &program);
  if (status == SL_UNSUPPORTED)
    return sl__fail(context, SL_UNSUPPORTED,
                    "gnuplot, which draws the figures, is not installed; on Debian or Ubuntu: "
                    "sudo apt install gnuplot-nox");
  if (status == SL_OK && program.output_length == 0) {
    sl__free(&context->allocator, program.output);
    status =
        sl__fail(context, SL_IO, "gnuplot drew nothing: %.400s; try another format", program.said);
  }
  if (status != SL_OK) return status;
  *bytes = program.output;
  *length = program.output_length;
  return SL_OK;
}

sl_status sl__plot_draw(const sl__plot *plot, const sl__plot_kind *kind, char **bytes,
                        size_t *length) {
  char *script;
  size_t script_length;
  *bytes = NULL;
  *length = 0;
  SL__TRY(sl__plot_script(plot, kind, &script, &script_length));
  const sl_status status = sl__plot_run(plot->context, script, script_length, bytes, length);
  sl__free(&plot->context->allocator, script);
  return status;
}
