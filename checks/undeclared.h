// What has to be declared: shared by the checks that state what is undeclared and by the draft of a declaration, so
// that what a draft names is exactly what they look for.
#pragma once
#include "checks/check.h"

namespace assay::checks {

// The account can be used with the password that is stored beside it.
bool can_be_used(const Account& account);

// Not an address that leads nowhere outside (loopback, private, multicast, documentation: RFC 6890), not the name of an
// XML schema, not a mail address.
bool leads_outside(const Outbound& outbound);
bool names(const Declared& declared, const Outbound& outbound);  // a declared communication covers it

}  // namespace assay::checks
