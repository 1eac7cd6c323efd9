// "name=value" lines and UCI files. UCI: openwrt.org/docs/guide-user/base-system/uci ("config type 'name'",
// "option name 'value'", "list name 'value'").
#include "system/named_values.h"

#include "core/text.h"

#include <cctype>

namespace assay::system {
namespace {

bool is_name(std::string_view name) {
  if (name.empty() || name.size() > kMaximumNameBytes) return false;
  for (const char c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)) && std::string_view("_.-:/[]@").find(c) == std::string_view::npos)
      return false;
  return true;
}

// The value without its quotes; of an unquoted one the white space is trimmed.
std::string_view unquoted(std::string_view value) {
  value = trim(value);
  if (value.size() < 2 || (value[0] != '"' && value[0] != '\'')) return value;
  const size_t end = value.find(value[0], 1);
  return end == std::string_view::npos ? value : value.substr(1, end - 1);
}

// Lines that end in a newline or in a NUL.
std::vector<Line> entries_of(std::string_view text) {
  if (text.find('\0') == std::string_view::npos) return lines(text);
  std::vector<Line> found;
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find_first_of(std::string_view("\0\n", 2), at);
    if (end == std::string_view::npos) end = text.size();
    if (end > at) found.push_back({text.substr(at, end - at), at, 0});
    at = end + 1;
  }
  return found;
}

struct Word {
  std::string text;
  size_t start = 0, end = 0;
};

// Words of a UCI line; quotes join, and may be mixed: 'a'"b"c.
std::vector<Word> quoted_words(std::string_view line) {
  std::vector<Word> found;
  size_t i = 0;
  while (i < line.size() && found.size() < 4) {
    while (i < line.size() && std::isspace(static_cast<unsigned char>(line[i]))) ++i;
    if (i == line.size() || line[i] == '#') break;
    Word word{.start = i};
    while (i < line.size() && !std::isspace(static_cast<unsigned char>(line[i]))) {
      const char quote = line[i];
      if (quote != '\'' && quote != '"') {
        word.text += line[i++];
        continue;
      }
      for (++i; i < line.size() && line[i] != quote; ++i) word.text += line[i];
      if (i < line.size()) ++i;
    }
    word.end = i;
    found.push_back(std::move(word));
  }
  return found;
}

}  // namespace

NamedValues read_assignments(std::string_view text) {
  NamedValues found;
  std::string scope;
  uint32_t group = 0;
  for (const Line& line : entries_of(text)) {
    std::string_view entry = trim(line.text);
    if (entry.empty() || entry[0] == '#' || entry[0] == ';' || entry[0] == '!' || entry.starts_with("//")) continue;
    if (entry[0] == '[' && entry.back() == ']') {
      scope = entry.substr(1, entry.size() - 2);
      ++group;
      continue;
    }
    if (entry[0] == '}') ++group;
    if (entry.starts_with("export ")) entry.remove_prefix(7);
    const size_t equals = entry.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = trim(entry.substr(0, equals)), value = unquoted(entry.substr(equals + 1));
    if (!is_name(name) || value.size() > kMaximumValueBytes) continue;
    if (value == "{") {  // wpa_supplicant: network={
      scope = name;
      ++group;
      continue;
    }
    if (found.values.size() == kMaximumValues) {
      found.limited = true;
      break;
    }
    found.values.push_back({scope, std::string(name), std::string(value),
                            line.offset + static_cast<size_t>(entry.data() - line.text.data()), entry.size(), group});
  }
  return found;
}

NamedValues read_uci(std::string_view text) {
  NamedValues found;
  std::string scope;
  uint32_t group = 0;
  for (const Line& line : lines(text)) {
    const std::vector<Word> parts = quoted_words(line.text);
    if (parts.size() < 2) continue;
    if (parts[0].text == "config") {
      scope = parts[1].text + (parts.size() > 2 ? " " + parts[2].text : "");
      ++group;
    }
    if (parts.size() < 3 || (parts[0].text != "option" && parts[0].text != "list")) continue;
    if (found.values.size() == kMaximumValues) {
      found.limited = true;
      break;
    }
    if (parts[2].text.size() > kMaximumValueBytes || parts[1].text.size() > kMaximumNameBytes) continue;
    found.values.push_back(
        {scope, parts[1].text, parts[2].text, line.offset + parts[0].start, parts[2].end - parts[0].start, group});
  }
  return found;
}

}  // namespace assay::system
