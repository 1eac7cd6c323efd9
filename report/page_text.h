// The page's own text: report/page*.{html,css,js}, embedded by cmake/embed_page.cmake when the program is built.
#pragma once
#include <string_view>

namespace assay::report {

extern const std::string_view kPageHtml, kPageCss, kPageJs;

}  // namespace assay::report
