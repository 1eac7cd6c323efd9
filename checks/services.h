// How a declaration covers a service: shared by service.undeclared and service.port_undeclared, so that the two
// together leave no gap and state nothing twice.
#pragma once
#include "checks/check.h"

namespace assay::checks {

// Declared by the service's word or the program's name, whatever the port.
bool declares_name(const Declaration& declaration, const Service& service);
// Declared at its port: by an entry of that name, or by a port entry.
bool declares_port(const Declaration& declaration, const Service& service);

}  // namespace assay::checks
