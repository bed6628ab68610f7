/* HTML. All words go through sl__page_words: names of columns may hold anything. Pictures keep their
 * white paper in the dark, and on a narrow screen they are moved rather than made illegible. */
#include "cli/page.h"
#include <math.h>
#include <string.h>

static const char style[] =
    ":root{color-scheme:light dark;--ink:#1d2129;--paper:#fff;--faint:#5b6472;--line:#d9dde3;"
    "--mark:#1b3a6b;--ground:#f4f6f9}\n"
    "@media (prefers-color-scheme:dark){:root{--ink:#e7e9ed;--paper:#16191f;--faint:#a2abb8;"
    "--line:#343a45;--mark:#9fc0f0;--ground:#20252d}}\n"
    "body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);"
    "max-width:60rem;margin:0 auto;padding:1.5rem 1rem 4rem}\n"
    "h1{font-size:1.6rem;margin:.2rem 0;overflow-wrap:anywhere}\n"
    "h2{font-size:1.15rem;margin:2.2rem 0 .6rem;border-bottom:1px solid var(--line)}\n"
    ".verdict{border-left:4px solid var(--mark);background:var(--ground);padding:.7rem 1rem;"
    "margin:1rem 0}\n"
    ".wide{overflow-x:auto}\n"
    "table{border-collapse:collapse;margin:.4rem 0}\n"
    "th,td{padding:.25rem .9rem .25rem 0;text-align:right;vertical-align:top;"
    "border-bottom:1px solid var(--line);font-variant-numeric:tabular-nums}\n"
    "th:first-child,td:first-child,td.words{text-align:left}\n"
    "td.words{overflow-wrap:anywhere}\n"
    "thead th{font-weight:600;color:var(--faint)}\n"
    "figure{margin:1rem 0;break-inside:avoid}\n"
    "figure svg{display:block;width:100%;height:auto;max-width:800px;background:#fff;"
    "border-radius:4px}\n"
    ".wide svg{min-width:560px}\n"
    "figcaption,footer{color:var(--faint);font-size:.9rem;margin-top:.3rem}\n"
    "pre{background:var(--ground);padding:.7rem 1rem;white-space:pre-wrap;"
    "overflow-wrap:anywhere;border-radius:4px}\n"
    "@media print{:root{--ink:#000;--paper:#fff;--faint:#444;--line:#bbb;--mark:#000;"
    "--ground:#fff}body{font-size:11pt;max-width:none;padding:0}h2{break-after:avoid}"
    "tr{break-inside:avoid}.wide svg{min-width:0}figure svg{max-width:12cm}}\n";

void sl__page_raw(sl__page *page, const char *html) {
  sl__text_add_bytes(&page->text, html, strlen(html));
}

void sl__page_words(sl__page *page, const char *words) {
  for (; *words; words++) {
    switch (*words) {
      case '&': sl__page_raw(page, "&amp;"); break;
      case '<': sl__page_raw(page, "&lt;"); break;
      case '>': sl__page_raw(page, "&gt;"); break;
      case '"': sl__page_raw(page, "&quot;"); break;
      case '\'': sl__page_raw(page, "&#39;"); break;
      default: sl__text_add_bytes(&page->text, words, 1);
    }
  }
}

void sl__page_element(sl__page *page, const char *tag, const char *class, const char *words) {
  if (class)
    sl__text_add(&page->text, "<%s class=\"%s\">", tag, class);
  else
    sl__text_add(&page->text, "<%s>", tag);
  sl__page_words(page, words);
  sl__text_add(&page->text, "</%s>\n", tag);
}

void sl__page_open(sl__page *page, sl_context *context, const char *title) {
  sl__text_open(&page->text, context);
  sl__page_raw(page, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n");
  sl__page_element(page, "title", NULL, title);
  sl__page_raw(page, "<style>\n");
  sl__page_raw(page, style);
  sl__page_raw(page, "</style>\n</head>\n<body>\n");
}

void sl__page_close(sl__page *page) {
  sl__page_raw(page, "</body>\n</html>\n");
}

static bool begins(const char *at, const char *end, const char *word) {
  const size_t length = strlen(word);
  return (size_t)(end - at) >= length && memcmp(at, word, length) == 0;
}

/* One tag of a picture. Every picture of gnuplot's gives its parts the same names, "gpPt0", and a
 * page must have each but once: what is named or referred to is given the figure's number. */
static void add_tag(sl__page *page, int number, const char *at, const char *end) {
  static const char *const names[] = {" id='", " id=\"", "href='#", "href=\"#", "url(#"};
  while (at < end) {
    const char *word = NULL;
    for (size_t k = 0; k < sizeof names / sizeof *names && !word; k++)
      if (begins(at, end, names[k])) word = names[k];
    const size_t length = word ? strlen(word) : 1;
    sl__text_add_bytes(&page->text, at, length);
    if (word) sl__text_add(&page->text, "figure%d_", number);
    at += length;
  }
}

/* Without titles, which are gnuplot's own names of curves and would show under the pointer. */
static void add_picture(sl__page *page, int number, const char *at, const char *end) {
  static const char title[] = "<title>", title_end[] = "</title>";
  while (at < end) {
    if (begins(at, end, title)) {
      const char *after = strstr(at, title_end);
      at = after ? after + sizeof title_end - 1 : end;
      continue;
    }
    const char *stop = memchr(at, *at == '<' ? '>' : '<', (size_t)(end - at));
    stop = !stop ? end : *at == '<' ? stop + 1 : stop;
    if (*at == '<')
      add_tag(page, number, at, stop);
    else
      sl__text_add_bytes(&page->text, at, (size_t)(stop - at));
    at = stop;
  }
}

void sl__page_figure(sl__page *page, int number, const char *svg, size_t length,
                     const char *caption) {
  /* What stands before the picture is for files of their own. */
  const char *begin = strstr(svg, "<svg");
  if (!begin) return;
  sl__page_raw(page, "<figure>\n<div class=\"wide\">");
  add_picture(page, number, begin, svg + length);
  sl__page_raw(page, "</div>\n");
  sl__page_element(page, "figcaption", NULL, caption);
  sl__page_raw(page, "</figure>\n");
}

void sl__page_table(sl__page *page, int columns, const char *const *head) {
  sl__page_raw(page, "<div class=\"wide\"><table>\n");
  if (columns == 0) {
    sl__page_raw(page, "<tbody>\n");
    return;
  }
  sl__page_raw(page, "<thead><tr>");
  for (int c = 0; c < columns; c++) sl__page_element(page, "th", NULL, head[c]);
  sl__page_raw(page, "</tr></thead>\n<tbody>\n");
}

void sl__page_row(sl__page *page, const char *name) {
  sl__page_raw(page, "<tr>");
  sl__page_element(page, "td", NULL, name);
}

void sl__page_number(sl__page *page, double value, int decimals) {
  char number[64];
  sl__format_fixed(number, value, decimals);
  sl__page_element(page, "td", NULL, isnan(value) ? "\xe2\x80\x93" : number);
}

void sl__page_cell(sl__page *page, const char *words) {
  sl__page_element(page, "td", "words", words);
}

void sl__page_row_end(sl__page *page) {
  sl__page_raw(page, "</tr>\n");
}

void sl__page_table_end(sl__page *page) {
  sl__page_raw(page, "</tbody></table></div>\n");
}
