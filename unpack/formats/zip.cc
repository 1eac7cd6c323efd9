// ZIP archives. The central directory at the end is the truth; local headers are checked against it.
//
//   "PK" 03 04  local header (30 bytes), name, extra fields; data; if flagged, "PK" 07 08 and the sizes behind them
//   "PK" 01 02  central header (46 bytes), name, extra fields, comment: one a member
//   "PK" 06 06  ZIP64 end record, "PK" 06 07 its locator: when a count or size does not fit
//   "PK" 05 06  end record (22 bytes), comment: where the central directory starts and how long it is
//
// Offsets count from the start of the file the archive was made in: a stub in front may or may not be counted.
// Source: PKWARE APPNOTE.TXT 6.3.10; Info-ZIP, proginfo/extrafld.txt.
#include "unpack/zip.h"

#include "core/hash.h"
#include "unpack/codecs.h"
#include "unpack/format.h"
#include "unpack/zip_crypt.h"

#include <algorithm>

namespace assay::unpack::zip {
namespace {

constexpr Magic kMagics[] = {{"PK\x03\x04"}};
constexpr uint16_t kEncrypted = 1, kDescriptor = 8, kStrong = 0x40;  // flags; strong: not the traditional encryption

Result<Measured> measure(Bytes from) {
  const ZipDirectory d = TRY(find_zip_directory(from));
  return Measured{d.end, true};
}

// Passes on at most `most` bytes and sums them.
class Checked final : public Output {
 public:
  Checked(Output& into, uint64_t most) : into_(into), most_(most) {}
  Result<void> write(std::span<const std::byte> piece) override {
    if (piece.size() > most_ - count_)
      return fail(Fault::kMalformed, "decoded size exceeds the stated " + std::to_string(most_));
    crc_ = crc32(Bytes(piece), crc_);
    count_ += piece.size();
    return into_.write(piece);
  }
  uint64_t written() const override { return count_; }
  uint32_t crc() const { return crc_; }

