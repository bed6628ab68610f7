/* Gives out block memory, first fit, while a program is planned. */
#include <string.h>

#include "graph/plan.h"

static void remove_gap(sl__heap *h, int64_t i) {
  memmove(&h->gaps[i], &h->gaps[i + 1], (size_t)(--h->gap_count - i) * sizeof *h->gaps);
}

int64_t sl__heap_take(sl__heap *h, int64_t size) {
  for (int64_t i = 0; i < h->gap_count; i++) {
    if (h->gaps[i].size < size) continue;
    const int64_t begin = h->gaps[i].begin;
    h->gaps[i].begin += size;
    h->gaps[i].size -= size;
    if (h->gaps[i].size == 0) remove_gap(h, i);
    return begin;
  }
  const int64_t begin = h->units;
  h->units += size;
  return begin;
}

void sl__heap_give(sl__heap *h, int64_t begin, int64_t size) {
  int64_t i = 0;
  while (i < h->gap_count && h->gaps[i].begin < begin) i++;
  const bool joins_next = i < h->gap_count && begin + size == h->gaps[i].begin;
  const bool joins_last = i > 0 && h->gaps[i - 1].begin + h->gaps[i - 1].size == begin;
  if (joins_last) {
    h->gaps[i - 1].size += size;
    if (joins_next) {
      h->gaps[i - 1].size += h->gaps[i].size;
      remove_gap(h, i);
    }
  } else if (joins_next) {
    h->gaps[i].begin = begin;
    h->gaps[i].size += size;
  } else {
    memmove(&h->gaps[i + 1], &h->gaps[i], (size_t)(h->gap_count++ - i) * sizeof *h->gaps);
    h->gaps[i] = (sl__interval){begin, size};
  }
}
