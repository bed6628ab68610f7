/* Estimates and their standard errors; the end that fits have in common. */
#include "cli/estimate.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
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

void sl__cli_add_khat(sl__text *text, double khat, double threshold) {
  sl__text_add(text, "%-*s ", NAME - 1, "Pareto k-hat");
  sl__cli_fixed(text, khat, DECIMALS, NUMBER);
  sl__text_add(text,
               khat < threshold ? "  below %.2f: weights of these draws can be relied on\n"
                                : "  not below %.2f: no mean over these draws is to be relied on\n",
               threshold);
}

static bool is_file(const char *path) {
  struct stat about;
  return stat(path, &about) == 0 && S_ISREG(about.st_mode);
}

/* Without the ending of its name. */
static size_t stem_of(const char *path) {
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
  const char *dot = strrchr(name, '.');
  return dot && dot > name ? (size_t)(dot - path) : strlen(path);
}

/* Writing nothing tells of a full device or of one that is closed to us, and nobody at its other
 * end notices. */
static sl_status check_device(sl__cli *cli, const char *path) {
  const int device = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  const bool good = device >= 0 && write(device, "", 0) == 0;
  const int reason = errno;
  if (device >= 0) close(device);
  if (good) return SL_OK;
  return sl__fail(cli->context, SL_IO,
                  "%s: cannot be written: %s; check the folder and the space left", path,
                  strerror(reason));
}

sl_status sl__cli_check_model_file(sl__cli *cli, const char *path) {
  struct stat about;
  if (!path || strcmp(path, "-") == 0) return SL_OK;
  SL__TRY(sl__os_check_out(cli->context, path));
  const bool special = stat(path, &about) == 0 && !S_ISREG(about.st_mode);
  if (special) return S_ISCHR(about.st_mode) ? check_device(cli, path) : SL_OK;
  if (sl__has_ending(path, ".safetensors")) return SL_OK;
  return sl__fail(cli->context, SL_BAD_ARGUMENT,
                  "-o %.300s: a model is a .safetensors file; give -o %.*s.safetensors", path,
                  (int)stem_of(path), path);
}

sl_status sl__cli_unfinished_path(sl__cli *cli, const char *path, char **out) {
  const char *word = is_file(path) ? ".unfinished" : "";
  const size_t stem = stem_of(path);
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