 private:
  Output& into_;
  uint64_t most_, count_ = 0;
  uint32_t crc_ = 0;
};

// Method 14: version of the SDK (16 bits), length of the properties (16 bits), properties, raw LZMA.
Result<uint64_t> decode_method_lzma(Bytes data, const ZipMember& m, Output& into) {
  constexpr uint16_t kEndMarker = 2;
  if (TRY(data.le<uint16_t>(2, "lzma properties length")) != 5)
    return fail(Fault::kUnsupported, "lzma properties length", data.base() + 2);
  const auto dictionary = TRY(data.le<uint32_t>(5, "lzma dictionary size"));
  const auto properties = lzma_properties(TRY(data.le<uint8_t>(4, "lzma properties")), dictionary);
  if (!properties) return fail(Fault::kMalformed, "lzma properties", data.base() + 4);
  const auto size = m.flags & kEndMarker ? std::nullopt : std::optional(m.size);
  return decode_lzma_raw(data.head(data.size(), 9), *properties, size, into);
}

std::string_view codec_of(uint16_t method) {
  switch (method) {
    case 0:
      return "stored";
    case 8:
      return "deflate";
    case 12:
      return "bzip2";
    case 14:
      return "lzma";
    case 93:
      return "zstd";
    case 95:
      return "xz";
    default:
      return "";
  }
}

Result<uint64_t> run_codec(Bytes data, const ZipMember& m, Output& into) {
  switch (m.method) {
    case 0:
      TRY_VOID(into.write(data.span()));
      return data.size();
    case 8:
      return inflate_raw(data, into);
    case 12:
      return decode_bzip2(data, into);
    case 14:
      return decode_method_lzma(data, m, into);
    case 93:
      return decode_zstd(data, into);
    case 95:
      return decode_xz(data, into);
    default:
      return fail(Fault::kUnsupported, "compression method " + std::to_string(m.method), data.base());
  }
}

// Decodes the member, which must yield its stated size and checksum.
Result<void> decode_member(Bytes data, const ZipMember& m, Output& into) {
  Checked checked(into, m.size);
  TRY(run_codec(data, m, checked));
  if (checked.written() != m.size) return fail(Fault::kMalformed, "decoded size is below the stated one", data.base());
  if (!checksum_holds(checked.crc(), m.crc)) return fail(Fault::kMalformed, "crc32 does not match", data.base());
  return {};
}

// The record that may stand between a member's data and the next header: with or without its magic, 32 or 64 bits.
void account_for_descriptor(Bytes whole, const ZipMember& m, uint64_t next, Sink& into) {
  const uint64_t gap = next - m.data_end();
  if (!(m.flags & kDescriptor) || gap < 12) return;
  const bool magic = whole.starts_with("PK\x07\x08", m.data_end());
  const auto crc = whole.le<uint32_t>(m.data_end() + (magic ? 4 : 0), "descriptor");
  if (!crc || *crc != m.crc) return;
  const uint64_t narrow = magic ? 16 : 12, wide = magic ? 24 : 20;
  into.range(Range::kHeader, m.data_end(), gap == wide ? wide : narrow);
}

Node node_of(const ZipMember& m) {
  constexpr uint32_t kType = 0170000, kLink = 0120000, kDirectory = 0040000;
  Node node;
  node.path = m.name;
  node.uid = m.uid, node.gid = m.gid, node.mtime = m.mtime;
  if (m.unix_mode) node.mode = *m.unix_mode & 07777;
  const uint32_t type = m.unix_mode.value_or(0) & kType;
  if (type == kLink)
    node.kind = Kind::kSymlink;
  else if (type == kDirectory || m.name.ends_with('/'))
    node.kind = Kind::kDirectory;
  return node;
}

std::unexpected<Error> leave_closed(const ZipMember& m, Sink& into) {
  into.range(Range::kEncrypted, m.data, m.packed);
  return fail(Fault::kEncrypted, "member is encrypted", m.data);
}

// A member under ZIP's traditional encryption, where one of the documented passwords opens it: its decoded bytes are in
// the sink's output then.
Result<void> open_encrypted(Bytes data, const ZipMember& m, Sink& into) {
  const auto check = static_cast<uint8_t>(m.flags & kDescriptor ? m.time >> 8 : m.crc >> 24);
  for (const DocumentedPassword& p : documented_zip_passwords()) {
    if (m.flags & kStrong || codec_of(m.method).empty()) break;
    TRY_VOID(into.step(1));
    if (!zip_password_may_fit(data, p.password, check)) continue;
    TRY_VOID(into.step(data.size() / 16));
    const std::string plain = zip_decrypt(data, p.password);
    if (auto done = decode_member(Bytes(plain), m, into.output()); !done) {
      into.discard();
      if (done.error().fault == Fault::kLimit) return done;
      continue;
    }
    into.opened({"zipcrypto", std::string(p.documented), m.data, m.packed});
    return {};
  }
  return leave_closed(m, into);
}

Result<void> put_link(Bytes data, const ZipMember& m, Node node, Sink& into) {
  constexpr uint64_t kLongestTarget = 4096;
  MemoryOutput target(kLongestTarget);
  if (m.size > kLongestTarget) return fail(Fault::kMalformed, "link target is too long", m.data);
  TRY_VOID(decode_member(data, m, target));
  node.target = target.bytes().text();
  into.range(Range::kHeader, m.data, m.packed);
  return into.node(std::move(node), nothing());
}

Result<void> put(Bytes whole, const ZipMember& m, Sink& into) {
  TRY_VOID(check_zip_local_header(whole, m));
  const Bytes data = TRY(whole.slice(m.data, m.packed, "data"));
  into.range(Range::kHeader, m.local, m.data - m.local);
  Node node = node_of(m);
  if (m.flags & kEncrypted) {
    if (node.kind != Kind::kFile) return leave_closed(m, into);
    TRY_VOID(open_encrypted(data, m, into));
    return into.node(std::move(node), {{data}, "zipcrypto"});
  }
  if (node.kind == Kind::kSymlink) return put_link(data, m, std::move(node), into);
  if (node.kind == Kind::kDirectory) return into.node(std::move(node), nothing());
  if (m.method == 0) {
    if (m.size != m.packed) return fail(Fault::kMalformed, "stored sizes differ", m.data);
    if (!checksum_holds(crc32(data), m.crc)) return fail(Fault::kMalformed, "crc32 does not match", m.data);
    return into.node(std::move(node), stored(data));
  }
  TRY_VOID(decode_member(data, m, into.output()));
  return into.node(std::move(node), {{data}, std::string(codec_of(m.method))});
}

// Members in the order of their place, so that one that reaches into the next shows.
Result<void> unpack(Bytes whole, Sink& into) {
  const ZipDirectory d = TRY(find_zip_directory(whole));
  std::vector<ZipMember> members = TRY(read_zip_members(whole, d, into));
  std::ranges::stable_sort(members, {}, &ZipMember::local);
  into.range(Range::kHeader, d.start, d.end - d.start);
  uint64_t reached = 0;
  for (size_t i = 0; i < members.size(); ++i) {
    ZipMember& m = members[i];
    TRY_VOID(into.step());
    const uint64_t next = i + 1 < members.size() ? members[i + 1].local : d.start;
    Result<void> done;
    if (m.local < reached || m.data_end() > d.start)
      done = fail(Fault::kMalformed, "member overlaps another or the central directory", m.local);
    else
      done = put(whole, m, into);
    if (!done) {
      into.discard();
      Error error = std::move(done).error();
      if (error.fault == Fault::kLimit) return std::unexpected(std::move(error));
      error.what = m.name + ": " + error.what;
      into.problem(std::move(error));
      if (Node node = node_of(m); node.kind == Kind::kFile) TRY_VOID(into.node(std::move(node), unreadable()));
    }
    if (m.local >= reached) {
      reached = std::max(reached, m.data_end());
      if (m.data_end() <= next) account_for_descriptor(whole, m, next, into);
    }
  }
  return {};
}

}  // namespace

extern const Format kZip;
const Format kZip = {
    .id = "zip",
    .title = "ZIP archive",
    .version = 2,
    .magics = kMagics,
    .measure = measure,
    .unpack = unpack,
    .reads =
        "stored, deflate, bzip2, LZMA, zstd, xz; zip64, data descriptors; traditional encryption with the documented "
        "passwords",
    .limits =
        "archives without a central directory or on several disks; methods other than stored, "
        "deflate, bzip2, lzma, zstd and xz; members encrypted with AES, or whose password is not public, and encrypted "
        "links",
    .source = "PKWARE APPNOTE.TXT 6.3.10",
    .checked = "foreign tool: zip, its encryption too"};

}  // namespace assay::unpack::zip
