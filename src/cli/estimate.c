/* Estimates and their standard errors; the end that fits have in common. */
#include "cli/estimate.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "flow/model.h"

enum { NAME = 36, NUMBER = 12, DECIMALS = 4 };

void sl__cli_json_estimate(sl__json *json, const char *key, double value, double se) {
  sl__json_open_object(json, key);
  sl__json_real(json, "value", value);
  sl__json_real(json, "se", se);
  sl__json_close_object(json);
}

void sl__cli_add_estimate_heads(sl__text *text) {
  sl__text_add(text, "%-*s%*s%*s\n", NAME, "nats", NUMBER, "value", NUMBER, "std. error");
}

void sl__cli_add_estimate(sl__text *text, const char *name, double value, double se) {
  sl__text_add(text, "%-*s ", NAME - 1, name); /* the widest numbers stay apart as well */
  sl__cli_fixed(text, value, DECIMALS, NUMBER);
  if (!isnan(se)) {
    sl__text_add(text, " ");
    sl__cli_fixed(text, se, DECIMALS, NUMBER - 1);
  }
  sl__text_add(text, "\n");
}

static bool is_file(const char *path) {
  struct stat about;
  return stat(path, &about) == 0 && S_ISREG(about.st_mode);
}

sl_status sl__cli_unfinished_path(sl__cli *cli, const char *path, char **out) {
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
  const char *dot = strrchr(name, '.'), *word = is_file(path) ? ".unfinished" : "";
  const size_t stem = dot && dot > name ? (size_t)(dot - path) : strlen(path);
  const size_t length = strlen(path) + strlen(word) + 1;
  *out = sl__allocate(cli->context, length, 1);
  if (!*out) return SL_NO_MEMORY;
  snprintf(*out, length, "%.*s%s%s", (int)stem, path, word, path + stem);
  return SL_OK;
}

void sl__cli_say_unfinished(sl__cli *cli, const char *what, const char *place, const char *path) {
  if (strcmp(place, path) == 0)
    sl__cli_say(cli, "%s is in %s", what, place);
  else
    sl__cli_say(cli, "%s is in %s; %s is as it was", what, place, path);
}

static int save_unfinished(sl__cli *cli, const sl__model *model, const char *path, int code) {
  char *place;
  sl_status saved = sl__cli_unfinished_path(cli, path, &place);
  if (saved != SL_OK) return sl__cli_fail(cli, saved);
  saved = sl__model_save(cli->context, model, sl__cli_about(cli, place, NULL));
  const bool interrupted = code == SL__EXIT_INTERRUPTED;
  if (saved != SL_OK)
    code = sl__cli_fail(cli, saved);
  else
    sl__cli_say_unfinished(
        cli, interrupted ? "interrupted: the best so far" : "not finished: the best so far", place,
        path);
  cli->place = NULL;
  sl__free(&cli->context->allocator, place);
  return code;
}

int sl__cli_save_fit(sl__cli *cli, const sl__model *model, int code) {
  const char *path = sl__cli_option(cli, "output")->text;
  if (!path && code == SL__EXIT_INTERRUPTED)
    sl__cli_say(cli, "interrupted, and no -o FILE was given: nothing is saved");
  if (!path) return code;
  if (code != SL__EXIT_DONE) return save_unfinished(cli, model, path, code);
  const sl_status saved = sl__model_save(cli->context, model, sl__cli_about(cli, path, NULL));
  return saved == SL_OK ? code : sl__cli_fail(cli, saved);
}

void sl__cli_about_formula(sl__cli *cli, const char *formula) {
  if (cli->context->error.line > 0 && cli->context->error.excerpt[0] == '\0')
    sl__cli_about(cli, "--flow", formula);
}
