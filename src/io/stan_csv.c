/* Reading Stan CSV: comment lines that begin with '#', a line of column names, rows. Of the
 * comments a few settings are used; they may stand anywhere. Rows before "Adaptation terminated" are
 * warm-up, unless the settings say that none was saved (programs that call Stan's services
 * themselves write no settings at all, but that line). Where it was saved and the line is missing,
 * as a run that was killed never came to it, the first num_warmup / thin of them are.
 *
 * A run that was killed leaves a last line without an end, whose last number may be cut short: it
 * is passed over and .cut says so. A row takes at least two bytes per field, so memory is bounded
 * by the file's length. */
#include "io/draws.h"
#include <stdio.h>
#include <string.h>

enum { SHOWN_OF_FIELD = 40, MOST_TRAJECTORIES = 1000000 };

typedef struct reader {
  sl_context *context;
  const char *at, *end;         /* of what is unread */
  int64_t line;                 /* 1-based, of the line last taken */
  bool save_warmup, only_draws; /* both false until a setting says which */
  bool adapted, fixed;          /* fixed: the algorithm without a warm-up */
  int64_t num_warmup;           /* -1: not said */
  double delta;                 /* of the settings; 0: not said */
  int64_t rows, room;
  sl__draws *out;
} reader;

typedef struct span {
  const char *begin, *end; /* without the line's end */
  bool whole;              /* the line has an end */
} span;

static sl_status refuse(const reader *in, const span *line, const char *place, const char *what) {
  const int64_t column = place - line->begin + 1;
  const int64_t number = in->line > 0 ? in->line : 1; /* of an empty file */
  return sl__fail_at(in->context, SL_FORMAT, number < INT32_MAX ? (int)number : INT32_MAX,
                     column < INT32_MAX ? (int)column : INT32_MAX, "%s", what);
}

static bool take_line(const char **at, const char *end, span *line) {
  if (*at == end) return false;
  const char *stop = memchr(*at, '\n', (size_t)(end - *at));
  *line = (span){*at, stop ? stop : end, stop != NULL};
  *at = stop ? stop + 1 : end;
  if (line->end > line->begin && line->end[-1] == '\r') line->end--;
  return true;
}

static bool is_comment(const span *line) {
  return line->begin < line->end && *line->begin == '#';
}

static bool is_blank(const span *line) {
  for (const char *at = line->begin; at < line->end; at++)
    if (*at != ' ' && *at != '\t') return false;
  return true;
}

static const char *field_end(const char *at, const char *end) {
  const char *comma = memchr(at, ',', (size_t)(end - at));
  return comma ? comma : end;
}

static bool ends_in_underscores(const char *begin, const char *end) {
  return end - begin > 2 && end[-1] == '_' && end[-2] == '_';
}

static bool names_sampler_column(const span *line) {
  for (const char *at = line->begin; at <= line->end;) {
    const char *end = field_end(at, line->end);
    if (ends_in_underscores(at, end)) return true;
    at = end + 1;
  }
  return false;
}

bool sl__is_stan_csv(const char *bytes, size_t length) {
  const char *at = bytes, *end = bytes + length;
  span line;
  while (take_line(&at, end, &line))
    if (!is_comment(&line) && !is_blank(&line)) return names_sampler_column(&line);
  return false;
}

/* ---- comments ---- */

/* Whether a comment reads "KEY = VALUE ..."; then *value is where the value begins. */
static bool setting(const span *line, const char *key, const char **value) {
  const char *at = line->begin + 1;
  const size_t length = strlen(key);
  while (at < line->end && *at == ' ') at++;
  if ((size_t)(line->end - at) < length || memcmp(at, key, length) != 0) return false;
  at += length;
  while (at < line->end && *at == ' ') at++;
  if (at == line->end || *at++ != '=') return false;
  while (at < line->end && *at == ' ') at++;
  *value = at;
  return at < line->end;
}

static bool begins(const span *line, const char *text) {
  const size_t length = strlen(text);
  return (size_t)(line->end - line->begin) >= length && memcmp(line->begin, text, length) == 0;
}

