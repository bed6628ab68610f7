/* Under a locale that writes 1,5 for one and a half, files are read and written as ever. */
#include "base/option.h"
#include "base/text.h"
#include "check.h"
#include "io/io.h"
#include <locale.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/sluice_locale_XXXXXX";

/* A locale with a decimal comma: an installed one, or one made now in a folder of our own. */
static bool use_comma(void) {
  static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "it_IT.UTF-8", "de_DE",
                                      "pt_BR.UTF-8"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (setlocale(LC_ALL, names[i]) && *localeconv()->decimal_point == ',') return true;
  }
  char command[256];
  if (!mkdtemp(folder)) return false;
  snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 >/dev/null 2>&1",
           folder);
  if (system(command) != 0) return false;
  setenv("LOCPATH", folder, 1);
  return setlocale(LC_ALL, "de_DE.UTF-8") && *localeconv()->decimal_point == ',';
}

static void remove_folder(void) {
  char command[256];
  snprintf(command, sizeof command, "rm -rf %s", folder);
  if (strstr(folder, "XXXXXX") == NULL && system(command) != 0)
    printf("%s is left behind\n", folder);
}

static void check_numbers(void) {
  char text[64];
  double value = 0;
  sl__format_real(text, -1.25, SL_F64);
  CHECK_TEXT(text, "-1.25");
  sl__format_real(text, 1.5e-9, SL_F32);
  CHECK_TEXT(text, "1.5e-09");
  sl__format_fixed(text, 1234567.875, 2);
  CHECK(strcmp(text, "1234567.88") == 0);
  CHECK(sl__parse_real("1.5", text, &value) && value == 1.5);
  const char *comma = "1,5";
  CHECK(sl__parse_real(comma, comma + 3, &value) == comma + 1 && value == 1);
}

static void check_files(sl_context *context) {
  const char *csv = "a,b\n1.5,2.25\n";
  sl__table table;
  REQUIRE_OK(context, sl__table_parse_csv(context, csv, strlen(csv), &table));
  CHECK(table.columns == 2 && ((const double *)table.data)[0] == 1.5);
  sl__table_close(&table);
  sl__text text;
  sl__text_open(&text, context);
  sl__json json = {.text = &text};
  sl__json_open_array(&json, NULL);
  sl__json_real(&json, NULL, 0.5);
  sl__json_close_array(&json);
  CHECK_TEXT(text.data, "[0.5]");
  sl__text_close(&text);
}

TEST(comma_locale) {
  if (!use_comma()) {
    remove_folder();
    SKIP("no locale with a decimal comma, and localedef could not make one");
  }
  char libc[32];
  snprintf(libc, sizeof libc, "%.1f", 1.5);
  CHECK_TEXT(libc, "1,5"); /* the locale is really in force */
  sl_context *context = NULL;
  sl_context_options options = {.size = sizeof options, .threads = 1};
  REQUIRE(sl_context_new(&options, &context) == SL_OK);
  check_numbers();
  check_files(context);
  sl_context_free(context);
  remove_folder();
}
