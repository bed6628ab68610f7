/* Columns and their parts: `--columns "a, b, w: weight"` and `--context "c, d"`.
 *
 * A schema is a list of names, or of numbers from 1, each with an optional part: data (what the
 * density is of), context (what it is conditioned on), weight, or skip. Where no column is named
 * as data, all that are not named otherwise are. */
#include <string.h>

#include "cli/cli.h"

typedef enum part { PART_NONE, PART_DATA, PART_CONTEXT, PART_WEIGHT, PART_SKIP } part;
static const char *const part_names[] = {"", "data", "context", "weight", "skip"};

static int64_t find_column(const sl__table *table, const char *name, size_t length) {
  for (int64_t i = 0; table->names && i < table->columns; i++)
    if (strlen(table->names[i]) == length && strncmp(table->names[i], name, length) == 0) return i;
  int64_t number;
  const char *end = sl__parse_integer(name, name + length, &number);
  if (end == name + length && number >= 1 && number <= table->columns) return number - 1;
  return -1;
}

static const char *skip_spaces(const char *text) {
  return text + strspn(text, " \t");
}

static size_t trimmed(const char *text, size_t length) {
  while (length > 0 && strchr(" \t", text[length - 1])) length--;
  return length;
}

static sl_status unknown_column(sl__cli *cli, const sl__table *table, const char *name,
                                size_t length) {
  const char *near = NULL;
  char *copy = sl__arena_text(&cli->arena, name, length);
  if (copy && table->names)
    near = sl__nearest_name(copy, (const char *const *)table->names, (int)table->columns);
  if (near)
    return sl__fail(cli->context, SL_BAD_ARGUMENT, "no column \"%.*s\"; did you mean \"%s\"?",
                    (int)length, name, near);
  return sl__fail(cli->context, SL_BAD_ARGUMENT,
                  "no column \"%.*s\" among %lld; use a name of the header row, or a number from 1",
                  (int)length, name, (long long)table->columns);
}

static sl_status read_part(sl__cli *cli, const char *text, size_t length, part *out) {
  for (int i = PART_DATA; i <= PART_SKIP; i++)
    if (strlen(part_names[i]) == length && strncmp(part_names[i], text, length) == 0) {
      *out = (part)i;
      return SL_OK;
    }
  return sl__fail(cli->context, SL_BAD_ARGUMENT,
                  "no part \"%.*s\" for a column; use data, context, weight or skip", (int)length,
                  text);
}

/* One schema text; fallback: the part of names that say none. parts [columns] is filled in. */
static sl_status read_schema(sl__cli *cli, const sl__table *table, const char *schema,
                             part fallback, part *parts) {
  const char *item = schema;
  for (bool last = false; !last;) {
    size_t length = strcspn(item, ",");
    last = item[length] == '\0';
    const char *name = skip_spaces(item), *end = item + length;
    const char *colon = memchr(item, ':', length);
    size_t name_length = trimmed(name, (size_t)((colon ? colon : end) - name));
    part chosen = fallback;
    if (colon) {
      const char *text = skip_spaces(colon + 1);
      SL__TRY(read_part(cli, text, trimmed(text, (size_t)(end - text)), &chosen));
    }
    int64_t column = find_column(table, name, name_length);
    if (column < 0) return unknown_column(cli, table, name, name_length);
    if (parts[column] != PART_NONE)
      return sl__fail(cli->context, SL_BAD_ARGUMENT, "column \"%.*s\" is named twice; once will do",
                      (int)name_length, name);
    parts[column] = chosen;
    item = end + 1;
  }
  return SL_OK;
}

/* A view of the columns list [count]; where they do not follow each other, of a copy in the
 * table's arena. */
static sl_status view_columns(sl__table *table, int64_t count, const int64_t *list,
                              sl_array_in *out) {
  *out = (sl_array_in){0};
  if (count == 0) return SL_OK;
  size_t size = table->type == SL_F32 ? sizeof(float) : sizeof(double);
  bool adjacent = true;
  for (int64_t i = 1; i < count; i++) adjacent &= list[i] == list[i - 1] + 1;
  if (adjacent) {
    *out = (sl_array_in){(const char *)table->data + (size_t)list[0] * size, table->type,
                         table->rows, count, table->columns, 1};
    return SL_OK;
  }
  char *copy = sl__arena_take(&table->arena, (size_t)table->rows, (size_t)count * size);
  if (!copy) return SL_NO_MEMORY;
  const char *from = table->data;
  for (int64_t row = 0; row < table->rows; row++)
    for (int64_t i = 0; i < count; i++)
      memcpy(copy + (size_t)(row * count + i) * size,
             from + (size_t)(row * table->columns + list[i]) * size, size);
  *out = (sl_array_in){copy, table->type, table->rows, count, count, 1};
  return SL_OK;
}

static sl_status view_names(sl__table *table, int64_t count, const int64_t *list,
                            const char *const **out) {
  *out = NULL;
  if (!table->names || count == 0) return SL_OK;
  const char **names = sl__arena_take(&table->arena, (size_t)count, sizeof *names);
  if (!names) return SL_NO_MEMORY;
  for (int64_t i = 0; i < count; i++) names[i] = table->names[list[i]];
  *out = names;
  return SL_OK;
}