/* A share of acceptance that can be aimed at; what is none says nothing. */
static void read_share(const char *at, const char *end, double *share) {
  double number;
  if (sl__parse_real(at, end, &number) && number > 0 && number < 1) *share = number;
}

/* "# Adaptation terminated; trajectories 8, acceptance 0.95". What is no such count says nothing. */
static void read_adaptation(reader *in, const span *line) {
  static const char before[] = "# Adaptation terminated; trajectories ",
                    between[] = ", acceptance ";
  int64_t count;
  in->adapted = true;
  if (!in->only_draws) {
    in->out->warmup += in->rows;
    in->rows = 0;
  }
  if (!begins(line, before)) return;
  const char *at = line->begin + sizeof before - 1, *end = field_end(at, line->end);
  if (sl__parse_integer(at, end, &count) && count >= 1 && count <= MOST_TRAJECTORIES &&
      count > in->out->trajectories)
    in->out->trajectories = count;
  const span rest = {end, line->end, true};
  if (begins(&rest, between))
    read_share(end + sizeof between - 1, line->end, &in->out->adapt_delta);
}

static void read_comment(reader *in, const span *line) {
  const char *value;
  int64_t number;
  if (setting(line, "save_warmup", &value)) {
    in->save_warmup = *value == '1' || *value == 't';
    in->only_draws = !in->save_warmup;
  }
  if (setting(line, "max_depth", &value) && sl__parse_integer(value, line->end, &number) &&
      number >= 0)
    in->out->max_treedepth = number;
  if (setting(line, "num_warmup", &value) && sl__parse_integer(value, line->end, &number) &&
      number >= 0)
    in->num_warmup = number;
  if (setting(line, "thin", &value) && sl__parse_integer(value, line->end, &number) && number > 0)
    in->out->thin = number;
  if (setting(line, "delta", &value)) read_share(value, line->end, &in->delta);
  if (setting(line, "algorithm", &value)) in->fixed = *value == 'f'; /* fixed_param */
  if (begins(line, "# Adaptation terminated")) read_adaptation(in, line);
  if (setting(line, "precondition", &value)) in->out->preconditioned = true;
  if (setting(line, "jumps", &value)) in->out->jumped = *value != '0';
  if (setting(line, "halvings", &value)) in->out->halves = *value != '0';
  if (begins(line, "# Interrupted")) in->out->interrupted = true;
}

/* Passes over the warm-up of a file that does not say where it ended. */
static void drop_warmup(reader *in) {
  if (!in->save_warmup || in->adapted || in->fixed) return;
  sl__draws *out = in->out;
  const int64_t thin = out->thin > 1 ? out->thin : 1;
  const int64_t saved = in->num_warmup < 0 || in->num_warmup / thin >= in->rows
                            ? in->rows
                            : in->num_warmup / thin + (in->num_warmup % thin > 0);
  out->warmup += saved;
  in->rows -= saved;
  memmove(out->values, out->values + saved * out->columns,
          (size_t)(in->rows * out->columns) * sizeof *out->values);
}

/* ---- names ---- */

/* Stan's names hold no dots, so what follows one is an index. */
char *sl__draws_name(sl__arena *arena, const char *begin, const char *end) {
  const size_t length = (size_t)(end - begin);
  const char *dot = memchr(begin, '.', length);
  char *name = sl__arena_take(arena, length + 2, 1);
  if (!name) return NULL;
  memcpy(name, begin, length);
  for (const char *at = dot; dot && at < end; at++)
    if ((*at < '0' || *at > '9') && *at != '.') dot = NULL;
  if (!dot || end[-1] == '.') return name;
  for (size_t i = (size_t)(dot - begin); i < length; i++)
    if (name[i] == '.') name[i] = ',';
  name[dot - begin] = '[';
  name[length] = ']';
  return name;
}

