/* Columns, their parts and types: `--columns "a: positive, b, w: weight"` and `--context "c, d"`,
 * in the grammar of flow/schema.h. Where no column is named as data in so many words, all that are
 * not named otherwise are: a type alone tells of a column what it is, and leaves out no other. */
#include <string.h>

#include "cli/cli.h"
#include "flow/schema.h"

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
    *out = (sl_array_in){(const char *)table->data + (size_t)list[0] * size,
                         table->type,
                         table->rows,
                         count,
                         table->columns,
                         1};
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

/* The conditions of these names [named], from the columns list [count]. Without labels they are
 * those columns. */
static sl_status view_conditions(sl__cli *cli, sl__table *table, int64_t named,
                                 const char *const *names, int64_t count, const int64_t *list,
                                 sl_array_in *out) {
  bool labels = table->words != NULL;
  for (int64_t i = 0; names && i < named; i++) labels |= sl__cli_label_of(names[i]) != NULL;
  if (count == 0 || !labels) return view_columns(table, count, list, out);
  return sl__cli_fill_conditions(cli, table, named, names, list, out);
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

/* The columns whose names a model keeps are data and conditions. */
static sl_status refuse_same_names(const sl__cli *cli, sl__table *table,
                                   const sl__schema_entry *entries) {
  int64_t count = 0, *list = sl__arena_take(&table->arena, (size_t)table->columns, sizeof *list);
  if (!list) return SL_NO_MEMORY;
  for (int64_t i = 0; i < table->columns; i++)
    if (entries[i].part == SL__PART_DATA || entries[i].part == SL__PART_CONTEXT) list[count++] = i;
  return sl__cli_refuse_same_names(cli, table, count, list);
}

static int64_t list_part(const sl__table *table, const sl__schema_entry *entries, sl__part wanted,
                         int64_t *list) {
  int64_t count = 0;
  for (int64_t i = 0; i < table->columns; i++)
    if (entries[i].part == wanted) list[count++] = i;
  return count;
}

/* The option's text into entries; a refusal points into it. */
static sl_status read_option(sl__cli *cli, const sl__table *table, const char *option,
                             sl__part bare, sl__schema_entry *entries) {
  const char *text = sl__cli_option(cli, option)->text, *place = cli->place;
  const sl__schema_table columns = {table->columns, (const char *const *)table->names};
  if (!text) return SL_OK;
  sl__cli_about(cli, strcmp(option, "columns") == 0 ? "--columns" : "--context", text);
  SL__TRY(sl__schema_read(cli->context, &columns, text, bare, entries));
  sl__cli_about(cli, place, NULL);
  return SL_OK;
}

/* What each column is, by both options. */
static sl_status read_entries(sl__cli *cli, const sl__table *table, sl__schema_entry *entries) {
  bool some_chosen = false;
  SL__TRY(read_option(cli, table, "context", SL__PART_CONTEXT, entries));
  SL__TRY(read_option(cli, table, "columns", SL__PART_DATA, entries));
  for (int64_t i = 0; i < table->columns; i++) some_chosen |= entries[i].chosen;
  for (int64_t i = 0; i < table->columns && !some_chosen; i++)
    if (entries[i].part == SL__PART_NONE) entries[i].part = SL__PART_DATA;
  return SL_OK;
}

/* The types of the columns list [count], "1: positive, 3: count", by their places in the list. */
static sl_status print_types(sl__cli *cli, sl__table *table, const sl__schema_entry *entries,
                             int64_t count, const int64_t *list, const char **out) {
  sl__text text;
  sl__text_open(&text, cli->context);
  for (int64_t i = 0; i < count; i++) {
    if (sl__type_is_real(&entries[list[i]].type)) continue;
    sl__text_add(&text, "%s%lld: ", text.length > 0 ? ", " : "", (long long)i + 1);
    sl__type_print(&entries[list[i]].type, &text);
  }
  bool failed = text.failed;
  *out = text.length > 0 ? sl__arena_text(&table->arena, text.data, text.length) : NULL;
  failed |= text.length > 0 && !*out;
  sl__text_close(&text);
  return failed ? SL_NO_MEMORY : SL_OK;
}

sl_status sl__cli_select(sl__cli *cli, sl__table *table, sl__selection *out) {
  *out = (sl__selection){0};
  sl__schema_entry *entries =
      sl__arena_take(&table->arena, (size_t)table->columns, sizeof *entries);
  int64_t *list = sl__arena_take(&table->arena, (size_t)table->columns, sizeof *list);
  if (!entries || !list) return SL_NO_MEMORY;
  SL__TRY(read_entries(cli, table, entries));
  SL__TRY(refuse_same_names(cli, table, entries));
  for (int64_t i = 0; i < table->columns; i++)
    if (entries[i].label) SL__TRY(sl__cli_number_labels(cli, table, i));
  int64_t count = list_part(table, entries, SL__PART_DATA, list);
  if (count == 0)
    return sl__fail(cli->context, SL_BAD_ARGUMENT, "no column is left to fit; name one as data");
  SL__TRY(sl__cli_refuse_words(cli, table, count, list));
  SL__TRY(view_columns(table, count, list, &out->x));
  SL__TRY(view_names(table, count, list, &out->names));
  SL__TRY(print_types(cli, table, entries, count, list, &out->types));
  count = list_part(table, entries, SL__PART_CONTEXT, list);
  int64_t named;
  SL__TRY(sl__cli_name_conditions(cli, table, count, list, &out->condition_names, &named));
  SL__TRY(view_conditions(cli, table, named, out->condition_names, count, list, &out->condition));
  count = list_part(table, entries, SL__PART_WEIGHT, list);
  if (count > 1)
    return sl__fail(cli->context, SL_BAD_ARGUMENT, "%lld columns are named as weight; one will do",
                    (long long)count);
  SL__TRY(sl__cli_refuse_words(cli, table, count, list));
  SL__TRY(view_columns(table, count, list, &out->weight));
  if (count == 1 && table->names) out->weight_name = table->names[list[0]];
  return SL_OK;
}

/* ---- columns by the names that others have for them ---- */

/* Lists the columns of these names [count]; *found: how many there are, *missing: the first that is
 * not there. */
static sl_status list_names(const sl__cli *cli, const sl__table *table, int64_t count,
                            const char *const *names, int64_t *list, int64_t *found,
                            int64_t *missing) {
  *found = 0;
  *missing = -1;
  for (int64_t i = 0; i < count; i++) {
    SL__TRY(sl__cli_find_column(cli, table, names[i], &list[i]));
    *found += list[i] >= 0;
    if (list[i] < 0 && *missing < 0) *missing = i;
  }
  return SL_OK;
}

/* A header with some of the names is about these columns, and one of them is missing: the order
 * says nothing then. */
static sl_status refuse_missing(const sl__cli *cli, const char *name, bool is_condition) {
  if (is_condition)
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "%s: no column \"%.80s\", a condition; add it, or give --context-value "
                    "%.80s=... or --context FILE",
                    cli->place, name, name);
  return sl__fail(cli->context, SL_BAD_ARGUMENT,
                  "%s: no column \"%.80s\" beside the others; add it, or rename what it is",
                  cli->place, name);
}

