/* html_page.h - the page of the HTML report, from page/, around the events of a run.  Made at build time by
 * page/embed.cmake. */
#ifndef SMCR_HTML_PAGE_H
#define SMCR_HTML_PAGE_H

extern const unsigned char smcr_html_before[], smcr_html_behind[];
extern const unsigned long smcr_html_before_size, smcr_html_behind_size;

#endif /* SMCR_HTML_PAGE_H */
