// See xml.h.
#include "certify/xml.h"

#include "core/text.h"

#include <algorithm>
#include <charconv>
#include <vector>

namespace assay::certify::xml {
namespace {

constexpr size_t kDeepest = 64, kMostAttributes = 64;

class Reader {
 public:
  Reader(std::string_view text, const Visitor& visitor) : text_(text), visitor_(visitor) {}

  Result<void> document() {
    while (at_ < text_.size()) {
      const size_t next = std::min(text_.find('<', at_), text_.size());
      if (open_.empty() && text_.substr(at_, next - at_).find_first_not_of(" \t\r\n") != std::string_view::npos)
        return wrong("text outside of the root element");
      at_ = next;
      if (at_ < text_.size()) TRY_VOID(markup());
    }
    if (!open_.empty()) return wrong("element " + open_.back() + " is not closed: the file is cut off");
    if (!rooted_) return wrong("no root element");
    return {};
  }

 private:
  std::unexpected<Error> wrong(const std::string& what) const {
    return fail(Fault::kMalformed, "xml: offset " + std::to_string(at_) + ": " + what, at_);
  }

  Result<void> skip_to(std::string_view end) {
    const size_t found = text_.find(end, at_);
    if (found == std::string_view::npos) return wrong("\"" + std::string(end) + "\" is missing");
    at_ = found + end.size();
    return {};
  }

  Result<void> markup() {
    const std::string_view rest = text_.substr(at_);
    if (rest.starts_with("<?")) return skip_to("?>");
    if (rest.starts_with("<!--")) return skip_to("-->");
    if (rest.starts_with("<![CDATA[")) return skip_to("]]>");
    if (rest.starts_with("<!DOCTYPE")) {
      if (rest.substr(0, rest.find('>')).contains('[')) return wrong("a document type with definitions of its own");
      return skip_to(">");
    }
    return rest.starts_with("</") ? end_tag() : start_tag();
  }

  void skip_space() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").contains(text_[at_])) ++at_;
  }

  Result<std::string> name() {
    const size_t from = at_;
    while (at_ < text_.size() && !std::string_view(" \t\r\n=/<>\"'&").contains(text_[at_])) ++at_;
    if (at_ == from) return wrong("a name is missing");
    return std::string(text_.substr(from, at_ - from));
  }

  Result<void> expect(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return wrong(std::string("'") + c + "' is missing");
    ++at_;
    return {};
  }

  Result<void> end_tag() {
    at_ += 2;
    const std::string closed = TRY(name());
    skip_space();
    TRY_VOID(expect('>'));
    if (open_.empty() || open_.back() != closed) return wrong("</" + closed + "> closes nothing");
    open_.pop_back();
    visitor_.close(closed);
    return {};
  }

  Result<void> start_tag() {
    ++at_;
    std::string opened = TRY(name());
    Attributes attributes;
    skip_space();
    while (at_ < text_.size() && text_[at_] != '>' && text_[at_] != '/') {
      TRY_VOID(attribute(attributes));
      skip_space();
    }
    const bool empty = at_ < text_.size() && text_[at_] == '/';
    if (empty) ++at_;
    TRY_VOID(expect('>'));
    if (open_.empty() && rooted_) return wrong("a second root element");
    if (open_.size() == kDeepest) return wrong("more than 64 elements deep");
    rooted_ = true;
    visitor_.open(opened, attributes);
    if (empty)
      visitor_.close(opened);
    else
      open_.push_back(std::move(opened));
    return {};
  }

  Result<void> attribute(Attributes& into) {
    std::string key = TRY(name());
    skip_space();
    TRY_VOID(expect('='));
    skip_space();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '"' && quote != '\'') return wrong("the value of " + key + " is not quoted");
    const size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) return wrong("the value of " + key + " does not end");
    std::string value = TRY(unescaped(text_.substr(at_ + 1, end - at_ - 1)));
    at_ = end + 1;
    if (into.size() == kMostAttributes) return wrong("more than 64 attributes");
    if (!into.try_emplace(std::move(key), std::move(value)).second) return wrong("an attribute stands twice");
    return {};
  }

  Result<std::string> unescaped(std::string_view raw) const {
    constexpr std::pair<std::string_view, char> kEntities[] = {
        {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
    std::string out;
    for (size_t i = 0; i < raw.size(); ++i) {
      if (raw[i] == '<') return wrong("'<' in a value");
      if (raw[i] != '&') {
        out += raw[i];
        continue;
      }
      const size_t end = raw.find(';', i);
      const std::string_view entity = raw.substr(i + 1, end == std::string_view::npos ? 0 : end - i - 1);
      const auto* known = std::ranges::find(kEntities, entity, &std::pair<std::string_view, char>::first);
      if (known != std::end(kEntities))
        out += known->second;
      else if (entity.starts_with('#'))
        out += TRY(character(entity.substr(1)));
      else
        return wrong("unknown entity \"" + std::string(entity) + "\"");
      i = end;
    }
    return out;
  }

  Result<std::string> character(std::string_view digits) const {
    const bool hex = digits.starts_with('x');
    if (hex) digits.remove_prefix(1);
    uint32_t code = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, hex ? 16 : 10);
    if (error != std::errc() || end != digits.data() + digits.size() || code == 0 || code > 0x10ffff ||
        (code >= 0xd800 && code < 0xe000))
      return wrong("no character &#" + std::string(digits) + ";");
    std::string out;
    append_utf8(out, code);
    return out;
  }

  std::string_view text_;
  const Visitor& visitor_;
  size_t at_ = 0;
  bool rooted_ = false;
  std::vector<std::string> open_;
};

}  // namespace

Result<void> read(std::string_view text, const Visitor& visitor) { return Reader(text, visitor).document(); }

}  // namespace assay::certify::xml
