/* Runs a fuzz target without libFuzzer: mutates its seeds in ways that damage files (flip, insert,
 * remove, repeat, cut, splice two) for a given number of rounds. Fixed random numbers, so a failure
 * repeats; the input is in memory of exactly its size, so that the address sanitizer sees one byte
 * too far.
 *
 *     fuzz_csv [ROUNDS [FILE...]]      with files: runs these instead */
#include "base/random.h"
#include "fuzz.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 1 << 14 };

typedef struct input {
  size_t length;
  uint8_t bytes[LONGEST];
} input;

static uint64_t draw(uint64_t round, uint32_t *position, uint64_t bound) {
  sl__random_key key = {.seed = 20, .stream = SL__STREAM_TEST};
  return bound > 0 ? sl__random_below(key, round, (*position)++, bound) : 0;
}

static void replace(input *in, size_t at, size_t removed, const uint8_t *with, size_t added) {
  if (in->length - removed + added > LONGEST) return;
  memmove(in->bytes + at + added, in->bytes + at + removed, in->length - at - removed);
  memcpy(in->bytes + at, with, added);
  in->length += added - removed;
}

static void mutate(input *in, uint64_t round, uint32_t *position, const fuzz_seed *other) {
  static const char *const tokens[] = {"\"",    ",",    "\n",        "\r\n", "[",
                                       "]",     "{",    "}",         "-",    "e",
                                       "nan",   "\\u",  ":",         "0",    "9223372036854775807",
                                       "1e999", "\xFF", " ",         "\t",   "(",
                                       ")",     "'",    "4294967296"};
  size_t at = draw(round, position, in->length), left = in->length - at;
  size_t span = draw(round, position, (left < 16 ? left : 16) + 1);
  uint8_t byte = (uint8_t)draw(round, position, 256), copy[LONGEST];
  const char *token = tokens[draw(round, position, sizeof tokens / sizeof *tokens)];
  switch (draw(round, position, 7)) {
    case 0:
      if (left > 0) in->bytes[at] ^= (uint8_t)(1 << byte % 8);
      break;
    case 1:
      if (left > 0) in->bytes[at] = byte;
      break;
    case 2: replace(in, at, 0, (const uint8_t *)token, strlen(token)); break;
    case 3: replace(in, at, span, &byte, 0); break;
    case 4:
      memcpy(copy, in->bytes + at, span);
      replace(in, at, 0, copy, span);
      break;
    case 5: in->length = at; break;
    default: {
      size_t from = draw(round, position, other->length),
             count = draw(round, position, other->length - from + 1);
      memcpy(copy, other->bytes + from, count);
      replace(in, at, span, copy, count);
    }
  }
}

static void run(const uint8_t *bytes, size_t length) {
  uint8_t *exact = malloc(length > 0 ? length : 1);
  if (!exact) exit(3);
  memcpy(exact, bytes, length);
  LLVMFuzzerTestOneInput(exact, length);
  free(exact);
}

static int run_file(const char *path) {
  static uint8_t bytes[1 << 20];
  FILE *file = fopen(path, "rb");
  if (!file) {
    perror(path);
    return 2;
  }
  size_t length = fread(bytes, 1, sizeof bytes, file);
  fclose(file);
  run(bytes, length);
  return 0;
}

int main(int argc, char **argv) {
  uint64_t rounds = argc > 1 ? strtoull(argv[1], NULL, 10) : 10000;
  size_t seeds = 0;
  for (int i = 2; i < argc; i++) {
    if (run_file(argv[i]) != 0) return 2;
  }
  if (argc > 2) return 0;
  while (fuzz_seeds[seeds].bytes) {
    run((const uint8_t *)fuzz_seeds[seeds].bytes, fuzz_seeds[seeds].length);
    seeds++;
  }
  static input in;
  for (uint64_t round = 0; round < rounds; round++) {
    uint32_t position = 0;
    const fuzz_seed *seed = &fuzz_seeds[draw(round, &position, seeds)],
                    *other = &fuzz_seeds[draw(round, &position, seeds)];
    in.length = seed->length;
    memcpy(in.bytes, seed->bytes, seed->length);
    uint64_t changes = 1 + draw(round, &position, 6);
    for (uint64_t i = 0; i < changes; i++) mutate(&in, round, &position, other);
    run(in.bytes, in.length);
  }
  printf("%zu seeds, %llu mutations: no failure\n", seeds, (unsigned long long)rounds);
  return 0;
}
