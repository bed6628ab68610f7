/* Columns with types: the text that describes them, and its refusals. */
#include "context.h"
#include "flow/columns.h"

static const char *const names[] = {"a", "b", "c", "p, q", "say \"x\"", "blood sugar", "7", "h"};
enum { NAMES = sizeof names / sizeof *names };

/* "a data, b context, c interval(0,1)" */
static void describe(sl_context *context, const sl__schema_entry *entries, char *out, size_t size) {
  static const char *const parts[] = {"", "data", "context", "weight", "skip"};
  *out = 0;
  for (int i = 0; i < NAMES; i++) {
    if (entries[i].part == SL__PART_NONE) continue;
    sl__text text;
    sl__text_open(&text, context);
    sl__text_add(&text, "%s%d %s%s ", *out ? ", " : "", i + 1, entries[i].chosen ? "chosen " : "",
                 parts[entries[i].part]);
    sl__type_print(&entries[i].type, &text);
    strncat(out, text.data, size - strlen(out) - 1);
    sl__text_close(&text);
  }
}

TEST(what_is_understood) {
  static const char *const cases[][2] = {
      {"a", "1 chosen data real"},
      {" a , 2 ", "1 chosen data real, 2 chosen data real"},
      {"a: positive", "1 data positive"},
      {"a: data positive", "1 chosen data positive"},
      {"a:weight,b :skip , c: context", "1 weight real, 2 skip real, 3 context real"},
      {"a..c: real", "1 data real, 2 data real, 3 data real"},
      {"1..2: interval ( -1 , 2.5e3 )", "1 data interval(-1,2500), 2 data interval(-1,2500)"},
      {"a: integer", "1 data integer"},
      {"a: count", "1 data count"},
      {"a: integer positive", "1 data positive integer"},
      {"a: positive integer", "1 data positive integer"},
      {"a: interval(0,5) integer", "1 data interval(0,5) integer"},
      {"a: integer periodic(0,12)", "1 data periodic(0,12) integer"},
      {"a: positive width(0.1)", "1 data positive width(0.1)"},
      {"a: width(0.25)", "1 data real width(0.25)"},
      {"b..c: simplex, 7: simplex(3), a: simplex(3)",
       "1 data simplex(1), 2 data simplex(2), 3 data simplex(2), 7 data simplex(1)"},
      {"\"p, q\": positive,\n\"say \"\"x\"\"\": skip, blood sugar: count",
       "4 data positive, 5 skip real, 6 data count"},
      {"7: weight", "7 weight real"}, /* a name before a number */
      {"8: weight", "8 weight real"},
  };
  sl_context *context = context_of(1);
  const sl__schema_table table = {NAMES, names};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    sl__schema_entry entries[NAMES] = {0};
    char said[400];
    if (!CHECK_OK(context, sl__schema_read(context, &table, cases[i][0], SL__PART_DATA, entries)))
      continue;
    describe(context, entries, said, sizeof said);
    CHECK_TEXT(said, cases[i][1]);
    for (int k = 0; k < NAMES; k++) { /* canonical texts read back */
      sl__text text;
      sl__column_type type;
      sl__text_open(&text, context);
      sl__type_print(&entries[k].type, &text);
      CHECK_OK(context, sl__type_read(context, text.data, &type));
      CHECK(memcmp(&type, &entries[k].type, sizeof type) == 0);
      sl__text_close(&text);
    }
  }
  sl_context_free(context);
}

TEST(what_is_refused) {
  static const struct {
    const char *text, *message;
    int line, column;
  } cases[] = {
      {"", "name is missing", 1, 1},
      {"a,", "name is missing", 1, 3},
      {"a:", "a part or a type is missing", 1, 3},
      {"a: positiv", "did you mean \"positive\"?", 1, 4},
      {"a, blod sugar: skip", "did you mean \"blood sugar\"?", 1, 4},
      {"a,\n z9: skip", "no column \"z9\"", 2, 2},
      {"9", "no column \"9\" among 8", 1, 1},
      {"a: interval(0)", "write interval(0,1)", 1, 4},
      {"a: interval(0,1,2)", "a number too many", 1, 17},
      {"a: interval(0,1", "add ')'", 1, 16},
      {"a: interval(0,x)", "a number is missing", 1, 15},
      {"a: interval(1,1)", "the range has no length", 1, 4},
      {"a: interval(0,inf)", "a number is missing", 1, 15},
      {"a: positive(1)", "write positive", 1, 4},
      {"a: positive real", "second type", 1, 13},
      {"a: skip weight", "second part", 1, 9},
      {"a: weight positive", "only data has a type", 1, 4},
      {"a: width(0)", "is of no width", 1, 4},
      {"a: integer width(2)", "integers have width 1", 1, 4},
      {"a: integer interval(0,1.5)", "write whole ends", 1, 4},
      {"a: integer interval(0,1e17)", "integers so large", 1, 4},
      {"a: simplex", "so it is 1", 1, 1},
      {"a..b: simplex integer", "no integers", 1, 7},
      {"a..b: simplex(0)", "takes a number from 1", 1, 7},
      {"c..a", "swap them", 1, 4},
      {"a, a", "named twice", 1, 4},
      {"b, a..c: skip", "named twice", 1, 4},
      {"\"a", "not closed", 1, 1},
      {"\"a\" b", "text follows", 1, 5},
  };
  sl_context *context = context_of(1);
  const sl__schema_table table = {NAMES, names};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    sl__schema_entry entries[NAMES] = {0};
    bool refused = CHECK_INTEGER(
        sl__schema_read(context, &table, cases[i].text, SL__PART_DATA, entries), SL_BAD_ARGUMENT);
    refused &= CHECK(strstr(sl_error(context), cases[i].message) != NULL);
    refused &= CHECK_INTEGER(context->error.line, cases[i].line);
    refused &= CHECK_INTEGER(context->error.column, cases[i].column);
    if (!refused) printf("  \"%s\": %s\n", cases[i].text, sl_error(context));
  }
  sl_context_free(context);
}
