/* Conditions that are given aside, not as columns of the data: --context FILE, or --context-value
 * "age=40, dose=0.5", one condition for all rows. */
#include <math.h>
#include <string.h>

#include "api/handle.h"
#include "cli/cli.h"

/* What --context-value is read against: the model's conditions, and which have been given. */
typedef struct reading {
  sl__cli *cli;
  int32_t count;
  const char **names; /* [count] */
  double *values;     /* [count] */
  bool *given;        /* [count] */
} reading;

/* A piece of the option's text. */
typedef struct piece {
  const char *begin;
  size_t length;
} piece;

static piece trim(piece p) {
  while (p.length > 0 && strchr(" \t", p.begin[p.length - 1])) p.length--;
  for (; p.length > 0 && strchr(" \t", *p.begin); p.length--) p.begin++;
  return p;
}

static bool is_text(piece p, const char *text) {
  return strlen(text) == p.length && strncmp(text, p.begin, p.length) == 0;
}

/* Whether condition i is read from the column `source`. */
static bool is_of(const reading *r, int32_t i, piece source) {
  return sl__cli_source_length(r->names[i]) == source.length &&
         strncmp(r->names[i], source.begin, source.length) == 0;
}

static sl_status read_label(const reading *r, piece source, piece label) {
  bool known = false;
  if (label.length > 1 && *label.begin == '"' && label.begin[label.length - 1] == '"')
    label = (piece){label.begin + 1, label.length - 2};
  for (int32_t i = 0; i < r->count; i++) {
    if (!is_of(r, i, source)) continue;
    const bool is = is_text(label, sl__cli_label_of(r->names[i]));
    r->values[i] = is;
    r->given[i] = true;
    known |= is;
  }
  if (known) return SL_OK;
  sl__text labels;
  sl__text_open(&labels, r->cli->context);
  sl__cli_list_labels(&labels, r->count, r->names, source.begin, source.length);
  sl_status status =
      labels.failed
          ? SL_NO_MEMORY
          : sl__fail(r->cli->context, SL_BAD_ARGUMENT,
                     "--context-value: the model knows no \"%.*s\" as \"%.*s\"; it knows %s",
                     (int)label.length, label.begin, (int)source.length, source.begin, labels.data);
  sl__text_close(&labels);
  return status;
}

static sl_status read_number(const reading *r, int32_t condition, piece name, piece value) {
  double *to = &r->values[condition];
  const char *stop = sl__parse_real(value.begin, value.begin + value.length, to);
  r->given[condition] = true;
  if (value.length > 0 && stop == value.begin + value.length && isfinite(*to)) return SL_OK;
  return sl__fail(r->cli->context, SL_BAD_ARGUMENT,
                  "--context-value: '%.*s' is no number; write %.*s=0.5 or the like",
                  (int)value.length, value.begin, (int)name.length, name.begin);
}

/* One "name=value". */
static sl_status read_value(const reading *r, piece item) {
  sl_context *context = r->cli->context;
  const int first = (int)sl__cli_source_length(r->names[0]);
  const char *equals = memchr(item.begin, '=', item.length);
  item = trim(item);
  if (!equals)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "--context-value: '%.*s' has no '='; write name=value, as in %s%s",
                    (int)item.length, item.begin, r->names[0],
                    sl__cli_label_of(r->names[0]) ? "" : "=0.5");
  const piece name = trim((piece){item.begin, (size_t)(equals - item.begin)});
  const piece value = trim((piece){equals + 1, (size_t)(item.begin + item.length - (equals + 1))});
  int32_t condition = 0;
  while (condition < r->count && !is_of(r, condition, name)) condition++;
  if (condition == r->count)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "--context-value: the model has no condition \"%.*s\"; its first is \"%.*s\"",
                    (int)name.length, name.begin, first, r->names[0]);
  if (r->given[condition])
    return sl__fail(context, SL_BAD_ARGUMENT, "--context-value: \"%.*s\" is given twice; keep one",
                    (int)name.length, name.begin);
  if (sl__cli_label_of(r->names[condition])) return read_label(r, name, value);
  return read_number(r, condition, name, value);
}

/* Up to the next comma outside quotes. */
static piece next_item(const char *text) {
  bool quoted = false;
  size_t length = 0;
  for (; text[length] && (quoted || text[length] != ','); length++) quoted ^= text[length] == '"';
  return (piece){text, length};
}

