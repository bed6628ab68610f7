/* Conditions that are given aside, not as columns of the data: --context FILE, or --context-value
 * "age=40, dose=0.5", one condition for all rows. */
#include <math.h>
#include <string.h>

#include "cli/cli.h"

/* The place of a context column of this name, or -1. */
static int32_t find_context(const sl_flow *flow, const char *name, size_t length) {
  for (int32_t i = 0; i < sl_flow_context_dim(flow); i++) {
    const char *known = sl_flow_context_name(flow, i);
    if (strlen(known) == length && strncmp(known, name, length) == 0) return i;
  }
  return -1;
}

static size_t trimmed(const char *text, size_t length) {
  while (length > 0 && strchr(" \t", text[length - 1])) length--;
  return length;
}

/* One "name=value" of `length` bytes. */
static sl_status read_value(sl__cli *cli, const sl_flow *flow, const char *item, size_t length,
                            double *values, bool *given) {
  const char *end = item + length, *equals = memchr(item, '=', length);
  item += strspn(item, " \t");
  if (!equals)
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "--context-value: '%.*s' has no '='; write name=value, as in %s=0.5",
                    (int)(end > item ? end - item : 0), item, sl_flow_context_name(flow, 0));
  int name_length = (int)trimmed(item, (size_t)(equals - item));
  int32_t column = find_context(flow, item, (size_t)name_length);
  if (column < 0)
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "--context-value: the model has no condition \"%.*s\"; its first is \"%s\"",
                    name_length, item, sl_flow_context_name(flow, 0));
  if (given[column])
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "--context-value: \"%.*s\" is given twice; keep one", name_length, item);
  const char *value = equals + 1 + strspn(equals + 1, " \t");
  size_t value_length = value < end ? trimmed(value, (size_t)(end - value)) : 0;
  const char *stop = sl__parse_real(value, value + value_length, &values[column]);
  if (value_length == 0 || stop != value + value_length || !isfinite(values[column]))
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "--context-value: '%.*s' is no number; write %.*s=0.5 or the like",
                    (int)value_length, value, name_length, item);
  given[column] = true;
  return SL_OK;
}

static sl_status read_values(sl__cli *cli, const sl_flow *flow, const char *text,
                             sl_array_in *out) {
  int32_t count = sl_flow_context_dim(flow);
  double *values = sl__arena_take(&cli->arena, (size_t)count, sizeof *values);
  bool *given = sl__arena_take(&cli->arena, (size_t)count, sizeof *given);
  if (!values || !given) return SL_NO_MEMORY;
  for (const char *item = text;; item++) {
    size_t length = strcspn(item, ",");
    SL__TRY(read_value(cli, flow, item, length, values, given));
    item += length;
    if (*item == '\0') break;
  }
  for (int32_t i = 0; i < count; i++)
    if (!given[i])
      return sl__fail(cli->context, SL_BAD_ARGUMENT,
                      "--context-value: \"%s\" is missing; the model has %d condition%s",
                      sl_flow_context_name(flow, i), count, count == 1 ? "" : "s");
  *out = sl_in_f64(values, 1, count);
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
  SL__TRY(sl__cli_read_table(cli, path, table));
  return sl__cli_select_conditions(cli, flow, table, out);
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
