/* Files of draws for commands: reading, what was passed over, the summary of every parameter. */
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "cli/draws.h"

/* "draws_%d.csv" stands for draws_1.csv, draws_2.csv, ... as far as there are such files. */
static sl_status expand(sl__cli *cli, const char *pattern, const char **paths, int64_t *count,
                        int64_t most) {
  const char *mark = strstr(pattern, "%d");
  if (!mark) {
    paths[(*count)++] = pattern;
    return SL_OK;
  }
  const int64_t before = *count;
  for (int number = 1; *count < most; number++) {
    sl__text text;
    sl__text_open(&text, cli->context);
    sl__text_add_bytes(&text, pattern, (size_t)(mark - pattern));
    sl__text_add(&text, "%d%s", number, mark + 2);
    const char *path = text.failed ? NULL : sl__arena_text(&cli->arena, text.data, text.length);
    sl__text_close(&text);
    if (!path) return SL_NO_MEMORY;
    if (access(path, F_OK) != 0) break;
    paths[(*count)++] = path;
  }
  if (*count > before) return SL_OK;
  return sl__fail(cli->context, SL_IO, "%s: no such file with 1 for %%d; check the name", pattern);
}

static void say_passed_over(const sl__cli *cli, const sl__draws *draws) {
  const char *what = cli->place;
  if (draws->cut) sl__cli_say(cli, "%s: ends in the middle of a row, which was passed over", what);
  if (draws->interrupted) sl__cli_say(cli, "%s: the run was interrupted", what);
  if (draws->warmup > 0)
    sl__cli_say(cli, "%s: %lld draws of warm-up passed over", what, (long long)draws->warmup);
  if (draws->left_out > 0)
    sl__cli_say(cli,
                "%s: chains of unequal length; %lld draws beyond the end of the shortest left out",
                what, (long long)draws->left_out);
}

static sl_status summarise(sl__cli *cli, sl__cli_draws *d) {
  const sl__draws *draws = &d->draws;
  d->rows = sl__arena_take(&cli->arena, (size_t)draws->parameters, sizeof *d->rows);
  if (!d->rows) return SL_NO_MEMORY;
  const sl__series first = sl__cli_series(d, 0);
  return sl__summarise(cli->context, &first, draws->parameters, 1, d->rows);
}

sl_status sl__cli_read_draws(sl__cli *cli, int64_t count, const char *const *patterns,
                             sl__cli_draws *out) {
  enum { MOST = 10000 };
  const char **paths = sl__arena_take(&cli->arena, MOST, sizeof *paths);
  const char *format = sl__cli_option(cli, "format")->text;
  int64_t files = 0;
  *out = (sl__cli_draws){.name = patterns[0]};
  if (!paths) return SL_NO_MEMORY;
  for (int64_t i = 0; i < count && !format; i++)
    SL__TRY(sl__cli_expect_rows(cli, patterns[i], "draws",
                                "`sluice nuts` makes draws of a Stan program with its data"));
  sl__cli_about(cli, patterns[0], NULL);
  for (int64_t i = 0; i < count; i++)
    SL__TRY(expand(cli, patterns[i], paths, &files, MOST - count));
  SL__TRY(sl__draws_read(cli->context, files, paths, format, sl__cli_option(cli, "chains")->integer,
                         &out->draws));
  say_passed_over(cli, &out->draws);
  if (out->draws.parameters == 0)
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "%s: no parameters, only columns of the sampler; is it another file?",
                    patterns[0]);
  SL__TRY(sl__cli_hire(cli));
  return summarise(cli, out);
}

sl__series sl__cli_series(const sl__cli_draws *d, int64_t parameter) {
  const sl__draws *draws = &d->draws;
  return (sl__series){draws->chains, draws->draws, draws->values + parameter,
                      draws->draws * draws->columns, draws->columns};
}

void sl__cli_significant(sl__text *text, double value, int digits, int width) {
  char number[64];
  const double size = fabs(value);
  if (!isfinite(value) || size == 0) {
    sl__format_real(number, value, SL_F32);
  } else if (size < 1e-4 || size >= 1e7) {
    int exponent = (int)floor(log10(size));
    double mantissa = value / pow(10, exponent);
    if (fabs(mantissa) >= 10 - 0.5 * pow(10, 1 - digits)) {
      mantissa /= 10;
      exponent++;
    }
    const int length = sl__format_fixed(number, mantissa, digits - 1);
    snprintf(number + length, sizeof number - (size_t)length, "e%d", exponent);
  } else {
    const int decimals = digits - 1 - (int)floor(log10(size));
    sl__format_fixed(number, value, decimals > 0 ? decimals : 0);
  }
  sl__text_add(text, "%*s", width, number);
}

void sl__cli_json_summary(sl__json *json, const sl__cli_draws *d) {
  sl__json_open_array(json, "parameters");
  for (int64_t i = 0; i < d->draws.parameters; i++) {
    const sl__summary_row *row = &d->rows[i];
    sl__json_open_object(json, NULL);
    sl__json_text(json, "name", d->draws.names[i]);
    sl__json_real(json, "mean", row->mean);
    sl__json_real(json, "mcse_mean", row->mcse_mean);
    sl__json_real(json, "sd", row->sd);
    sl__json_real(json, "mcse_sd", row->mcse_sd);
    sl__json_real(json, "q5", row->q5);
    sl__json_real(json, "q50", row->q50);
    sl__json_real(json, "q95", row->q95);
    sl__json_real(json, "ess_bulk", row->ess_bulk);
    sl__json_real(json, "ess_tail", row->ess_tail);
    sl__json_real(json, "rhat", row->rhat);
    sl__json_close_object(json);
  }
  sl__json_close_array(json);
}
