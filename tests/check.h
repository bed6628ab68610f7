/* check.h - a whole test program in one header: write TEST(name) { CHECK(...); } and nothing else.
 * Tests register themselves; main runs them all, or those named as arguments, and prints
 * "N passed, M failed". A failed CHECK says where and goes on; a failed REQUIRE leaves the test. */
#ifndef SL_TESTS_CHECK_H
#define SL_TESTS_CHECK_H
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct check_test {
  const char *name;
  void (*run)(void);
} check_test;
static check_test check_tests[512];
static int check_count, check_failures, check_skips;

static inline void check_register(const char *name, void (*run)(void)) {
  if (check_count < 512) check_tests[check_count++] = (check_test){name, run};
}

#define TEST(name)                                                       \
  static void test_##name(void);                                         \
  __attribute__((constructor)) static void check_register_##name(void) { \
    check_register(#name, test_##name);                                  \
  }                                                                      \
  static void test_##name(void)

static inline bool check_report(bool good, const char *file, int line, const char *what) {
  if (!good) {
    check_failures++;
    printf("%s:%d: failed: %s\n", file, line, what);
  }
  return good;
}
#define CHECK(condition) check_report((condition), __FILE__, __LINE__, #condition)
#define REQUIRE(condition)         \
  do {                             \
    if (!CHECK(condition)) return; \
  } while (0)

/* |a - b| <= tolerance * max(1, |b|); equal infinities pass, NaN never does. */
static inline bool check_close(double a, double b, double tolerance, const char *file, int line,
                               const char *what) {
  double scale = fabs(b) > 1 ? fabs(b) : 1;
  bool good = a == b || fabs(a - b) <= tolerance * scale;
  if (!good) printf("  %.17g against %.17g, difference %.3g\n", a, b, a - b);
  return check_report(good, file, line, what);
}
#define CHECK_CLOSE(a, b, tolerance) \
  check_close((double)(a), (double)(b), (double)(tolerance), __FILE__, __LINE__, #a " close to " #b)

static inline bool check_integer(long long a, long long b, const char *file, int line,
                                 const char *what) {
  if (a != b) printf("  %lld against %lld\n", a, b);
  return check_report(a == b, file, line, what);
}
#define CHECK_INTEGER(a, b) \
  check_integer((long long)(a), (long long)(b), __FILE__, __LINE__, #a " equals " #b)

static inline bool check_text(const char *a, const char *b, const char *file, int line,
                              const char *what) {
  bool good = a && b && strcmp(a, b) == 0;
  if (!good) printf("  \"%s\" against \"%s\"\n", a ? a : "(null)", b ? b : "(null)");
  return check_report(good, file, line, what);
}
#define CHECK_TEXT(a, b) check_text((a), (b), __FILE__, __LINE__, #a " equals " #b)

/* A call that must succeed; prints the context's message when it does not. Needs sluice.h. */
#define CHECK_OK(context, call) \
  check_ok((int)(call), (context) ? sl_error(context) : "", __FILE__, __LINE__, #call)
#define REQUIRE_OK(context, call)         \
  do {                                    \
    if (!CHECK_OK(context, call)) return; \
  } while (0)
static inline bool check_ok(int status, const char *message, const char *file, int line,
                            const char *what) {
  if (status != 0) printf("  status %d: %s\n", status, message);
  return check_report(status == 0, file, line, what);
}

/* Sanitizers make a program ten times as slow: under one of them a test may take fewer steps or rows,
 * never fewer kinds, and says what it left out. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { UNDER_SANITIZER = 1 };
#elif defined(__has_feature)
enum { UNDER_SANITIZER = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) };
#else
enum { UNDER_SANITIZER = 0 };
#endif

/* `all` of something, or `few` under a sanitizer. */
static inline int check_fewer(int all, int few, const char *what) {
  if (UNDER_SANITIZER) printf("under a sanitizer: %d %s instead of %d\n", few, what, all);
  return UNDER_SANITIZER ? few : all;
}

/* Leaves the test, saying why it could not be run here. */
#define SKIP(reason)                 \
  do {                               \
    printf("skipped: %s\n", reason); \
    check_skips++;                   \
    return;                          \
  } while (0)

int main(int argc, char **argv) {
  int passed = 0, failed = 0;
  for (int i = 0; i < check_count; i++) {
    bool wanted = argc < 2;
    for (int k = 1; k < argc; k++) wanted = wanted || strcmp(argv[k], check_tests[i].name) == 0;
    if (!wanted) continue;
    int failures = check_failures, skips = check_skips;
    check_tests[i].run();
    fflush(stdout);
    if (check_failures > failures) {
      printf("FAILED %s\n", check_tests[i].name);
      failed++;
    } else if (check_skips == skips) {
      passed++;
    }
  }
  printf("%d passed, %d failed", passed, failed);
  if (check_skips > 0) printf(", %d skipped", check_skips);
  printf("\n");
  return failed > 0 || passed + check_skips == 0;
}
#endif
