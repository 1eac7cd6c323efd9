// Keys with plain values of a JSON text (RFC 8259), in order, with offsets. Tolerant: what is not JSON is skipped over.
#include "system/named_values.h"

#include <cctype>

namespace assay::system {
namespace {

constexpr size_t kMaximumJsonDepth = 256;

struct JsonReader {
  std::string_view text;
  size_t at = 0;
  uint32_t groups = 0;
  std::string key;
  size_t key_start = 0;
  bool has_key = false;
  struct Level {
    uint32_t group;
    std::string name;  // key under which the object stands
  };
  std::vector<Level> stack;
  size_t beyond = 0;  // levels deeper than the stack keeps
  NamedValues found;

  std::string string() {  // at the opening quote
    std::string out;
    for (++at; at < text.size() && text[at] != '"'; ++at) {
      if (text[at] == '\\' && at + 1 < text.size()) {
        const char c = text[++at];
        out += c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
        if (c == 'u') out.back() = '?';  // the four digits stay as they are written
      } else {
        out += text[at];
      }
    }
    if (at < text.size()) ++at;
    return out;
  }
  bool colon_follows() {
    size_t next = at;
    while (next < text.size() && std::isspace(static_cast<unsigned char>(text[next]))) ++next;
    if (next >= text.size() || text[next] != ':') return false;
    at = next + 1;
    return true;
  }
  void value(std::string what) {
    if (!has_key || key.size() > kMaximumNameBytes || what.size() > kMaximumValueBytes) return;
    if (found.values.size() == kMaximumValues) {
      found.limited = true;
      return;
    }
    std::string scope;
    const size_t from = stack.size() > 3 ? stack.size() - 3 : 0;
    for (size_t i = from; i < stack.size(); ++i)
      if (!stack[i].name.empty()) scope += (scope.empty() ? "" : "/") + stack[i].name;
    found.values.push_back(
        {std::move(scope), key, std::move(what), key_start, at - key_start, stack.empty() ? 0 : stack.back().group});
    has_key = false;
  }
  void open() {
    ++at;
    if (stack.size() == kMaximumJsonDepth) {
      ++beyond;
      found.limited = true;
    } else {
      stack.push_back({++groups, has_key ? key.substr(0, kMaximumNameBytes) : std::string()});
    }
    has_key = false;
  }
  void close() {
    ++at;
    if (beyond > 0)
      --beyond;
    else if (!stack.empty())
      stack.pop_back();
    has_key = false;
  }
  void word() {
    const size_t start = at;
    while (at < text.size() && (std::isalnum(static_cast<unsigned char>(text[at])) || text[at] == '.' ||
                                text[at] == '-' || text[at] == '+'))
      ++at;
    value(std::string(text.substr(start, at - start)));
  }
  void step() {
    const char c = text[at];
    if (c == '"') {
      const size_t start = at;
      std::string what = string();
      if (!colon_follows()) return value(std::move(what));
      key = std::move(what);
      key_start = start;
      has_key = true;
    } else if (c == '{' || c == '[') {
      open();
    } else if (c == '}' || c == ']') {
      close();
    } else if (std::isalnum(static_cast<unsigned char>(c)) || c == '-') {
      word();
    } else {
      ++at;
    }
  }
};

}  // namespace

NamedValues read_json(std::string_view text) {
  JsonReader reader{.text = text};
  while (reader.at < text.size() && reader.found.values.size() < kMaximumValues) reader.step();
  return std::move(reader.found);
}

}  // namespace assay::system
