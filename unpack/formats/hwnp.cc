// HWNP, the image of Huawei's optical terminals (ONT).
//
//   0   "HWNP"
//   4   size, in an odd form; 8: CRC-32 of everything from byte 12
//   12  size of product list and item table (some builders add the header)
//   16  CRC-32 of header and tables from byte 20
//   20  number of items, 2 bytes, 26: size of the product list (16 bits), 28: size of an item, 4 bytes
//   36  product list: "hardware|hardware|;region|"
//       items of 360 bytes: index, CRC-32, offset, size, path (256) "file:/…" or "flash:…", section (16), version (64),
//       policy, reserved
//       the items' bytes
//
// Numbers are little endian. Source: 0xuserpag3/HuaweiFirmwareTool, huawei_header.h and util_hw.cpp.
#include "core/text.h"
#include "unpack/describe.h"
#include "unpack/vendor.h"

#include <algorithm>

namespace assay::unpack::hwnp {
namespace {

constexpr Magic kMagics[] = {{"HWNP"}};
constexpr uint64_t kHeader = 36, kItem = 360;
constexpr uint32_t kMostItems = 4096;

struct Item {
  uint64_t at = 0, offset = 0, size = 0;
  std::string path, section, version;
  bool holds = false;
};

struct Image {
  uint64_t products = 0, tables_end = 0, end = 0;
  bool header_holds = false, holds = false;
  std::vector<Item> items;
};

Result<Item> read_item(Bytes from, uint64_t at, uint64_t tables_end) {
  Item i{.at = at};
  i.offset = TRY(from.le<uint32_t>(at + 8, "item offset"));
  i.size = TRY(from.le<uint32_t>(at + 12, "item size"));
  i.path = TRY(from.text_field(at + 16, 256, "item path"));
  i.section = TRY(from.text_field(at + 272, 16, "item section"));
  i.version = TRY(from.text_field(at + 288, 64, "item version"));
  if (i.offset < tables_end) return fail(Fault::kMalformed, "item lies in the tables", from.base() + at + 8);
  const Bytes bytes = TRY(from.slice(i.offset, i.size, "item"));
  i.holds = checksum_holds(crc32(bytes), TRY(from.le<uint32_t>(at + 4, "item crc32")));
  return i;
}

Result<Image> read_image(Bytes from) {
  Image image;
  const uint32_t count = TRY(from.le<uint32_t>(20, "number of items"));
  image.products = TRY(from.le<uint16_t>(26, "product list size"));
  if (count == 0 || count > kMostItems) return fail(Fault::kMalformed, "number of items", from.base() + 20);
  if (TRY(from.le<uint32_t>(28, "item record size")) != kItem)
    return fail(Fault::kUnsupported, "item record size", from.base() + 28);
  image.tables_end = kHeader + image.products + count * kItem;
  const Bytes tables = TRY(from.slice(20, image.tables_end - 20, "tables"));
  image.header_holds = checksum_holds(crc32(tables), TRY(from.le<uint32_t>(16, "header crc32")));
  if (!image.header_holds)
    return fail(Fault::kMalformed, "crc32 of header and tables does not match", from.base() + 16);
  image.end = image.tables_end;
  for (uint32_t i = 0; i < count; ++i) {
    image.items.push_back(TRY(read_item(from, kHeader + image.products + i * kItem, image.tables_end)));
    image.end = std::max(image.end, image.items.back().offset + image.items.back().size);
  }
  image.holds = checksum_holds(crc32(from.head(image.end - 12, 12)), TRY(from.le<uint32_t>(8, "crc32")));
  return image;
}

Result<Measured> measure(Bytes from) {
  const Image image = TRY(read_image(from));
  return Measured{image.end, image.holds || std::ranges::all_of(image.items, &Item::holds)};
}

// "file:/var/a.xml" is named var/a.xml; "flash:kernel" kernel.
std::string name_of_item(const Item& i) {
  const size_t colon = i.path.find(':');
  std::string name = colon == i.path.npos ? i.path : i.path.substr(colon + 1);
  while (name.starts_with('/')) name.erase(0, 1);
  return name.empty() ? i.section : name;
}

Result<void> put(Bytes whole, const Item& i, Sink& into) {
  TRY_VOID(into.step());
  const std::string name = name_of_item(i);
  state_checksum("crc32 of " + escape(name), "crc32", i.holds, i.at + 4, into);
  into.note("section of " + name, i.section + (i.version.empty() ? "" : ", version " + i.version), i.at + 272);
  if (i.section.find("SIGN") != i.section.npos)
    into.integrity(unchecked_signature(escape(name), "rsa2048-sha256", i.offset));
  return into.child(name, stored(whole.head(i.size, i.offset)));
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Image image = TRY(read_image(whole));
  into.range(Range::kHeader, 0, image.tables_end);
  note_text(whole, kHeader, image.products, "products", into);
  into.integrity(checksum("header crc32", "crc32", true, 16));
  state_checksum("image crc32", "crc32", image.holds, 8, into);
  for (const Item& i : image.items) TRY_VOID(put(whole, i, into));
  return {};
}

}  // namespace

extern const Format kHwnp;
const Format kHwnp = {.id = "hwnp",
                      .title = "Huawei HWNP firmware image",
                      .magics = kMagics,
                      .measure = measure,
                      .unpack = unpack,
                      .limits = "the signature item is not checked: its public key is in the device",
                      .source = "0xuserpag3/HuaweiFirmwareTool huawei_header.h, util_hw.cpp",
                      .checked = "own builder in the tests only"};

}  // namespace assay::unpack::hwnp
