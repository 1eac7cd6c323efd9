// Small tolerant readers of the ways in which equipment stores its settings: lines or NUL-separated "name=value"
// (NVRAM, RT2860AP.dat, hostapd.conf), UCI, XML and JSON. They keep offsets, so that a fact can point at its bytes, and
// they end on any input: linear in the text, with a bounded stack and a bounded number of values.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace assay::system {

struct NamedValue {
  std::string scope;  // section, UCI "type name", or the names of the enclosing elements joined by '/'
  std::string name, value;
  uint64_t offset = 0, length = 0;  // of name and value together, as they stand in the text
  uint32_t group = 0;               // values of one group describe one thing: a section, an element, an object
};

struct NamedValues {
  std::vector<NamedValue> values;
  bool limited = false;  // a bound was hit: there is more in the text
};

// What one text may give; bytes for names and values.
constexpr size_t kMaximumValues = 20000, kMaximumNameBytes = 128, kMaximumValueBytes = 4096;

NamedValues read_assignments(std::string_view text);
NamedValues read_uci(std::string_view text);
NamedValues read_xml(std::string_view text);
NamedValues read_json(std::string_view text);

}  // namespace assay::system
