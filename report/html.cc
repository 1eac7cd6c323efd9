// One self-contained page: the frame, the style and the script of report/page*, and the examination as JSON.
//
// What comes from an image is hostile. It reaches the page only as JSON inside <script type="application/json">, where
// no character that HTML gives a meaning to is left, and the script writes it with textContent only. The policy in the
// frame allows nothing from outside the file.
#include "report/page_data.h"
#include "report/page_text.h"

namespace assay::report {
namespace {

// JSON in ASCII, so that U+2028 and U+2029 are escaped as well, without what could end or open an element.
std::string inert(const Json& data) {
  std::string out;
  for (const char c : data.dump(-1, ' ', true, Json::error_handler_t::replace)) {
    if (c == '<')
      out += "\\u003c";
    else if (c == '>')
      out += "\\u003e";
    else if (c == '&')
      out += "\\u0026";
    else
      out += c;
  }
  return out;
}

}  // namespace

std::string html(const Examination& examination, const CodeViews& code) {
  std::string out;
  std::string_view rest = kPageHtml;
  const auto fill = [&](std::string_view mark, std::string_view with) {
    const size_t at = rest.find(mark);
    out += rest.substr(0, at);
    out += with;
    rest.remove_prefix(at + mark.size());
  };
  fill("{{style}}", kPageCss);
  fill("{{data}}", inert(page_data(examination, code)));
  fill("{{script}}", kPageJs);
  out += rest;
  return out;
}

}  // namespace assay::report
