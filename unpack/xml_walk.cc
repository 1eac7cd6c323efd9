#include "unpack/xml_walk.h"

#include "core/text.h"

#include <charconv>
#include <vector>

namespace assay::unpack {
namespace {

constexpr size_t kDeepest = 512;

void append_entity(std::string& out, std::string_view name) {
  constexpr std::pair<std::string_view, char> kNamed[] = {
      {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
  for (const auto& [known, c] : kNamed)
    if (known == name) return out.push_back(c);
  if (!name.starts_with('#')) return;
  const bool hexadecimal = name.starts_with("#x");
  uint32_t value = 0;
  std::from_chars(name.data() + (hexadecimal ? 2 : 1), name.data() + name.size(), value, hexadecimal ? 16 : 10);
  if (value > 0 && value < 0x110000) append_utf8(out, value);
}

std::string resolved(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    const size_t length = text[at] == '&' ? text.substr(at, 11).find(';') : text.npos;
    if (length == text.npos) {
      out.push_back(text[at]);
      continue;
    }
    append_entity(out, text.substr(at + 1, length - 1));
    at += length;
  }
  return out;
}

}  // namespace

std::string XmlElement::attribute(std::string_view name) const {
  for (size_t at = attributes.find(name); at != attributes.npos; at = attributes.find(name, at + 1)) {
    const std::string_view rest = attributes.substr(at + name.size());
    const bool word = at == 0 || attributes[at - 1] == ' ';
    if (!word || rest.size() < 3 || rest[0] != '=' || (rest[1] != '"' && rest[1] != '\'')) continue;
    const size_t end = rest.find(rest[1], 2);
    if (end != rest.npos) return resolved(rest.substr(2, end - 2));
  }
  return {};
}

Result<void> walk_xml(std::string_view text, const std::function<void(const XmlElement&)>& start,
                      const std::function<void(const XmlElement&)>& end) {
  XmlElement element;
  std::vector<size_t> cuts;  // lengths of the path before each open element
  size_t text_from = 0;
  const auto close = [&](size_t at) {
    element.text = resolved(trim(text.substr(text_from, at - text_from)));
    end(element);
    element.path.resize(cuts.back());
    cuts.pop_back();
  };
  for (size_t at = text.find('<'); at != text.npos; at = text.find('<', at)) {
    const size_t stop = text.find('>', at);
    if (stop == text.npos) return fail(Fault::kMalformed, "a tag does not end", at);
    std::string_view tag = text.substr(at + 1, stop - at - 1);
    if (tag.starts_with('?') || tag.starts_with('!')) {
      at = stop;
      continue;
    }
    if (tag.starts_with('/')) {
      if (cuts.empty() || std::string_view(element.path).substr(cuts.back() + 1) != trim(tag.substr(1)))
        return fail(Fault::kMalformed, "a tag ends what is not open", at);
      close(at);
    } else {
      const bool empty = tag.ends_with('/');
      if (empty) tag.remove_suffix(1);
      const size_t name_end = std::min(tag.find_first_of(" \t\r\n"), tag.size());
      if (cuts.size() >= kDeepest) return fail(Fault::kMalformed, "elements nest too deep", at);
      cuts.push_back(element.path.size());
      element.path.append("/").append(tag.substr(0, name_end));
      element.attributes = tag.substr(name_end);
      element.text.clear();
      start(element);
      text_from = stop + 1;
      if (empty) close(stop + 1);
    }
    text_from = stop + 1;
    at = stop;
  }
  return {};
}

}  // namespace assay::unpack