/* What a model or a fit calls its columns: data first, then the sources of conditions. */
typedef struct wanted {
  const char *owner; /* "the model" */
  int64_t dim, context_dim;
  const char **names; /* [dim + context_dim] */
  int64_t condition_count;
  const char *const *conditions; /* [condition_count], by their own names */
} wanted;

/* names has room for dim + count. */
static sl_status want_conditions(sl__arena *arena, int64_t count, const char *const *conditions,
                                 wanted *w) {
  w->condition_count = count;
  w->conditions = conditions;
  return sl__cli_sources(arena, count, conditions, w->names + w->dim, &w->context_dim);
}

/* Columns list [dim + context_dim] by name, or where the header has none of the names, or there is
 * none, by order. */
static sl_status list_wanted(const sl__cli *cli, const sl__table *table, const wanted *w,
                             int64_t *list) {
  const int64_t count = w->dim + w->context_dim;
  int64_t found, missing;
  SL__TRY(list_names(cli, table, count, w->names, list, &found, &missing));
  if (found > 0) SL__TRY(sl__cli_refuse_same_wanted(cli, w->owner, count, w->names));
  if (found == count) return SL_OK;
  if (found > 0) return refuse_missing(cli, w->names[missing], missing >= w->dim);
  if (table->columns != count)
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "%s: %lld column%s, but %s wants %lld (the first is \"%s\"); give columns of "
                    "its names, or just as many in its order",
                    cli->place, (long long)table->columns, table->columns == 1 ? "" : "s", w->owner,
                    (long long)count, w->names[0]);
  /* Columns of other names may be other columns. A table without names has only its order. */
  if (table->names)
    sl__cli_say(cli, "%s: not %s's column names (the first is \"%s\"); taken in its order",
                cli->place, w->owner, w->names[0]);
  for (int64_t i = 0; i < count; i++) list[i] = i;
  return SL_OK;
}

