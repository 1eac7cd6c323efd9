// SEAMA, a chain of sealed entities; D-Link's images of several makers have it, some tools call it DLOB.
//
//   0   0x5EA3A417
//   4   reserved (16 bits), size of the metadata (16 bits)
//   8   size of the image, 0 for an entity of metadata alone
//   12  MD5 of the image, present only where its size is not 0
//       metadata: strings "name=value", each ended by NUL, filled up to its size
//       the image
//
// Entities follow one another ("signature=…" first, then the image). Numbers are big endian; the same structure in
// little endian is read too. Source: openwrt/firmware-utils, src/oseama.c and src/seama.h.
#include "core/text.h"
#include "unpack/describe.h"

#include <algorithm>

namespace assay::unpack::seama {
namespace {

constexpr Magic kMagics[] = {{"\x5e\xa3\xa4\x17"}, {"\x17\xa4\xa3\x5e"}};
constexpr uint32_t kMostEntities = 64;

struct Entity {
  uint64_t at = 0, header = 0, metadata = 0, metadata_size = 0, size = 0;
  bool intact = false;  // the MD5 holds, or there is nothing to hold it
  uint64_t image() const { return at + header; }
  uint64_t end() const { return image() + size; }
};

Order order_of(Bytes b) { return b.starts_with(kMagics[0].bytes) ? Order::kBig : Order::kLittle; }

Result<Entity> read_entity(Bytes b, uint64_t at, Order order) {
  if (TRY(b.get<uint32_t>(at, order, "magic")) != 0x5ea3a417) return fail(Fault::kMalformed, "magic", b.base() + at);
  Entity e;
  e.at = at;
  e.metadata_size = TRY(b.get<uint16_t>(at + 6, order, "metadata size"));
  e.size = TRY(b.get<uint32_t>(at + 8, order, "image size"));
  e.metadata = at + (e.size ? 28 : 12);
  e.header = e.metadata - at + e.metadata_size;
  TRY(b.slice(e.metadata, e.metadata_size, "metadata"));
  const Bytes image = TRY(b.slice(e.image(), e.size, "image"));
  std::array<uint8_t, 16> digest{};
  if (e.size) std::memcpy(digest.data(), b.data() + at + 12, digest.size());
  e.intact = e.size == 0 || checksum_holds(md5(image), digest);
  return e;
}

// The chain ends where no further entity starts.
Result<std::vector<Entity>> read_chain(Bytes b) {
  std::vector<Entity> chain;
  const Order order = order_of(b);
  for (uint64_t at = 0; chain.size() < kMostEntities;) {
    auto next = read_entity(b, at, order);
    if (!next) {
      if (chain.empty()) return std::unexpected(std::move(next).error());
      break;
    }
    at = next->end();
    chain.push_back(*next);
  }
  return chain;
}

Result<Measured> measure(Bytes from) {
  const auto chain = TRY(read_chain(from));
  const auto image = [](const Entity& e) { return e.size != 0; };
  if (std::ranges::none_of(chain, image)) return fail(Fault::kMalformed, "no entity holds an image", from.base());
  const bool intact = std::ranges::all_of(chain, &Entity::intact);
  return Measured{chain.back().end(), intact};
}

void note_metadata(Bytes whole, const Entity& e, Sink& into) {
  uint64_t at = e.metadata;
  for (const std::string_view text : split(whole.head(e.metadata_size, e.metadata).text(), '\0')) {
    if (const size_t equals = text.find('='); equals != text.npos && equals > 0)
      into.note(text.substr(0, equals), std::string(text.substr(equals + 1)), at);
    at += text.size() + 1;
  }
}

Result<void> unpack(Bytes whole, Sink& into) {
  size_t images = 0;
  for (const Entity& e : TRY(read_chain(whole))) {
    TRY_VOID(into.step());
    into.range(Range::kHeader, e.at, e.header);
    note_metadata(whole, e, into);
    if (!e.size) continue;
    into.note("md5", e.intact ? "valid" : "invalid", e.at + 12);
    into.integrity(checksum("md5 of the image", "md5", e.intact, e.at + 12));
    if (!e.intact) into.problem({Fault::kMalformed, "md5 of the image does not match", e.at + 12});
    const std::string name = images == 0 ? "image" : "image" + std::to_string(images);
    ++images;
    TRY_VOID(into.child(name, stored(TRY(whole.slice(e.image(), e.size, "image")))));
  }
  return {};
}

}  // namespace

extern const Format kSeama;
const Format kSeama = {.id = "seama",
                       .title = "SEAMA (DLOB) sealed firmware image",
                       .version = 2,
                       .magics = kMagics,
                       .measure = measure,
                       .unpack = unpack,
                       .reads = "chains of entities, several images among them; both byte orders",
                       .source = "openwrt/firmware-utils src/oseama.c, src/seama.h",
                       .checked = "real image: shared/firmware (D-Link DIR-300 B5); own builder"};

}  // namespace assay::unpack::seama
