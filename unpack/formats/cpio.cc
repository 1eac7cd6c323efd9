// cpio archives: newc (070701), crc (070702), odc (070707 in octal text) and the old binary form in both byte orders.
//
//   newc, crc  6 magic; 13 numbers of 8 hexadecimal digits: ino mode uid gid nlink mtime filesize devmajor devminor
//              rdevmajor rdevminor namesize check; name and data padded to 4 bytes
//   odc        6 magic; octal: dev ino mode uid gid nlink rdev (6 digits each) mtime (11) namesize (6) filesize (11)
//   binary     16-bit words: 070707 dev ino mode uid gid nlink rdev mtime(2) namesize filesize(2); padded to 2 bytes
//
// An archive ends with the member "TRAILER!!!". Archives that follow one another, with zeros between, are one
// container, as Linux reads an initramfs. Members with the same inode are links to one file; in newc only the last of
// them carries the data.
// Source: Linux, Documentation/driver-api/early-userspace/buffer-format.rst; cpio(5).
#include "core/hash.h"
#include "unpack/formats/inode_tree.h"
#include "unpack/vendor.h"

#include <charconv>
#include <map>

namespace assay::unpack::cpio {
namespace {

constexpr std::string_view kNewc = "070701", kCrc = "070702", kOdc = "070707", kTrailer = "TRAILER!!!";
constexpr std::string_view kBinaryLittle("\xc7\x71", 2), kBinaryBig("\x71\xc7", 2);
constexpr Magic kMagics[] = {{kNewc}, {kCrc}, {kOdc}, {kBinaryLittle}, {kBinaryBig}};
constexpr uint64_t kLongestName = 64 << 10;

struct Member {
  uint64_t ino = 0, device_of = 0, mode = 0, uid = 0, gid = 0, links = 0, mtime = 0, size = 0, rdev = 0, name_size = 0;
  std::optional<uint32_t> sum;
  uint64_t start = 0, data = 0, end = 0;  // offsets in the container; `end` includes the padding
  std::string name;

