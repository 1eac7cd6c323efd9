// OpenWrt's configuration files (https://openwrt.org/docs/guide-user/base-system/uci): sections of options and lists.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace assay::system {

struct UciOption {
  std::string name, value;
  bool list = false;
  uint64_t offset = 0, length = 0;  // of the line
};
struct UciSection {
  std::string type, name;  // name: "" for an anonymous section
  uint64_t offset = 0, length = 0;
  std::vector<UciOption> options;
  // The value of an option; the values of a list joined by spaces, as `uci get` prints them. Null-like: "" and `found`.
  std::string value(std::string_view option, bool* found = nullptr) const;
};
std::vector<UciSection> uci_sections(std::string_view text);

}  // namespace assay::system