static int64_t list_part(const sl__table *table, const part *parts, part wanted, int64_t *list) {
  int64_t count = 0;
  for (int64_t i = 0; i < table->columns; i++)
    if (parts[i] == wanted) list[count++] = i;
  return count;
}

sl_status sl__cli_select(sl__cli *cli, sl__table *table, sl__selection *out) {
  *out = (sl__selection){0};
  part *parts = sl__arena_take(&table->arena, (size_t)table->columns, sizeof *parts);
  int64_t *list = sl__arena_take(&table->arena, (size_t)table->columns, sizeof *list);
  if (!parts || !list) return SL_NO_MEMORY;
  const char *schema = sl__cli_option(cli, "columns")->text;
  const char *conditions = sl__cli_option(cli, "context")->text;
  if (conditions) SL__TRY(read_schema(cli, table, conditions, PART_CONTEXT, parts));
  if (schema) SL__TRY(read_schema(cli, table, schema, PART_DATA, parts));
  if (list_part(table, parts, PART_DATA, list) == 0)
    for (int64_t i = 0; i < table->columns; i++)
      if (parts[i] == PART_NONE) parts[i] = PART_DATA;

  int64_t count = list_part(table, parts, PART_DATA, list);
  if (count == 0)
    return sl__fail(cli->context, SL_BAD_ARGUMENT, "no column is left to fit; name one as data");
  SL__TRY(view_columns(table, count, list, &out->x));
  SL__TRY(view_names(table, count, list, &out->names));
  count = list_part(table, parts, PART_CONTEXT, list);
  SL__TRY(view_columns(table, count, list, &out->condition));
  SL__TRY(view_names(table, count, list, &out->condition_names));
  count = list_part(table, parts, PART_WEIGHT, list);
  if (count > 1)
    return sl__fail(cli->context, SL_BAD_ARGUMENT, "%lld columns are named as weight; one will do",
                    (long long)count);
  return view_columns(table, count, list, &out->weight);
}

/* Columns [count] by name; false when one is missing. */
static bool list_names(const sl__table *table, const sl_flow *flow, int64_t count,
                       const char *(*name)(const sl_flow *, int32_t), int64_t *list) {
  for (int64_t i = 0; i < count; i++) {
    const char *wanted = name(flow, (int32_t)i);
    list[i] = -1;
    for (int64_t k = 0; table->names && k < table->columns; k++)
      if (strcmp(table->names[k], wanted) == 0) list[i] = k;
    if (list[i] < 0) return false;
  }
  return true;
}

/* Columns of other names may be other columns. A table without names has only its order. */
static void say_order(const sl__cli *cli, const sl__table *table, const char *first) {
  if (table->names)
    sl__cli_say(cli, "%s: not the model's column names (the first is \"%s\"); taken in its order",
                cli->place, first);
}

sl_status sl__cli_select_for(sl__cli *cli, const sl_flow *flow, sl__table *table,
                             sl__selection *out) {
  *out = (sl__selection){0};
  int64_t dim = sl_flow_dim(flow), context_dim = sl_flow_context_dim(flow);
  int64_t *list = sl__arena_take(&table->arena, (size_t)(dim + context_dim), sizeof *list);
  if (!list) return SL_NO_MEMORY;
  bool by_name = list_names(table, flow, dim, sl_flow_column_name, list) &&
                 list_names(table, flow, context_dim, sl_flow_context_name, list + dim);
  if (!by_name) {
    if (table->columns != dim + context_dim)
      return sl__fail(cli->context, SL_BAD_ARGUMENT,
                      "%s: %lld column%s, but the model wants %lld (the first is \"%s\"); give "
                      "columns of its names, or just as many in its order",
                      cli->place, (long long)table->columns, table->columns == 1 ? "" : "s",
                      (long long)(dim + context_dim), sl_flow_column_name(flow, 0));
    say_order(cli, table, sl_flow_column_name(flow, 0));
    for (int64_t i = 0; i < dim + context_dim; i++) list[i] = i;
  }
  SL__TRY(view_columns(table, dim, list, &out->x));
  return view_columns(table, context_dim, list + dim, &out->condition);
}

sl_status sl__cli_select_conditions(sl__cli *cli, const sl_flow *flow, sl__table *table,
                                    sl_array_in *out) {
  int64_t context_dim = sl_flow_context_dim(flow);
  int64_t *list = sl__arena_take(&table->arena, (size_t)context_dim, sizeof *list);
  if (!list) return SL_NO_MEMORY;
  if (!list_names(table, flow, context_dim, sl_flow_context_name, list)) {
    if (table->columns != context_dim)
      return sl__fail(cli->context, SL_BAD_ARGUMENT,
                      "%s: %lld column%s, but the model's conditions are %lld (the first is "
                      "\"%s\"); give columns of its names, or just as many in its order",
                      cli->place, (long long)table->columns, table->columns == 1 ? "" : "s",
                      (long long)context_dim, sl_flow_context_name(flow, 0));
    say_order(cli, table, sl_flow_context_name(flow, 0));
    for (int64_t i = 0; i < context_dim; i++) list[i] = i;
  }
  return view_columns(table, context_dim, list, out);
}
