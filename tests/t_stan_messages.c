/* Bad programs as people write them, one mistake each: tests/stan/bad/NAME.stan, and beside it in
 * NAME.txt the whole message: place, what is wrong, what mends it, the line and the caret. */
#include <dirent.h>
#include "base/context.h"
#include "base/os.h"
#include "check.h"
#include "stan/syntax.h"

static const char folder[] = "tests/stan/bad";

/* The message of a program, as the command prints it. */
static void judge(sl_context *context, const char *name, char *said, size_t room) {
  char path[512], *text;
  size_t length;
  sl__stan_program *program = NULL;
  snprintf(path, sizeof path, "%s/%s.stan", folder, name);
  said[0] = '\0';
  if (!CHECK_OK(context, sl__os_read_file(context, path, &text, &length))) return;
  snprintf(path, sizeof path, "%s.stan", name);
  sl_status status = sl__stan_parse(context, path, text, length, &program);
  if (status == SL_OK) status = sl__stan_check(context, program);
  CHECK_INTEGER(status, SL_SYNTAX);
  snprintf(said, room, "%s\n%s\n", sl_error(context), context->error.excerpt);
  sl__stan_program_free(context, program);
  sl__free(&context->allocator, text);
}

static void check_message(sl_context *context, const char *name) {
  char path[512], said[2048], *wanted;
  size_t length;
  judge(context, name, said, sizeof said);
  snprintf(path, sizeof path, "%s/%s.txt", folder, name);
  if (!CHECK_OK(context, sl__os_read_file(context, path, &wanted, &length))) return;
  if (!CHECK(length == strlen(said) && memcmp(wanted, said, length) == 0))
    printf("  wanted:\n%.*s  found:\n%s", (int)length, wanted, said);
  sl__free(&context->allocator, wanted);
}

static int count_programs(const char *path) {
  DIR *open = opendir(path);
  int count = 0;
  for (struct dirent *entry = open ? readdir(open) : NULL; entry; entry = readdir(open)) {
    const size_t length = strlen(entry->d_name);
    count += length > 5 && strcmp(entry->d_name + length - 5, ".stan") == 0;
  }
  if (open) closedir(open);
  return count;
}

TEST(messages) {
  sl_context *context = NULL;
  REQUIRE(sl_context_new(NULL, &context) == SL_OK);
  DIR *open = opendir(folder);
  REQUIRE(open != NULL);
  for (struct dirent *entry = readdir(open); entry; entry = readdir(open)) {
    const size_t length = strlen(entry->d_name);
    char name[256];
    if (length <= 5 || strcmp(entry->d_name + length - 5, ".stan") != 0) continue;
    snprintf(name, sizeof name, "%.*s", (int)length - 5, entry->d_name);
    check_message(context, name);
  }
  closedir(open);
  sl_context_free(context);
}

/* As many bad programs as good ones. */
TEST(enough_bad_programs) {
  CHECK(count_programs(folder) >= count_programs("tests/stan"));
  CHECK(count_programs(folder) >= 30);
}
