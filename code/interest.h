// Which functions of a program say most to somebody who asks what it can do to a device.
#pragma once
#include "code/reading.h"

namespace assay::code {

// Functions that call what runs commands, checks secrets, talks to the network or copies without a bound, and the
// entry, and what uses strings; the most telling first, then by address. Others are left out.
std::vector<uint32_t> by_interest(Reading& reading);

}  // namespace assay::code
