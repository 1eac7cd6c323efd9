// Readers of option values and directives; what cannot be read as stated yields nothing.
#include "system/service_options.h"

#include "core/text.h"

#include <algorithm>

namespace assay::system {

std::vector<std::string> option_values(const std::vector<std::string>& arguments, std::string_view options) {
  std::vector<std::string> found;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    for (const std::string_view option : words(options)) {
      std::string value;
      if (argument == option && i + 1 < arguments.size())
        value = arguments[i + 1];
      else if (option.starts_with("--") && argument.starts_with(std::string(option) + "="))
        value = argument.substr(option.size() + 1);
      else if (option.size() == 2 && argument.size() > 2 && argument.starts_with(option) && argument[1] != '-')
        value = argument.substr(2);
      else
        continue;
      if (!value.empty() && value.find_first_of("$`") == std::string::npos) found.push_back(std::move(value));
      break;
    }
  }
  return found;
}

bool has_option(const std::vector<std::string>& arguments, std::string_view option) {
  return std::find(arguments.begin(), arguments.end(), option) != arguments.end();
}

Directive directive(std::string_view text, std::string_view key) {
  Directive found;
  if (key.empty()) return found;
  for (const Line& line : lines(text.substr(0, 1 << 18))) {
    std::string_view plain = trim(line.text);
    if (plain.size() <= key.size() || !plain.starts_with(key)) continue;
    plain.remove_prefix(key.size());
    if (plain[0] != ' ' && plain[0] != '\t' && plain[0] != '=' && plain[0] != ':') continue;
    plain = trim(plain);
    if (plain.starts_with('=') || plain.starts_with(':')) plain = trim(plain.substr(1));
    if (const size_t comment = plain.find(" #"); comment != std::string_view::npos)
      plain = trim(plain.substr(0, comment));
    while (plain.ends_with(';')) plain = trim(plain.substr(0, plain.size() - 1));
    if (plain.size() > 1 && (plain.front() == '"' || plain.front() == '\'') && plain.back() == plain.front())
      plain = plain.substr(1, plain.size() - 2);
    found = {std::string(plain), line.offset, std::string(line.text), true};
  }
  return found;
}

Endpoint endpoint_of(std::string_view text) {
  Endpoint made;
  const size_t colon = text.rfind(':');
  std::string_view port = text;
  if (colon != std::string_view::npos) {
    port = text.substr(colon + 1);
    made.bind = text.substr(0, colon);
    if (made.bind == "*") made.bind.clear();
  }
  uint32_t value = 0;
  if (port.empty() || port.size() > 5) return {};
  for (const char c : port) {
    if (c < '0' || c > '9') return {};
    value = value * 10 + static_cast<uint32_t>(c - '0');
  }
  if (value > 65535) return {};
  made.port = static_cast<uint16_t>(value);
  return made;
}

const Artifact* configuration_of(const Tree& tree, int volume, const std::vector<std::string>& arguments,
                                 std::string_view option, std::string_view defaults) {
  const auto file_at = [&](std::string_view path) -> const Artifact* {
    const Artifact* found = tree.find(volume, escape(path));
    return found && found->node.kind == Kind::kFile ? found : nullptr;
  };
  if (!option.empty()) {
    const std::vector<std::string> named = option_values(arguments, option);
    if (!named.empty()) return file_at(named.front());
  }
  for (const std::string_view path : words(defaults)) {
    if (const Artifact* found = file_at(path)) return found;
  }
  return nullptr;
}

}  // namespace assay::system
