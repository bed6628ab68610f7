/* Words in the columns of a CSV, numbered while it is read. src/io only. */
#ifndef SL_IO_CSV_WORDS_H
#define SL_IO_CSV_WORDS_H
#include "io/io.h"

/* The number that stands for a word of `length` bytes in the column's data: for now by first
 * appearance. */
sl_status sl__words_add(sl__arena *arena, sl__table_words *words, const char *text, size_t length,
                        double *number);
/* The numbers by the words' order, in all columns. */
sl_status sl__words_finish(sl__table *table);
#endif
