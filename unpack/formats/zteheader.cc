// The header in front of ZTE's images and configurations.
//
//   0   99999999 44444444 55555555 AAAAAAAA
//   24  4 (tells the byte order of what follows)
//   60  64, 64: version, 68: size of this header (128), 72: size of what follows it
//
// Source: mkst/zte-config-utility, zcu/zte.py.
#include "unpack/describe.h"
#include "unpack/vendor.h"

namespace assay::unpack::zteheader {
namespace {

constexpr Magic kMagics[] = {{"\x99\x99\x99\x99\x44\x44\x44\x44\x55\x55\x55\x55\xaa\xaa\xaa\xaa"}};
constexpr uint64_t kLeastHeader = 128, kMostHeader = 4096;

struct Header {
  uint64_t size = 0, body = 0;
  uint32_t version = 0;
};

Result<Header> read_header(Bytes from) {
  const Order order = TRY(from.be<uint32_t>(24, "byte order")) == 4 ? Order::kBig : Order::kLittle;
  if (TRY(from.get<uint32_t>(24, order, "byte order")) != 4)
    return fail(Fault::kMalformed, "byte order", from.base() + 24);
  Header h;
  h.version = TRY(from.get<uint32_t>(64, order, "version"));
  h.size = TRY(from.get<uint32_t>(68, order, "header size"));
  h.body = TRY(from.get<uint32_t>(72, order, "body size"));
  if (h.size < kLeastHeader || h.size > kMostHeader || h.body == 0)
    return fail(Fault::kMalformed, "header size " + std::to_string(h.size), from.base() + 68);
  TRY(from.slice(h.size, h.body, "body"));
  return h;
}

Result<Measured> measure(Bytes from) {
  const Header h = TRY(read_header(from));
  return Measured{h.size + h.body, true};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Header h = TRY(read_header(whole));
  into.range(Range::kHeader, 0, h.size);
  into.note("version", std::to_string(h.version), 64);
  return into.child("body", stored(whole.head(h.body, h.size)));
}

}  // namespace

extern const Format kZteHeader;
const Format kZteHeader = {.id = "zteheader",
                           .title = "ZTE image header",
                           .magics = kMagics,
                           .measure = measure,
                           .unpack = unpack,
                           .source = "mkst/zte-config-utility zcu/zte.py",
                           .checked = "the configurations of zte-config-utility; own builder in the tests"};

}  // namespace assay::unpack::zteheader
