// See services.h.
#include "checks/services.h"

#include "checks/words.h"

#include <algorithm>

namespace assay::checks {
namespace {

bool same_name(const Declared& d, const Service& s) {
  const std::string name = lower(d.name);
  return name == lower(s.name) || (!s.program.empty() && name == lower(base_name(s.program)));
}

bool same_protocol(const Declared& d, const Service& s) {
  return d.protocol.empty() || s.protocol.empty() || d.protocol == s.protocol;
}

// Interfaces are compared by the names that the image gives them; one that was not seen is not held against the
// service.
bool same_interface(const Declared& d, const Service& s) {
  return d.interfaces.empty() || s.interface.empty() ||
         std::ranges::find(d.interfaces, s.interface) != d.interfaces.end();
}

bool same_port(const Declared& d, const Service& s) {
  return same_protocol(d, s) && same_interface(d, s) && (d.port == 0 || s.port == 0 || d.port == s.port);
}

}  // namespace

bool declares_name(const Declaration& declaration, const Service& s) {
  return std::ranges::any_of(declaration.services, [&](const Declared& d) { return same_name(d, s); });
}

bool declares_port(const Declaration& declaration, const Service& s) {
  const auto service = [&](const Declared& d) { return same_name(d, s) && same_port(d, s); };
  const auto port = [&](const Declared& d) { return same_port(d, s); };
  return std::ranges::any_of(declaration.services, service) || std::ranges::any_of(declaration.ports, port);
}

}  // namespace assay::checks
