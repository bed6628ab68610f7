/* Files in each other's places: a table where a model is wanted, or where a Stan program is. What is
 * wrong with them is their place, not what a reader of the wrong format would find in them. */
#include <string.h>

#include "cli/cli.h"

typedef enum nature { UNKNOWN, TABLE, DATA, MODEL, PROGRAM } nature;

static nature nature_of(const char *path) {
  static const struct {
    const char *ending;
    nature nature;
  } known[] = {{".csv", TABLE}, {".tsv", TABLE},         {".txt", TABLE},   {".npy", TABLE},
               {".json", DATA}, {".safetensors", MODEL}, {".stan", PROGRAM}};
  const size_t length = strlen(path);
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    const size_t end = strlen(known[i].ending);
    if (length > end && strcmp(path + length - end, known[i].ending) == 0) return known[i].nature;
  }
  return UNKNOWN;
}

sl_status sl__cli_open_model(sl__cli *cli, const char *path, sl_flow **out) {
  const sl_status status = sl_flow_load(cli->context, sl__cli_about(cli, path, NULL), out);
  return sl__cli_judge_model(cli, path, cli->command->name, cli->command->arguments, status);
}

sl_status sl__cli_judge_model(const sl__cli *cli, const char *path, const char *taker,
                              const char *taken, sl_status status) {
  const char *mend;
  if (status != SL_FORMAT) return status;
  switch (nature_of(path)) {
    case TABLE: mend = "`sluice fit` makes a model of a table"; break;
    case PROGRAM: mend = "`sluice vi` makes a model of a Stan program"; break;
    case DATA: mend = "a model is a .safetensors file"; break;
    default: return status;
  }
  return sl__fail(cli->context, SL_BAD_ARGUMENT, "%.300s is no model; %s takes %s, and %s", path,
                  taker, taken, mend);
}

sl_status sl__cli_expect_rows(const sl__cli *cli, const char *path, const char *wanted,
                              const char *mend) {
  const nature is = nature_of(path);
  if (is != DATA && is != PROGRAM) return SL_OK;
  return sl__fail(cli->context, SL_BAD_ARGUMENT, "%.300s is %s, no %s; %s", path,
                  is == DATA ? "data" : "a Stan program", wanted, mend);
}

sl_status sl__cli_expect_program(const sl__cli *cli, const char *path) {
  const char *what, *mend;
  switch (nature_of(path)) {
    case TABLE: what = "a table", mend = "`sluice fit` fits a density to its rows"; break;
    case DATA: what = "data", mend = "give it as --data, behind the .stan file"; break;
    case MODEL: what = "a model that is fitted already", mend = "give the .stan file"; break;
    default: return SL_OK;
  }
  return sl__fail(cli->context, SL_BAD_ARGUMENT, "%.300s is %s, no Stan program; %s", path, what,
                  mend);
}
