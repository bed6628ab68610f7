/* Columns of one name. By name a table's columns are found again, so a name that two of them have
 * says of neither what it is: it is refused where something goes by it, and only there. */
#include <string.h>

#include "cli/cli.h"

static int64_t find_from(const sl__table *table, const char *name, int64_t first) {
  for (int64_t k = first; table->names && k < table->columns; k++)
    if (strcmp(table->names[k], name) == 0) return k;
  return -1;
}

sl_status sl__cli_find_column(const sl__cli *cli, const sl__table *table, const char *name,
                              int64_t *out) {
  *out = find_from(table, name, 0);
  const int64_t other = *out < 0 ? -1 : find_from(table, name, *out + 1);
  if (other < 0) return SL_OK;
  return sl__fail(cli->context, SL_BAD_ARGUMENT,
                  "%s: columns %lld and %lld are both named \"%.80s\", and columns are found by "
                  "name here; rename one of them",
                  cli->place, (long long)*out + 1, (long long)other + 1, name);
}

sl_status sl__cli_refuse_same_names(const sl__cli *cli, const sl__table *table, int64_t count,
                                    const int64_t *list) {
  for (int64_t i = 0; table->names && i < count; i++)
    for (int64_t k = i + 1; k < count; k++)
      if (strcmp(table->names[list[i]], table->names[list[k]]) == 0)
        return sl__fail(cli->context, SL_BAD_ARGUMENT,
                        "%s: columns %lld and %lld are both named \"%.80s\", and by name the model "
                        "finds its columns again; rename one of them, or leave it out: --columns "
                        "'%lld: skip'",
                        cli->place, (long long)list[i] + 1, (long long)list[k] + 1,
                        table->names[list[i]], (long long)list[k] + 1);
  return SL_OK;
}

sl_status sl__cli_refuse_same_wanted(const sl__cli *cli, const char *owner, int64_t count,
                                     const char *const *names) {
  for (int64_t i = 0; i < count; i++)
    for (int64_t k = i + 1; k < count; k++)
      if (strcmp(names[i], names[k]) == 0)
        return sl__fail(cli->context, SL_BAD_ARGUMENT,
                        "%s: columns %lld and %lld of %s are both named \"%.80s\"; give its "
                        "columns in its order, without a row of names",
                        cli->place, (long long)i + 1, (long long)k + 1, owner, names[i]);
  return SL_OK;
}
