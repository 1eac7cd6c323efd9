// Options of a command line and directives of configuration files, as daemons read them; for services and web.
#pragma once
#include "system/tree.h"

#include <string>
#include <string_view>
#include <vector>

namespace assay::system {

// Values given to one of the options in `options` ("-p --port"): "-p 80", "-p80", "--port=80", "--port 80".
// A value that the image does not decide ($PORT) is left out.
std::vector<std::string> option_values(const std::vector<std::string>& arguments, std::string_view options);
bool has_option(const std::vector<std::string>& arguments, std::string_view option);

struct Directive {
  std::string value;
  uint64_t offset = 0;
  std::string line;
  bool found = false;
};
// The last "key value", "key=value" or "key = value" of a text; quotes and a closing ';' taken off; '#' starts a
// comment.
Directive directive(std::string_view text, std::string_view key);

// "80", "1.2.3.4:80", "[::]:80", ":80", "*:80".
struct Endpoint {
  std::string bind;
  uint16_t port = 0;
};
Endpoint endpoint_of(std::string_view text);

// The configuration file a daemon reads: named by its option, else the first default that is there. Null: none.
const Artifact* configuration_of(const Tree& tree, int volume, const std::vector<std::string>& arguments,
                                 std::string_view option, std::string_view defaults);

}  // namespace assay::system