/* The names of a model's data (or none) and conditions (or none). */
static sl_status names_of(const sl_flow *flow, bool data, bool conditions, sl__arena *arena,
                          wanted *out) {
  const int64_t count = conditions ? sl_flow_context_dim(flow) : 0;
  *out = (wanted){.owner = "the model", .dim = data ? sl_flow_dim(flow) : 0};
  out->names = sl__arena_take(arena, (size_t)(out->dim + count), sizeof *out->names);
  const char **own = sl__arena_take(arena, (size_t)count, sizeof *own);
  if (!out->names || !own) return SL_NO_MEMORY;
  for (int64_t i = 0; i < out->dim; i++) out->names[i] = sl_flow_column_name(flow, (int32_t)i);
  for (int64_t i = 0; i < count; i++) own[i] = sl_flow_context_name(flow, (int32_t)i);
  return want_conditions(arena, count, own, out);
}

/* Views of the columns wanted. */
static sl_status select_wanted(sl__cli *cli, sl__table *table, const wanted *w,
                               sl__selection *out) {
  *out = (sl__selection){0};
  const size_t count = (size_t)(w->dim + w->context_dim);
  int64_t *list = sl__arena_take(&table->arena, count, sizeof *list);
  if (!list) return SL_NO_MEMORY;
  SL__TRY(list_wanted(cli, table, w, list));
  SL__TRY(sl__cli_refuse_words(cli, table, w->dim, list));
  SL__TRY(view_columns(table, w->dim, list, &out->x));
  return view_conditions(cli, table, w->condition_count, w->conditions, w->context_dim,
                         list + w->dim, &out->condition);
}

sl_status sl__cli_select_for(sl__cli *cli, const sl_flow *flow, sl__table *table,
                             bool with_conditions, sl__selection *out) {
  wanted w;
  SL__TRY(names_of(flow, true, with_conditions, &table->arena, &w));
  return select_wanted(cli, table, &w, out);
}

sl_status sl__cli_select_conditions(sl__cli *cli, const sl_flow *flow, sl__table *table,
                                    sl_array_in *out) {
  wanted w;
  sl__selection selection;
  SL__TRY(names_of(flow, false, true, &table->arena, &w));
  SL__TRY(select_wanted(cli, table, &w, &selection));
  *out = selection.condition;
  return SL_OK;
}

sl_status sl__cli_select_like(sl__cli *cli, const sl__selection *other, const char *owner,
                              sl__table *table, sl__selection *out) {
  if (!table->names || !other->names) {
    const char *place = cli->place;
    sl_status status = sl__cli_select(cli, table, out);
    sl__cli_about(cli, place, NULL);
    if (status == SL_OK) return SL_OK;
    cli->context->error.line = 0; /* a place in --columns, which fitted the other table */
    return sl__fail_prefix(cli->context, "%s", place);
  }
  wanted w = {.owner = owner, .dim = other->x.columns};
  const int64_t count = other->condition.columns;
  w.names = sl__arena_take(&table->arena, (size_t)(w.dim + count), sizeof *w.names);
  if (!w.names) return SL_NO_MEMORY;
  for (int64_t i = 0; i < w.dim; i++) w.names[i] = other->names[i];
  SL__TRY(want_conditions(&table->arena, count, other->condition_names, &w));
  SL__TRY(select_wanted(cli, table, &w, out));
  int64_t weight = -1;
  if (other->weight_name) SL__TRY(sl__cli_find_column(cli, table, other->weight_name, &weight));
  return weight < 0 ? SL_OK : view_columns(table, 1, &weight, &out->weight);
}
