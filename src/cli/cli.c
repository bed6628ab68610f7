/* What all subcommands share: option look-up, errors, talk, JSON frame, printing.
 *
 * Results go to standard output and everything else to standard error, so that pipes stay clean. */
#include "cli/cli.h"

#include <stdarg.h>
#include <string.h>

#include "base/pool.h"

static int find_row(const sl__cli *cli, const char *name) {
  for (int i = 0; i < cli->row_count; i++)
    if (strcmp(cli->rows[i].name, name) == 0) return i;
  return -1;
}

bool sl__cli_has(const sl__cli *cli, const char *name) {
  return find_row(cli, name) >= 0;
}

const sl__option_value *sl__cli_option(const sl__cli *cli, const char *name) {
  static const sl__option_value absent = {0};
  int row = find_row(cli, name);
  return row < 0 ? &absent : &cli->values[row];
}

const char *sl__cli_typed(const sl__cli *cli, const char *name) {
  int row = find_row(cli, name);
  return row < 0 ? NULL : cli->texts[row];
}

sl_status sl__cli_hire(sl__cli *cli) {
  int threads = (int)sl__cli_option(cli, "threads")->integer;
  if (threads <= 0) threads = sl__os_cores();
  if (threads == 1 || cli->context->pool) return SL_OK;
  SL__TRY(sl__pool_new(cli->context, threads, &cli->context->pool));
  cli->context->threads = threads;
  return SL_OK;
}

const char *sl__cli_about(sl__cli *cli, const char *place, const char *source) {
  cli->place = strcmp(place, "-") == 0 ? "standard input" : place;
  cli->source = source;
  return place;
}

static int exit_code(sl_status status) {
  switch (status) {
    case SL_OK: return SL__EXIT_DONE;
    case SL_STOPPED: return SL__EXIT_INTERRUPTED;
    case SL_NO_MEMORY:
    case SL_NUMERIC: return SL__EXIT_FAILED;
    default: return SL__EXIT_WRONG;
  }
}

/* The line of the text that was refused, and a caret under the column. */
static void print_caret(const char *source, int line, int column) {
  const char *begin = source;
  for (int i = 1; i < line && begin; i++) {
    begin = strchr(begin, '\n');
    if (begin) begin++;
  }
  if (!begin) return;
  fprintf(stderr, "  %.*s\n  %*s^\n", (int)strcspn(begin, "\n"), begin, column > 0 ? column - 1 : 0,
          "");
}

int sl__cli_fail(const sl__cli *cli, sl_status status) {
  const char *message = cli->context->error.message;
  int line = cli->context->error.line, column = cli->context->error.column;
  fputs("sluice: ", stderr);
  /* Readers put the file's name in front of their messages by themselves. */
  bool named = cli->place && strncmp(message, cli->place, strlen(cli->place)) == 0;
  if (cli->place && line > 0 && !named) {
    fprintf(stderr, "%s:%d:", cli->place, line);
    if (column > 0) fprintf(stderr, "%d:", column);
    fputc(' ', stderr);
  }
  fprintf(stderr, "%s\n", message[0] ? message : sl_status_text(status));
  const char *excerpt = cli->context->error.excerpt;
  if (excerpt[0])
    fprintf(stderr, "%s\n", excerpt);
  else if (cli->source && line > 0)
    print_caret(cli->source, line, column);
  return exit_code(status);
}

int sl__cli_refuse(const sl__cli *cli, const char *format, ...) {
  (void)cli;
  va_list arguments;
  va_start(arguments, format);
  fputs("sluice: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  return SL__EXIT_WRONG;
}

void sl__cli_say(const sl__cli *cli, const char *format, ...) {
  if (cli->quiet) return;
  va_list arguments;
  if (cli->drawn) fputs("\r\033[K", stderr);
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
}

void sl__cli_json_open(const sl__cli *cli, sl__text *text, sl__json *json) {
  sl__text_open(text, cli->context);
  *json = (sl__json){.text = text};
  sl__json_open_object(json, NULL);
  sl__json_text(json, "command", cli->command->name);
  sl__json_text(json, "version", sl_version_text());
  sl__json_integer(json, "seed", (int64_t)cli->seed);
}

int sl__cli_json_close(const sl__cli *cli, sl__text *text, sl__json *json) {
  sl__json_real(json, "seconds", sl__os_seconds() - cli->start);
  sl__json_close_object(json);
  sl__text_add(text, "\n");
  return sl__cli_print(cli, text);
}

void sl__cli_json_rows(sl__json *json, const char *key, int64_t rows, int64_t columns,
                       int64_t stride, const double *values) {
  sl__json_open_array(json, key);
  for (int64_t row = 0; row < rows; row++) {
    sl__json_open_array(json, NULL);
    for (int64_t column = 0; column < columns; column++)
      sl__json_real(json, NULL, values[row * stride + column]);
    sl__json_close_array(json);
  }
  sl__json_close_array(json);
}

int sl__cli_print(const sl__cli *cli, sl__text *text) {
  int code = SL__EXIT_DONE;
  if (text->failed) {
    code = sl__cli_fail(cli, SL_NO_MEMORY);
  } else if (text->length > 0 && (fwrite(text->data, 1, text->length, stdout) != text->length ||
                                  fflush(stdout) != 0)) {
    fputs("sluice: standard output cannot be written; is the disk full, or the reader gone?\n",
          stderr);
    code = SL__EXIT_FAILED;
  }
  sl__text_close(text);
  return code;
}

void sl__cli_fixed(sl__text *text, double value, int decimals, int width) {
  char number[64];
  sl__format_fixed(number, value, decimals);
  sl__text_add(text, "%*s", width, number);
}
