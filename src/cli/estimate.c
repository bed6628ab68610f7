/* Estimates and their standard errors; the end that fits have in common. */
#include "cli/estimate.h"
#include <math.h>
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
  sl__text_add(text, "%-*s", NAME, name);
  sl__cli_fixed(text, value, DECIMALS, NUMBER);
  if (!isnan(se)) sl__cli_fixed(text, se, DECIMALS, NUMBER);
  sl__text_add(text, "\n");
}

int sl__cli_save_fit(sl__cli *cli, const sl__model *model, int code) {
  const char *path = sl__cli_option(cli, "output")->text;
  if (!path && code == SL__EXIT_INTERRUPTED)
    sl__cli_say(cli, "interrupted, and no -o FILE was given: nothing is saved");
  if (!path) return code;
  const sl_status saved = sl__model_save(cli->context, model, sl__cli_about(cli, path, NULL));
  if (saved != SL_OK) return sl__cli_fail(cli, saved);
  if (code == SL__EXIT_INTERRUPTED) sl__cli_say(cli, "interrupted: the best so far is in %s", path);
  return code;
}

void sl__cli_about_formula(sl__cli *cli, const char *formula) {
  if (cli->context->error.line > 0 && cli->context->error.excerpt[0] == '\0')
    sl__cli_about(cli, "--flow", formula);
}
