/* The target of a fit: from the text in the model's file (target/origin.c), or from files that the
 * user names. The text is parsed as any program is; nothing in a model's file makes code run or
 * another file be read. */
#include "cli/fit_target.h"
#include <string.h>
#include "api/handle.h"
#include "cli/target_options.h"
#include "infer/posterior/posterior.h"

static const sl__option_row rows[] = {
    {"model", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "of a fit whose file does not hold it: the Stan program, or the library"},
    {"data", SL__OPTION_TEXT, NULL, 0, 0, NULL, "its data, JSON"},
    {"allow-native", SL__OPTION_BOOL, "false", 0, 0, NULL,
     "run the code of a .so file that has BridgeStan's functions"},
    {"unconstrained", SL__OPTION_BOOL, "false", 0, 0, NULL,
     "of a fit to a model: the flow's own coordinates, not the model's parameters"},
};

const sl__option_row *sl__cli_fit_target_rows(int *count) {
  *count = sizeof rows / sizeof *rows;
  return rows;
}

static sl_status open_target(sl__cli *cli, const sl_flow *flow, const char *place,
                             sl__target **out) {
  const char *file = sl__cli_option(cli, "model")->text;
  const char *origin = flow->model->target;
  if (file) return sl__cli_open_target_file(cli, file, out);
  if (sl__cli_option(cli, "data")->text)
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "--data is of the program that --model gives; add that or leave it out");
  if (!origin) return SL_OK;
  const sl_status status = sl__target_recall(cli->context, origin, out);
  /* its program is no file of the user's, so that a line in it leads nowhere */
  cli->place = NULL;
  if (status == SL_UNSUPPORTED)
    return sl__fail(cli->context, status,
                    "%.200s: the file does not hold the model of the fit; add --model FILE with "
                    "--data FILE, or --unconstrained for the flow's own coordinates",
                    place);
  return status == SL_OK ? SL_OK : sl__fail_prefix(cli->context, "the model in %.200s", place);
}

sl_status sl__cli_fit_target(sl__cli *cli, const sl_flow *flow, const char *place,
                             sl__target **out) {
  *out = NULL;
  SL__TRY(open_target(cli, flow, place, out));
  if (!*out) return SL_OK;
  const sl_status status = sl__posterior_check(cli->context, *out, flow->model);
  if (status == SL_OK) return SL_OK;
  sl__target_free(*out);
  *out = NULL;
  return status;
}

sl_status sl__cli_maybe_fit_target(sl__cli *cli, const sl_flow *flow, const char *place,
                                   sl__target **out) {
  const sl_status status = sl__cli_fit_target(cli, flow, place, out);
  return status == SL_UNSUPPORTED && sl__cli_option(cli, "unconstrained")->integer ? SL_OK : status;
}

bool sl__cli_is_mapped(const sl__cli *cli, const sl__target *target) {
  return target && !target->direct && !sl__cli_option(cli, "unconstrained")->integer;
}

const char *sl__cli_coordinate_name(sl__arena *arena, const sl_flow *flow, const sl__target *target,
                                    int32_t i) {
  static const char before[] = "unconstrained(";
  const char *name = sl_flow_column_name(flow, i);
  const size_t length = strlen(name);
  if (target ? target->direct : !flow->model->target) return sl__arena_text(arena, name, length);
  char *made = sl__arena_take(arena, sizeof before + length + 1, 1);
  if (!made) return NULL;
  memcpy(made, before, sizeof before - 1);
  memcpy(made + sizeof before - 1, name, length);
  made[sizeof before - 1 + length] = ')';
  return made;
}

sl_status sl__cli_part_names(sl__arena *arena, const sl__target *target, sl__target_part last,
                             const char **names) {
  int64_t at = 0;
  for (int part = 0; part <= (int)last; part++)
    for (int32_t i = 0; i < sl__target_count(target, (sl__target_part)part); i++) {
      const char *name = sl__target_name(target, (sl__target_part)part, i);
      names[at] = sl__arena_text(arena, name, strlen(name));
      if (!names[at++]) return SL_NO_MEMORY;
    }
  return SL_OK;
}
