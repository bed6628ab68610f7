/* Lists of columns: names, numbers, ranges, names with commas; and their refusals. */
#include "context.h"
#include "io/io.h"

static const char *const names[] = {"a",         "b",           "mu[1,1]", "mu[1,2]", "p, q",
                                    "say \"x\"", "blood sugar", "2",       "twice",   "twice"};
enum { NAMES = sizeof names / sizeof *names };

/* "1 3 4", the columns by their numbers. */
static void describe(int64_t count, const int64_t *list, char *out, size_t size) {
  size_t used = 0;
  *out = '\0';
  for (int64_t i = 0; i < count; i++)
    used +=
        (size_t)snprintf(out + used, size - used, "%s%lld", i ? " " : "", (long long)list[i] + 1);
}

TEST(what_is_understood) {
  static const char *const cases[][2] = {
      {"a", "1"},
      {" b , a ", "2 1"},
      {"mu[1,2],mu[1,1]", "4 3"},
      {"mu[1,1]..mu[1,2], a", "3 4 1"},
      {"1..3,blood sugar", "1 2 3 7"},
      {"\"p, q\",\"say \"\"x\"\"\"", "5 6"},
      {"2", "8"}, /* a name before a number */
      {"9, 10", "9 10"},
      {"3 .. blood sugar", "3 4 5 6 7"},
  };
  sl_context *context = context_of(1);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    int64_t list[NAMES], count;
    char said[100];
    if (!CHECK_OK(context,
                  sl__column_list_read(context, cases[i][0], NAMES, names, NULL, list, &count)))
      continue;
    describe(count, list, said, sizeof said);
    CHECK_TEXT(said, cases[i][1]);
  }
  int64_t list[3], count;
  CHECK_OK(context, sl__column_list_read(context, "3,1", 3, NULL, NULL, list, &count));
  CHECK(count == 2 && list[0] == 2 && list[1] == 0);
  sl_context_free(context);
}

static bool same_letter(const char *a, const char *b) {
  return a[0] == b[0];
}

TEST(names_that_are_written_otherwise) {
  static const char *const columns[] = {"x.1", "y.1"};
  sl_context *context = context_of(1);
  int64_t list[2], count;
  CHECK_OK(context, sl__column_list_read(context, "y[1]", 2, columns, same_letter, list, &count));
  CHECK(count == 1 && list[0] == 1);
  sl_context_free(context);
}

TEST(what_is_refused) {
  static const struct {
    const char *text;
    int column;
    const char *message;
  } cases[] = {
      {"", 1, "no column is named"},
      {"  ", 3, "no column is named"},
      {"a,,b", 3, "name is missing"},
      {"a,", 3, "name is missing"},
      {"a, z", 4, "no column \"z\" among 10"},
      {"blod sugar", 1, "did you mean \"blood sugar\"?"},
      {"0", 1, "no column \"0\""},
      {"11", 1, "no column \"11\""},
      {"\"3\"", 1, "no column \"3\""},
      {"a, \"b", 4, "not closed"},
      {"\"a\" b", 5, "follows a quoted name"},
      {"a, 1", 4, "named twice"},
      {"1..3, b", 7, "named twice"},
      {"b..a", 1, "swap its ends"},
      {"a..b..3", 5, "two ends"},
      {"a..", 4, "name is missing"},
      {"twice", 1, "two columns"},
      {"mu[1,1", 1, "no column"},
  };
  sl_context *context = context_of(1);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    int64_t list[NAMES], count;
    CHECK(sl__column_list_read(context, cases[i].text, NAMES, names, NULL, list, &count) ==
          SL_BAD_ARGUMENT);
    CHECK_INTEGER(context->error.line, 1);
    CHECK_INTEGER(context->error.column, cases[i].column);
    if (!CHECK(strstr(context->error.message, cases[i].message) != NULL))
      printf("  %s: %s\n", cases[i].text, context->error.message);
  }
  sl_context_free(context);
}
