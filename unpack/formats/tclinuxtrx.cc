// The TRX of EcoNet/Ralink "tclinux" routers: DrayTek Vigor, ZyXEL, TP-Link and others on EN75xx and RT63xx.
//
//   0    "2RDH" (big endian) or "HDR2" (little endian); "0RDH" for ZyXEL's longer header
//   4    length of the header, of the whole image, CRC-32 without the final inversion of what follows the header
//   16   version (32), customer's version (32)
//   80   lengths of kernel, root file system and default configuration ("romfile")
//   92   model (32), 124: where the kernel is decompressed to
//   256 or more: kernel, root file system, romfile
//        DrayTek appends "DrayTekImageMD5\n", the MD5 of what stands before it as text, and a newline.
//
// Source: trx.h of EcoNet's SDK in the GPL releases of ASUS and ZyXEL; openwrt/firmware-utils, src/zytrx.c (0RDH, where
// the first length is that of everything); fkie-cad/fact_extractor draytek_vigor_167.py (the footer).
#include "unpack/describe.h"
#include "unpack/vendor.h"

#include <algorithm>

namespace assay::unpack::tclinuxtrx {
namespace {

constexpr Magic kMagics[] = {{"2RDH"}, {"HDR2"}, {"0RDH"}};
constexpr uint64_t kLeastHeader = 128, kMostHeader = 4096, kFooter = 49;
constexpr std::string_view kFooterMagic = "DrayTekImageMD5\n";

struct Header {
  Order order = Order::kBig;
  uint64_t size = 0, total = 0, kernel = 0, rootfs = 0, romfile = 0, footer = 0;  // footer: where it stands, or 0
  bool holds = false;
  uint64_t parts() const { return size + kernel + rootfs + romfile; }
  uint64_t end() const { return footer ? std::max(total, footer + kFooter) : total; }
};

// Some images count the footer in the total, others do not.
uint64_t find_footer(Bytes from, uint64_t total) {
  if (from.starts_with(kFooterMagic, total) && from.size() >= total + kFooter) return total;
  return total > kFooter && from.starts_with(kFooterMagic, total - kFooter) ? total - kFooter : 0;
}

Result<Header> read_header(Bytes from) {
  Header h;
  if (from.starts_with("HDR2")) h.order = Order::kLittle;
  h.size = TRY(from.get<uint32_t>(4, h.order, "header length"));
  h.total = TRY(from.get<uint32_t>(8, h.order, "image length"));
  h.kernel = TRY(from.get<uint32_t>(80, h.order, "kernel length"));
  h.rootfs = TRY(from.get<uint32_t>(84, h.order, "root file system length"));
  h.romfile = TRY(from.get<uint32_t>(88, h.order, "romfile length"));
  if (h.size < kLeastHeader || h.size > kMostHeader || h.total <= h.size)
    return fail(Fault::kMalformed, "header length " + std::to_string(h.size), from.base() + 4);
  if (h.parts() > h.total) return fail(Fault::kMalformed, "parts reach beyond the image", from.base() + 80);
  if (h.parts() == h.size) return fail(Fault::kMalformed, "no part", from.base() + 80);
  const Bytes body = TRY(from.slice(h.size, h.total - h.size, "image"));
  h.footer = find_footer(from, h.total);
  h.holds = checksum_holds(crc32_raw(body), TRY(from.get<uint32_t>(12, h.order, "crc32")));
  return h;
}

Result<Measured> measure(Bytes from) {
  const Header h = TRY(read_header(from));
  return Measured{h.end(), h.holds};
}

void state_footer(Bytes whole, const Header& h, Sink& into) {
  if (!h.footer) return;
  const std::string_view stored = whole.head(32, h.footer + kFooterMagic.size()).text();
  into.range(Range::kHeader, h.footer, kFooter);
  const bool holds = stored == hex(md5(whole.head(h.footer))) || checksums_ignored;
  state_checksum("md5 of the image", "md5", holds, h.footer + kFooterMagic.size(), into);
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Header h = TRY(read_header(whole));
  into.range(Range::kHeader, 0, h.size);
  note_text(whole, 16, 32, "version", into);
  note_text(whole, 48, 32, "customer version", into);
  note_text(whole, 92, 32, "model", into);
  state_checksum("crc32", "crc32", h.holds, 12, into);
  state_footer(whole, h, into);
  uint64_t at = h.size;
  const std::pair<const char*, uint64_t> parts[] = {{"kernel", h.kernel}, {"rootfs", h.rootfs}, {"romfile", h.romfile}};
  for (const auto& [name, size] : parts) {
    if (size) TRY_VOID(into.child(name, stored(TRY(whole.slice(at, size, name)))));
    at += size;
  }
  return between(whole, at, h.footer && h.footer < h.total ? h.footer : h.total, "rest", into);
}

}  // namespace

extern const Format kTclinuxTrx;
const Format kTclinuxTrx = {.id = "tclinuxtrx",
                            .title = "EcoNet tclinux TRX image (DrayTek, ZyXEL)",
                            .magics = kMagics,
                            .measure = measure,
                            .unpack = unpack,
                            .reads = "2RDH, HDR2, 0RDH; DrayTek's MD5 footer",
                            .limits = "ZyXEL's own checksums in the longer header are not read",
                            .source = "trx.h of EcoNet's SDK; openwrt/firmware-utils src/zytrx.c",
                            .checked = "output of openwrt's zytrx; the samples of fact_extractor; own builder"};

}  // namespace assay::unpack::tclinuxtrx