  std::optional<Kind> kind() const { return kind_of_mode(static_cast<uint32_t>(mode)); }
  bool is_trailer() const { return name == kTrailer; }
};

Result<uint64_t> number(Bytes b, uint64_t at, uint64_t digits, int radix, std::string_view field) {
  const std::string_view text = TRY(b.slice(at, digits, field)).text();
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, radix);
  if (error != std::errc() || end != text.data() + text.size())
    return fail(Fault::kMalformed, std::string(field) + " is no number", b.base() + at);
  return value;
}

uint64_t padded(uint64_t length, uint64_t unit) { return (length + unit - 1) / unit * unit; }

// Fills in name and offsets. `archive` is where the archive starts, from which its padding counts.
Result<void> place(Bytes b, Member& m, uint64_t archive, uint64_t header, uint64_t unit) {
  if (m.name_size == 0 || m.name_size > kLongestName)
    return fail(Fault::kMalformed, "name size " + std::to_string(m.name_size), b.base() + m.start);
  const Bytes name = TRY(b.slice(m.start + header, m.name_size, "name"));
  if (name[name.size() - 1] != 0) return fail(Fault::kMalformed, "name does not end", name.base());
  m.name = name.text().substr(0, name.text().find('\0'));
  m.data = archive + padded(m.start + header + m.name_size - archive, unit);
  if (m.size > b.size() || m.data > b.size() - m.size)
    return fail(Fault::kTruncated, "data runs past the end", b.base() + m.data);
  m.end = std::min(archive + padded(m.data + m.size - archive, unit), b.size());
  return {};
}

Result<Member> read_newc(Bytes b, uint64_t at, uint64_t archive) {
  Member m;
  m.start = at;
  const auto field = [&](int index, std::string_view name) { return number(b, at + 6 + 8 * index, 8, 16, name); };
  m.ino = TRY(field(0, "ino")), m.mode = TRY(field(1, "mode")), m.uid = TRY(field(2, "uid"));
  m.gid = TRY(field(3, "gid")), m.links = TRY(field(4, "nlink")), m.mtime = TRY(field(5, "mtime"));
  m.size = TRY(field(6, "filesize"));
  const uint64_t device_major = TRY(field(7, "devmajor"));
  m.device_of = device_major << 32 | TRY(field(8, "devminor"));
  const uint64_t rdev_major = TRY(field(9, "rdevmajor"));
  m.rdev = rdev_major << 32 | TRY(field(10, "rdevminor"));
  m.name_size = TRY(field(11, "namesize"));
  const uint64_t sum = TRY(field(12, "check"));
  if (b.starts_with(kCrc, at)) m.sum = static_cast<uint32_t>(sum);
  TRY_VOID(place(b, m, archive, 110, 4));
  return m;
}

uint64_t split_device(uint64_t packed) { return (packed >> 8) << 32 | (packed & 0xff); }

Result<Member> read_odc(Bytes b, uint64_t at, uint64_t archive) {
  Member m;
  m.start = at;
  const auto field = [&](int offset, int digits, std::string_view name) {
    return number(b, at + offset, digits, 8, name);
  };
  m.device_of = TRY(field(6, 6, "dev")), m.ino = TRY(field(12, 6, "ino")), m.mode = TRY(field(18, 6, "mode"));
  m.uid = TRY(field(24, 6, "uid")), m.gid = TRY(field(30, 6, "gid")), m.links = TRY(field(36, 6, "nlink"));
  m.rdev = split_device(TRY(field(42, 6, "rdev"))), m.mtime = TRY(field(48, 11, "mtime"));
  m.name_size = TRY(field(59, 6, "namesize")), m.size = TRY(field(65, 11, "filesize"));
  TRY_VOID(place(b, m, archive, 76, 1));
  return m;
}

Result<Member> read_binary(Bytes b, uint64_t at, uint64_t archive, Order order) {
  constexpr int kWords = 13;
  uint16_t word[kWords];
  for (int i = 0; i < kWords; ++i) word[i] = TRY(b.get<uint16_t>(at + 2 * i, order, "header"));
  const auto wide = [&](int i) { return static_cast<uint64_t>(word[i]) << 16 | word[i + 1]; };
  Member m;
  m.start = at;
  m.device_of = word[1], m.ino = word[2], m.mode = word[3], m.uid = word[4], m.gid = word[5], m.links = word[6];
  m.rdev = split_device(word[7]), m.mtime = wide(8), m.name_size = word[10], m.size = wide(11);
  TRY_VOID(place(b, m, archive, 2 * kWords, 2));
  return m;
}

Result<Member> read_member(Bytes b, uint64_t at, uint64_t archive) {
  if (b.starts_with(kNewc, at) || b.starts_with(kCrc, at)) return read_newc(b, at, archive);
  if (b.starts_with(kOdc, at)) return read_odc(b, at, archive);
  if (b.starts_with(kBinaryLittle, at)) return read_binary(b, at, archive, Order::kLittle);
  if (b.starts_with(kBinaryBig, at)) return read_binary(b, at, archive, Order::kBig);
  return fail(at >= b.size() ? Fault::kTruncated : Fault::kMalformed, "no member where one must follow", b.base() + at);
}

struct Archive {
  std::vector<Member> members;  // without the trailer
  Member trailer;
  uint64_t end = 0;
  std::optional<Error> broken;  // why it ends before its trailer
};

// The archive that starts at `start`. A member that cannot be read ends it early; without any member it is none.
Result<Archive> read_archive(Bytes b, uint64_t start) {
  Archive archive;
  for (uint64_t at = start;;) {
    auto member = read_member(b, at, start);
    if (!member) {
      if (archive.members.empty()) return std::unexpected(std::move(member).error());
      archive.broken = std::move(member).error();
      archive.end = at;
      return archive;
    }
    at = member->end;
    if (member->is_trailer()) {
      archive.trailer = *std::move(member);
      archive.end = at;
      return archive;
    }
    archive.members.push_back(*std::move(member));
  }
}

// Where the next archive starts: behind zeros, at a multiple of four bytes; none if something else follows.
std::optional<uint64_t> next_archive(Bytes b, uint64_t at) {
  while (at < b.size() && b[at] == 0) ++at;
  if (at % 4 != 0 || !(b.starts_with(kNewc, at) || b.starts_with(kCrc, at))) return std::nullopt;
  return at;
}

// All archives of the container. Those after the first count only when they end with their trailer.
Result<std::vector<Archive>> read_all(Bytes b) {
  std::vector<Archive> all;
  all.push_back(TRY(read_archive(b, 0)));
  while (!all.back().broken) {
    const auto next = next_archive(b, all.back().end);
    if (!next) break;
    auto archive = read_archive(b, *next);
    if (!archive || archive->broken) break;
    all.push_back(*std::move(archive));
  }
  return all;
}

Result<Measured> measure(Bytes from) {
  const auto archives = TRY(read_all(from));
  const Archive& first = archives.front();
  // An archive without its trailer is one still, when enough of it reads well.
  const size_t enough = from.starts_with("0707") ? 2 : 16;
  if (first.broken && first.members.size() < enough) return std::unexpected(*first.broken);
  return Measured{archives.back().end, !first.broken};
}

using Inode = std::pair<uint64_t, uint64_t>;

// Of the members that share an inode, the first with data is the file; if none has data, the first.
std::map<Inode, size_t> first_names(const std::vector<Member>& members) {
  std::map<Inode, size_t> first;
  for (size_t i = 0; i < members.size(); ++i) {
    const Member& m = members[i];
    if (m.links < 2 || m.kind() != Kind::kFile) continue;
    const auto [it, added] = first.try_emplace({m.device_of, m.ino}, i);
    if (!added && members[it->second].size == 0 && m.size != 0) it->second = i;
  }
  return first;
}

void check_sum(const Member& m, Bytes data, Sink& into) {
  if (!m.sum || m.kind() != Kind::kFile) return;
  if (!checksum_holds(byte_sum(data), *m.sum))
    into.problem({Fault::kMalformed, "checksum of " + m.name + " does not match", m.start});
}

// `file`: the first name of the same inode, when `m` is another one.
Result<void> put(Bytes whole, const Member& m, const Member* file, Sink& into) {
  const auto kind = m.kind();
  const Bytes data = TRY(whole.slice(m.data, m.size, "data"));
  into.range(Range::kHeader, m.start, m.data - m.start);
  if (!kind) {
    into.problem(
        {Fault::kMalformed, "mode " + std::to_string(m.mode) + " of " + m.name + " has no file type", m.start});
    return {};
  }
  Node node{.kind = *kind,
            .path = m.name,
            .mode = static_cast<uint32_t>(m.mode & 07777),
            .uid = static_cast<uint32_t>(m.uid),
            .gid = static_cast<uint32_t>(m.gid),
            .links = static_cast<uint32_t>(m.links),
            .mtime = static_cast<int64_t>(m.mtime)};
  if (*kind == Kind::kCharDevice || *kind == Kind::kBlockDevice) node.device = m.rdev;
  if (*kind == Kind::kSymlink) {
    node.target = data.text();
    into.range(Range::kHeader, m.data, m.size);
    return into.node(std::move(node), nothing());
  }
  check_sum(m, data, into);
  if (file) {
    const Bytes other = TRY(whole.slice(file->data, file->size, "data"));
    if (data.empty() || data.text() == other.text()) {
      node.kind = Kind::kHardLink;
      node.target = file->name;
    }
  }
  return into.node(std::move(node), stored(data));
}

Result<void> unpack(Bytes whole, Sink& into) {
  const auto archives = TRY(read_all(whole));
  for (const Archive& archive : archives) {
    const auto first = first_names(archive.members);
    for (size_t i = 0; i < archive.members.size(); ++i) {
      const Member& m = archive.members[i];
      TRY_VOID(into.step());
      const auto it = first.find({m.device_of, m.ino});
      const bool another = it != first.end() && it->second != i && m.links > 1 && m.kind() == Kind::kFile;
      TRY_VOID(put(whole, m, another ? &archive.members[it->second] : nullptr, into));
    }
    if (archive.broken)
      into.problem(*archive.broken);
    else
      into.range(Range::kHeader, archive.trailer.start, archive.trailer.data - archive.trailer.start);
  }
  if (archives.size() > 1) into.note("archives", std::to_string(archives.size()), 0);
  return {};
}

}  // namespace

extern const Format kCpio;
const Format kCpio = {
    .id = "cpio",
    .title = "cpio archive",
    .version = 2,
    .magics = kMagics,
    .measure = measure,
    .unpack = unpack,
    .reads = "newc, crc, odc and binary of both byte orders; archives in a row, padded as kernels take them",
    .source = "Linux Documentation/driver-api/early-userspace/buffer-format.rst; cpio(5)",
    .checked = "foreign tool: cpio"};

}  // namespace assay::unpack::cpio