static sl_status read_names(reader *in, const span *line) {
  sl__draws *out = in->out;
  out->columns = 1;
  for (const char *at = line->begin; at < line->end; at++) out->columns += *at == ',';
  out->names = sl__arena_take(&out->arena, (size_t)out->columns, sizeof *out->names);
  if (!out->names) return SL_NO_MEMORY;
  const char *at = line->begin;
  for (int64_t i = 0; i < out->columns; i++) {
    const char *end = field_end(at, line->end);
    /* R and pandas number the rows in front */
    if (end == at && i == 0 && out->columns > 1) {
      out->names[i] = sl__arena_text(&out->arena, "column1", strlen("column1"));
      if (!out->names[i]) return SL_NO_MEMORY;
      at = end + 1;
      continue;
    }
    if (end == at) return refuse(in, line, at, "a column without a name; give it one");
    if (memchr(at, '\0', (size_t)(end - at)))
      return refuse(in, line, at, "a NUL byte in a column name; this is not a text file");
    out->names[i] = sl__draws_name(&out->arena, at, end);
    if (!out->names[i]) return SL_NO_MEMORY;
    at = end + 1;
  }
  return SL_OK;
}

/* ---- rows ---- */

static sl_status refuse_field(const reader *in, const span *line, const char *at, const char *end) {
  char shown[SHOWN_OF_FIELD + 1], message[160];
  size_t length = (size_t)(end - at) < SHOWN_OF_FIELD ? (size_t)(end - at) : SHOWN_OF_FIELD;
  for (size_t i = 0; i < length; i++) shown[i] = at[i] >= ' ' && at[i] < 0x7F ? at[i] : '?';
  shown[length] = '\0';
  snprintf(message, sizeof message, "'%s' is not a number; is the file damaged?", shown);
  return refuse(in, line, at, message);
}

static sl_status read_row(const reader *in, const span *line, double *row) {
  const char *at = line->begin;
  char message[160];
  for (int64_t i = 0; i < in->out->columns; i++) {
    if (at > line->end) {
      snprintf(message, sizeof message,
               "the row has %lld fields where the header has %lld; is the file damaged?",
               (long long)i, (long long)in->out->columns);
      return refuse(in, line, line->end, message);
    }
    const char *end = field_end(at, line->end);
    if (sl__parse_real(at, end, &row[i]) != end) return refuse_field(in, line, at, end);
    at = end + 1;
  }
  if (at <= line->end) {
    snprintf(message, sizeof message,
             "the row has more than the header's %lld fields; is the file damaged?",
             (long long)in->out->columns);
    return refuse(in, line, at, message);
  }
  return SL_OK;
}

static sl_status read_line(reader *in, const span *line) {
  sl__draws *out = in->out;
  if (is_comment(line)) {
    read_comment(in, line);
    return SL_OK;
  }
  if (is_blank(line)) return SL_OK;
  if (!out->names) {
    SL__TRY(read_names(in, line));
    /* Each row that is left takes a digit and a separator or line end per field. */
    in->room = (in->end - in->at) / (2 * out->columns) + 1;
    out->values =
        sl__arena_take(&out->arena, (size_t)in->room, (size_t)out->columns * sizeof *out->values);
    return out->values ? SL_OK : SL_NO_MEMORY;
  }
  if (!line->whole) {
    out->cut = true;
    return SL_OK;
  }
  if (in->rows == in->room)
    return refuse(in, line, line->begin, "more rows than the file can hold");
  SL__TRY(read_row(in, line, out->values + in->rows * out->columns));
  in->rows++;
  return SL_OK;
}

sl_status sl__draws_parse_stan(sl_context *context, const char *bytes, size_t length,
                               sl__draws *out) {
  *out = (sl__draws){.max_treedepth = -1};
  sl__arena_open(&out->arena, context);
  reader in = {
      .context = context, .at = bytes, .end = bytes + length, .num_warmup = -1, .out = out};
  span line = {bytes, bytes, false};
  sl_status status = SL_OK;
  while (status == SL_OK && take_line(&in.at, in.end, &line)) {
    in.line++;
    status = read_line(&in, &line);
  }
  if (status == SL_OK && in.rows > 0) drop_warmup(&in);
  if (status == SL_OK && in.rows == 0)
    status = refuse(&in, &line, line.begin,
                    out->warmup > 0 ? "warm-up but no draws; let the run go on"
                                    : "no draws; did the run fail before its first?");
  if (status != SL_OK) {
    sl__draws_close(out);
    return status;
  }
  out->chains = 1;
  out->draws = in.rows;
  if (out->adapt_delta == 0) out->adapt_delta = in.delta;
  return SL_OK;
}
