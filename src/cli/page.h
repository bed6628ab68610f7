/* An HTML page in the making: one file that needs nothing else, for screens wide and narrow, light
 * and dark, and for paper. */
#ifndef SL_CLI_PAGE_H
#define SL_CLI_PAGE_H
#include "base/text.h"

typedef struct sl__page {
  sl__text text;
} sl__page;
void sl__page_open(sl__page *page, sl_context *context, const char *title);
void sl__page_close(sl__page *page); /* the end of the text, not its memory */
/* Text with what HTML would take for its own replaced. */
void sl__page_words(sl__page *page, const char *words);
/* <tag class>words</tag>, class NULL: none. */
void sl__page_element(sl__page *page, const char *tag, const char *class, const char *words);
void sl__page_raw(sl__page *page, const char *html);
/* An SVG file's picture, with a caption below it; number: of the figure on the page. */
void sl__page_figure(sl__page *page, int number, const char *svg, size_t length,
                     const char *caption);
/* Tables: head [columns] words, the first column of words and the others of numbers. */
void sl__page_table(sl__page *page, int columns, const char *const *head);
void sl__page_row(sl__page *page, const char *name);
void sl__page_number(sl__page *page, double value, int decimals);
void sl__page_cell(sl__page *page, const char *words);
void sl__page_row_end(sl__page *page);
void sl__page_table_end(sl__page *page);
#endif
