// Fuzz target: what a person hands over or a damaged store holds: declarations, canonical bytes, names.
#include "checks/check.h"
#include "core/pack.h"
#include "core/text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace assay;
  const Bytes bytes(std::as_bytes(std::span(data, size)));
  (void)checks::read_declaration(bytes.text());
  if (const auto unpacked = unpack_as<Unpacked>(bytes.text()); unpacked && !unpack_as<Unpacked>(pack(*unpacked)))
    __builtin_trap();
  (void)unpack_as<Facts>(bytes.text());
  if (unescape(escape(bytes.text())) != bytes.text()) __builtin_trap();
  return 0;
}
