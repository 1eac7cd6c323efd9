// Writes a declaration as YAML (docs/declaration.md). Each text is written so that checks/yaml.h reads the same bytes
// back: plain where nothing in it means anything to YAML 1.2, else in double quotes (its section 5.7).
#include "checks/draft.h"
#include "checks/sections.h"

#include <fmt/format.h>

#include <algorithm>

namespace assay::checks {
namespace {

constexpr size_t kLargest = 1 << 20;  // that the reader takes
constexpr size_t kLongestComment = 160;
constexpr size_t kMostLeftOut = 200;  // that are said one by one

bool is_plain(std::string_view text) {
  const auto alnum = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (text.empty() || !alnum(text[0]) || text == "null" || text == "Null" || text == "NULL") return false;
  return std::ranges::all_of(text, [&](char c) { return alnum(c) || std::string_view("_./+-").contains(c); });
}

// Line and paragraph separators, the byte order mark and C1 controls, which are UTF-8 but break or vanish in YAML.
size_t special(std::string_view text, uint32_t& code) {
  const auto at = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  if (text.size() >= 2 && at(0) == 0xc2 && at(1) <= 0xa0) return code = at(1), 2;
  if (text.size() < 3) return 0;
  code = (at(0) & 0xfu) << 12 | (at(1) & 0x3fu) << 6 | (at(2) & 0x3fu);
  return at(0) >= 0xe0 && at(0) < 0xf0 && (code == 0x2028 || code == 0x2029 || code == 0xfeff || code >= 0xfffe) ? 3
                                                                                                                 : 0;
}

std::string scalar(std::string_view text) {
  if (is_plain(text)) return std::string(text);
  std::string out = "\"";
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    uint32_t code = 0;
    if (const size_t length = special(text.substr(i), code); length > 0) {
      out += fmt::format("\\u{:04X}", code);
      i += length - 1;
    } else if (c < 0x20 || c == 0x7f) {
      out += fmt::format("\\x{:02X}", c);
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += text[i];
    }
  }
  return out + "\"";
}

// A comment holds printable ASCII only, whatever the image says.
std::string comment(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kLongestComment))
    out += c >= ' ' && c <= '~' ? std::string(1, c) : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  return text.size() > kLongestComment ? out + " ..." : out;
}

std::string value_of(const Declared& d, std::string_view key) {
  if (key == "port") return d.port == 0 ? "" : std::to_string(d.port);
  if (key == "interfaces") {
    std::string out;
    for (const std::string& one : d.interfaces) out += (out.empty() ? "[" : ", ") + scalar(one);
    return out.empty() ? "" : out + "]";
  }
  const std::pair<std::string_view, const std::string*> kTexts[] = {
      {"name", &d.name},       {"version", &d.version},       {"protocol", &d.protocol},
      {"purpose", &d.purpose}, {"credential", &d.credential}, {"program", &d.program},
      {"guard", &d.guard},     {"algorithm", &d.algorithm},   {"fingerprint", &d.fingerprint},
      {"until", &d.until}};
  for (const auto& [name, text] : kTexts)
    if (name == key && !text->empty()) return scalar(*text);
  return "";
}

std::string section_yaml(const Draft& draft, const Section& section, bool with_comments) {
  const std::vector<Declared>& entries = draft.declaration.*section.entries;
  if (!(draft.declaration.*section.present)) return "";
  if (entries.empty()) return std::string(section.name) + ": []\n";
  std::string out = std::string(section.name) + ":\n";
  const auto seen = draft.seen.find(section.name);
  for (size_t i = 0; i < entries.size(); ++i) {
    std::string fields;
    for (const std::string_view key : section.keys)
      if (const std::string value = value_of(entries[i], key); !value.empty())
        fields += (fields.empty() ? "" : ", ") + std::string(key) + ": " + value;
    out += "  - {" + fields + "}";
    if (with_comments && seen != draft.seen.end()) out += "  # " + comment(seen->second[i]);
    out += "\n";
  }
  return out;
}

// A name that is not known stands as a comment to fill in.
std::string names_yaml(const Declaration& d) {
  const std::pair<const char*, const std::string*> kNames[] = {
      {"vendor", &d.names.vendor},  {"product", &d.names.product}, {"model", &d.names.model},
      {"class", &d.network_class},  {"release", &d.names.release}, {"unique_id", &d.names.unique_id},
      {"mud_url", &d.names.mud_url}};
  std::string out;
  for (const auto& [key, text] : kNames)
    out += text->empty() ? fmt::format("# {}:\n", key) : fmt::format("{}: {}\n", key, scalar(*text));
  if (d.support_until.empty()) return out + "# support: {from: YYYY-MM-DD, until: YYYY-MM-DD}\n";
  const std::string from = d.support_from.empty() ? "" : "from: " + d.support_from + ", ";
  return out + "support: {" + from + "until: " + d.support_until + "}\n";
}

std::string write(const Draft& draft, bool with_comments) {
  std::string out;
  for (const std::string& line : draft.head) out += "# " + comment(line) + "\n";
  out += "declaration: 1\n" + names_yaml(draft.declaration);
  for (const std::string& hint : draft.hints) out += "# the image says: " + comment(hint) + "\n";
  for (const Section& section : sections()) out += section_yaml(draft, section, with_comments);
  for (size_t i = 0; i < std::min(draft.left_out.size(), kMostLeftOut); ++i)
    out += "# left out: " + comment(draft.left_out[i]) + "\n";
  if (draft.left_out.size() > kMostLeftOut)
    out += fmt::format("# left out: {} more\n", draft.left_out.size() - kMostLeftOut);
  return out;
}

}  // namespace

Result<std::string> declaration_yaml(const Draft& draft) {
  std::string out = write(draft, true);
  if (out.size() > kLargest) out = write(draft, false);
  if (out.size() > kLargest)
    return fail(Fault::kLimit, "the declaration has " + std::to_string(out.size()) + " bytes, more than 1 MiB");
  return out;
}

}  // namespace assay::checks
