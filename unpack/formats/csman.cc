// Two headers of Realtek's devices.
//
//   CSman, a configuration   0 "CS" big endian, "SC" little  2 ?  4 size stored  8 ?  12 size decoded; a zlib stream
//                            where the sizes differ; entries: key (4), size (2), value; a key of 0 ends them
//   RTK0, an image           0 "RTK0"  4 size, all of it  8 checksum  16 size of the header without its magic
//
// Source: ReFirmLabs/binwalk src/structures/csman.rs, src/extractors/csman.rs, src/structures/rtk.rs.
#include "unpack/codecs.h"
#include "unpack/describe.h"

#include <map>

namespace assay::unpack::csman {
namespace {

constexpr Magic kMagics[] = {{"CS"}, {"SC"}};
constexpr Magic kRtkMagics[] = {{"RTK0"}};
constexpr uint64_t kHeader = 16, kLargest = 16 << 20;

struct Value {
  uint32_t key = 0;
  Bytes bytes;
};

struct Configuration {
  Order order = Order::kBig;
  uint32_t stored = 0, size = 0;
  MemoryOutput decoded{kLargest};

  bool packed() const { return stored != size; }
};

Result<std::vector<Value>> read_values(Bytes b, Order order) {
  std::vector<Value> values;
  for (uint64_t at = 0;;) {
    const uint32_t key = TRY(b.get<uint32_t>(at, order, "key"));
    if (key == 0) {
      if (values.empty() || b.size() - at > 8) return fail(Fault::kMalformed, "the end of the entries", b.base() + at);
      return values;
    }
    const uint16_t size = TRY(b.get<uint16_t>(at + 4, order, "size of a value"));
    values.push_back({key, TRY(b.slice(at + 6, size, "value"))});
    at += 6 + uint64_t{size};
  }
}

// What it decodes to stays in `c`, so that values may be views of it.
Result<std::vector<Value>> read_configuration(Bytes from, Configuration& c) {
  const Bytes h = TRY(from.slice(0, kHeader, "header"));
  c.order = h[0] == 'C' ? Order::kBig : Order::kLittle;
  c.stored = *h.get<uint32_t>(4, c.order, "");
  c.size = *h.get<uint32_t>(12, c.order, "");
  if (c.stored < 10 || c.size < 10 || c.size > kLargest) return fail(Fault::kForeign, "sizes", h.base() + 4);
  const Bytes data = TRY(from.slice(kHeader, c.stored, "entries"));
  if (!c.packed()) return read_values(data, c.order);
  if (data[0] != 0x78) return fail(Fault::kForeign, "no zlib stream", data.base());
  if (TRY(inflate_zlib(data, c.decoded)) != c.stored)
    return fail(Fault::kMalformed, "the stream ends before the stated size", h.base() + 4);
  if (c.decoded.written() != c.size) return fail(Fault::kMalformed, "decodes to another size", h.base() + 12);
  return read_values(c.decoded.bytes(), c.order);
}

Result<Measured> measure(Bytes from) {
  Configuration c;
  TRY(read_configuration(from, c));
  return Measured{kHeader + c.stored, c.packed()};
}

Result<void> unpack(Bytes whole, Sink& into) {
  Configuration c;
  const auto values = TRY(read_configuration(whole, c));
  into.range(Range::kHeader, 0, c.packed() ? kHeader : kHeader + c.stored);
  std::map<uint32_t, int> seen;
  for (const Value& value : values) {
    Node node;
    node.path = hex_number(value.key);
    if (const int before = seen[value.key]++) node.path += "-" + std::to_string(before);
    if (!c.packed()) {
      TRY_VOID(into.node(std::move(node), stored(value.bytes)));
      continue;
    }
    TRY_VOID(into.output().write(value.bytes.span()));
    TRY_VOID(into.node(std::move(node), {{whole.head(c.stored, kHeader)}, "zlib"}));
  }
  return {};
}

struct Rtk {
  uint32_t size = 0, header = 0;
};

Result<Rtk> read_rtk(Bytes from) {
  const Bytes h = TRY(from.slice(0, 32, "header"));
  const Rtk r = {*h.le<uint32_t>(4, ""), *h.le<uint32_t>(16, "")};
  if (r.header < 28 || r.header > 4096 || r.size <= r.header + 4 || r.size != from.size())
    return fail(Fault::kForeign, "size of the image", h.base() + 4);
  return r;
}

Result<Measured> measure_rtk(Bytes from) { return Measured{TRY(read_rtk(from)).size, false}; }

Result<void> unpack_rtk(Bytes whole, Sink& into) {
  const Rtk r = TRY(read_rtk(whole));
  const uint64_t header = uint64_t{r.header} + 4;
  into.range(Range::kHeader, 0, header);
  into.note("checksum", hex_number(*whole.le<uint32_t>(8, "")), 8);
  return into.child("image", stored(whole.head(r.size - header, header)));
}

}  // namespace

extern const Format kCsMan;
const Format kCsMan = {.id = "csman",
                       .title = "CSman configuration (Realtek)",
                       .version = 2,
                       .magics = kMagics,
                       .measure = measure,
                       .unpack = unpack,
                       .carve = false,
                       .reads =
                           "both byte orders, plain and with zlib, which must fill the stated size; at the start of "
                           "a content",
                       .limits = "keys are numbers: no list of their names is public",
                       .source = "ReFirmLabs/binwalk src/structures/csman.rs, src/extractors/csman.rs",
                       .checked = "own builder only, its stream by Python's zlib"};

extern const Format kRtk0;
const Format kRtk0 = {.id = "rtk0",
                      .title = "Realtek RTK0 image",
                      .version = 1,
                      .magics = kRtkMagics,
                      .measure = measure_rtk,
                      .unpack = unpack_rtk,
                      .carve = false,
                      .reads = "its sizes",
                      .limits = "what its checksum is taken of is not documented: it is stated",
                      .source = "ReFirmLabs/binwalk src/structures/rtk.rs",
                      .checked = "own builder only"};

}  // namespace assay::unpack::csman
