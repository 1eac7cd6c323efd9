// Communications as a Manufacturer Usage Description (RFC 8520; YANG modules ietf-mud, ietf-access-control-list and
// ietf-acldns in JSON, RFC 7951). A MUD file is a list of what is allowed; what one side cannot say in the words of the
// other is left out and named, so that nothing becomes wider on the way.
#pragma once
#include "checks/check.h"

namespace assay::checks {

struct MudFile {
  std::vector<Declared> communications;  // name, protocol, port; sorted, each once
  ProductNames names;                    // mud_url, vendor, model, release
  std::vector<std::string> left_out;
};
// kMalformed names the member and the entry.
Result<MudFile> read_mud(std::string_view json);

struct MudText {
  std::string json;
  std::vector<std::string> left_out;
};
// Needs the declaration's mud_url and support period: a MUD file must say both. `as_of` becomes its last-update.
Result<MudText> write_mud(const Declaration& declaration, const std::string& as_of);

}  // namespace assay::checks