static sl_status read_values(sl__cli *cli, const sl_flow *flow, const char *text,
                             sl_array_in *out) {
  const int32_t count = sl_flow_context_dim(flow);
  reading r = {.cli = cli,
               .count = count,
               .names = sl__arena_take(&cli->arena, (size_t)count, sizeof *r.names),
               .values = sl__arena_take(&cli->arena, (size_t)count, sizeof *r.values),
               .given = sl__arena_take(&cli->arena, (size_t)count, sizeof *r.given)};
  if (!r.names || !r.values || !r.given) return SL_NO_MEMORY;
  for (int32_t i = 0; i < count; i++) r.names[i] = sl_flow_context_name(flow, i);
  for (;; text++) {
    const piece item = next_item(text);
    SL__TRY(read_value(&r, item));
    text += item.length;
    if (*text == '\0') break;
  }
  for (int32_t i = 0; i < count; i++)
    if (!r.given[i])
      return sl__fail(cli->context, SL_BAD_ARGUMENT,
                      "--context-value: \"%.*s\" is missing; write %s%s besides",
                      (int)sl__cli_source_length(r.names[i]), r.names[i], r.names[i],
                      sl__cli_label_of(r.names[i]) ? "" : "=0.5");
  *out = sl_in_f64(r.values, 1, count);
  return SL_OK;
}

/* "--context run", as fit takes it, or "--context run=A" where no such file is. */
static sl_status explain_missing_file(sl__cli *cli, const sl_flow *flow, const char *path,
                                      sl_status status) {
  for (int32_t i = 0; status == SL_IO && i < sl_flow_context_dim(flow); i++) {
    const char *name = sl_flow_context_name(flow, i);
    const size_t length = sl__cli_source_length(name);
    if (strncmp(path, name, length) != 0 || !strchr("=", path[length])) continue;
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "--context %.80s is no file; a table that has the column \"%.*s\" needs no "
                    "--context, and one condition for all rows is --context-value %.*s=...",
                    path, (int)length, name, (int)length, name);
  }
  return status;
}

/* A number that is infinite in the model's precision would make every row NaN. */
sl_status sl__cli_check_conditions(sl__cli *cli, const sl_flow *flow,
                                   const sl_array_in *conditions) {
  for (int64_t row = 0; row < conditions->rows && sl_flow_dtype(flow) == SL_F32; row++)
    for (int64_t i = 0; i < conditions->columns; i++) {
      const double value =
          sl__number_at(conditions->dtype, conditions->data,
                        row * conditions->row_stride + i * conditions->column_stride);
      if (!isfinite(value) || isfinite((float)value)) continue;
      const char *name = sl_flow_context_name(flow, (int32_t)i);
      return sl__fail(cli->context, SL_BAD_ARGUMENT,
                      "condition \"%.*s\" is %.6g in row %lld, beyond the numbers of float32, in "
                      "which the model is; check it, or fit with --precision f64",
                      (int)sl__cli_source_length(name), name, value, (long long)row + 1);
    }
  return SL_OK;
}

sl_status sl__cli_conditions(sl__cli *cli, const sl_flow *flow, sl__table *table,
                             sl_array_in *out) {
  const char *path = sl__cli_option(cli, "context")->text;
  const char *text = sl__cli_option(cli, "context-value")->text;
  *out = (sl_array_in){0};
  if (!path && !text) return SL_OK;
  if (sl_flow_context_dim(flow) == 0)
    return sl__fail(cli->context, SL_BAD_ARGUMENT, "the model takes no conditions; leave %s out",
                    path ? "--context" : "--context-value");
  if (path && text)
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "conditions from a file and from --context-value; give one of the two");
  if (text) return read_values(cli, flow, text, out);
  const sl_status status = sl__cli_read_table(cli, path, table);
  if (status != SL_OK) return explain_missing_file(cli, flow, path, status);
  return sl__cli_select_conditions(cli, flow, table, out);
}

sl_status sl__cli_say_unread_conditions(sl__cli *cli, const sl_flow *flow, sl__table *table) {
  const int32_t count = sl_flow_context_dim(flow);
  const char **names = sl__arena_take(&cli->arena, (size_t)count, sizeof *names);
  const char **sources = sl__arena_take(&cli->arena, (size_t)count, sizeof *sources);
  int64_t found, column;
  if (!names || !sources) return SL_NO_MEMORY;
  for (int32_t i = 0; i < count; i++) names[i] = sl_flow_context_name(flow, i);
  SL__TRY(sl__cli_sources(&cli->arena, count, names, sources, &found));
  for (int64_t i = 0; i < found; i++) {
    SL__TRY(sl__cli_find_column(cli, table, sources[i], &column));
    if (column >= 0)
      sl__cli_say(cli, "%s: its column \"%.80s\" is not read; %s says what the condition is",
                  cli->place, sources[i],
                  sl__cli_option(cli, "context")->text ? "--context" : "--context-value");
  }
  return SL_OK;
}

sl_status sl__cli_spread_conditions(sl__cli *cli, int64_t rows, sl_array_in *conditions) {
  if (conditions->rows == 1) {
    conditions->rows = rows;
    conditions->row_stride = 0;
  }
  if (conditions->rows == rows) return SL_OK;
  return sl__fail(cli->context, SL_BAD_ARGUMENT,
                  "%lld conditions for %lld rows; give one, or one for each row",
                  (long long)conditions->rows, (long long)rows);
}
