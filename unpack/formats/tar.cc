// tar archives: v7, ustar, pax, GNU and star, in blocks of 512 bytes.
//
//   0   name (100), mode (8), uid (8), gid (8), size (12), mtime (12), checksum (8), type (1), link name (100)
//   257 "ustar" 00 "00": user and group name (32 each), device numbers (8 each), prefix of the name (155)
//   257 "ustar  " 00: GNU; at 386 four runs of a sparse file, at 482 whether more follow, at 483 its real size
//
// Members of type x and g hold pax records for the next member or all that follow; L and K hold GNU's long names.
// Two blocks of zeros end the archive; zeros up to a full record of 20 blocks belong to it.
// Source: POSIX.1-2017, pax; GNU tar manual, Basic Tar Format.
#include "unpack/tar.h"
#include "unpack/format.h"

#include <algorithm>
#include <charconv>

namespace assay::unpack::tar {
namespace {

constexpr Magic kMagics[] = {{"ustar", 257}};
constexpr uint64_t kRecord = 20 * kTarBlock;

using Pax = std::map<std::string, std::string>;

struct Member {
  TarHeader header;
  uint64_t start = 0, data = 0, stored = 0, end = 0;  // `end` includes the padding of the last block
};

uint64_t to_blocks(uint64_t length) { return (length + kTarBlock - 1) / kTarBlock * kTarBlock; }

bool holds_no_data(char type) { return type == '1'; }  // some writers leave the file's size in a hard link

Result<uint64_t> blocks_of_sparse_map(Bytes b, const TarHeader& h, uint64_t at) {
  if (h.type != 'S' || !h.gnu) return 0;
  return TRY(read_old_sparse(b, at)).skipped;
}

// `pax_size`: the size that a pax header states for this member, and which wins.
Result<Member> read_member(Bytes b, uint64_t at, std::optional<uint64_t> pax_size) {
  Member m;
  m.header = TRY(read_tar_header(b, at));
  m.start = at;
  m.stored = holds_no_data(m.header.type) ? 0 : pax_size.value_or(m.header.size);
  m.data = at + kTarBlock + TRY(blocks_of_sparse_map(b, m.header, at));
  TRY(b.slice(m.data, m.stored, "member"));
  m.end = std::min(m.data + to_blocks(m.stored), b.size());
  return m;
}

// What stands before a member and changes it.
struct Prefix {
  Pax global, local;
  std::string long_name, long_link;

  Pax merged() const {
    Pax all = local;
    all.insert(global.begin(), global.end());
    return all;
  }
};

std::optional<uint64_t> stated_size(const Prefix& prefix) {
  const Pax& pax = prefix.local.contains("size") ? prefix.local : prefix.global;
  const auto it = pax.find("size");
  if (it == pax.end()) return std::nullopt;
  uint64_t value = 0;
  const std::string& text = it->second;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_prefix(char type) { return type == 'x' || type == 'X' || type == 'g' || type == 'L' || type == 'K'; }

Result<void> read_prefix(Bytes b, const Member& m, Prefix& prefix) {
  const Bytes data = TRY(b.slice(m.data, m.stored, "member"));
  const std::string_view text = data.text().substr(0, data.text().find('\0'));
  switch (m.header.type) {
    case 'L':
      prefix.long_name = text;
      return {};
    case 'K':
      prefix.long_link = text;
      return {};
    case 'g':
      return read_pax(data, prefix.global);
    default:
      return read_pax(data, prefix.local);
  }
}

bool is_zero_block(Bytes b, uint64_t at) {
  const Bytes block = b.head(kTarBlock, at);
  return block.size() == kTarBlock && block[0] == 0 && is_run(block);
}

// Goes through the archive; `visit` sees every member that is not a prefix, with what stood before it.
struct Walk {
  uint64_t end = 0, members = 0;
  bool marked = false;          // the two zero blocks were there
  std::optional<Error> broken;  // why the walk stopped short of them
};
template <class Visit>
Result<Walk> walk(Bytes b, Visit visit) {
  Walk w;
  Prefix prefix;
  while (w.end < b.size() && !is_zero_block(b, w.end)) {
    auto member = read_member(b, w.end, stated_size(prefix));
    if (!member) {
      w.broken = std::move(member).error();
      return w;
    }
    ++w.members;
    w.end = member->end;
    if (is_prefix(member->header.type)) {
      if (auto read = read_prefix(b, *member, prefix); !read) {
        w.broken = std::move(read).error();
        return w;
      }
    }
    TRY_VOID(visit(*member, prefix));
    if (!is_prefix(member->header.type)) prefix = {.global = std::move(prefix.global)};
  }
  w.marked = is_zero_block(b, w.end) && is_zero_block(b, w.end + kTarBlock);
  const uint64_t record = (w.end + kRecord - 1) / kRecord * kRecord;
  const uint64_t least = w.end + (w.marked ? 2 * kTarBlock : 0);
  while (w.end < std::max(record, least) && is_zero_block(b, w.end)) w.end += kTarBlock;
  return w;
}

Result<Measured> measure(Bytes from) {
  TRY(read_member(from, 0, std::nullopt));
  const Walk w = TRY(walk(from, [](const Member&, const Prefix&) { return Result<void>(); }));
  if (w.members == 0) return fail(Fault::kMalformed, "no member", from.base());
  return Measured{w.end, !w.broken};
}

std::optional<Kind> kind_of(const TarHeader& h, const std::string& name) {
  switch (h.type) {
    case 0:
    case '0':
    case '7':
    case 'S':
      return name.ends_with('/') ? Kind::kDirectory : Kind::kFile;
    case '1':
      return Kind::kHardLink;
    case '2':
      return Kind::kSymlink;
    case '3':
      return Kind::kCharDevice;
    case '4':
      return Kind::kBlockDevice;
    case '5':
    case 'D':
      return Kind::kDirectory;
    case '6':
      return Kind::kFifo;
    default:
      return std::nullopt;
  }
}

// The whole number a pax value starts with: times carry fractions of a second.
std::optional<int64_t> whole_number(const Pax& pax, const char* key) {
  const auto it = pax.find(key);
  int64_t value = 0;
  if (it == pax.end()) return std::nullopt;
  const auto [end, error] = std::from_chars(it->second.data(), it->second.data() + it->second.size(), value);
  if (error != std::errc() || (end != it->second.data() + it->second.size() && *end != '.')) return std::nullopt;
  return value;
}

Node node_of(const TarHeader& h, const Prefix& prefix, const Pax& pax) {
  const auto text = [&](const char* key, const std::string& otherwise) {
    const auto it = pax.find(key);
    return it == pax.end() ? otherwise : it->second;
  };
  Node node;
  node.path = text("GNU.sparse.name", text("path", prefix.long_name.empty() ? h.name : prefix.long_name));
  const std::string link = text("linkpath", prefix.long_link.empty() ? h.link : prefix.long_link);
  node.mode = static_cast<uint32_t>(h.mode & 07777);
  node.uid = static_cast<uint32_t>(whole_number(pax, "uid").value_or(static_cast<int64_t>(h.uid)));
  node.gid = static_cast<uint32_t>(whole_number(pax, "gid").value_or(static_cast<int64_t>(h.gid)));
  node.mtime = whole_number(pax, "mtime").value_or(h.mtime);
  if (h.type == '1' || h.type == '2') node.target = link;
  if (h.type == '3' || h.type == '4') node.device = h.device_major << 32 | (h.device_minor & 0xffffffff);
  constexpr std::string_view kXattr = "SCHILY.xattr.";
  for (const auto& [key, value] : pax)
    if (key.starts_with(kXattr)) node.xattrs.emplace_back(key.substr(kXattr.size()), value);
  return node;
}

// Writes the file with its holes to the sink's output, and names the ranges it came from.
Result<Content> expand(const TarSparse& sparse, Bytes data, Sink& into) {
  TRY_VOID(check_sparse(sparse, data.size(), data.base()));
  Content content{.extents = {}, .codec = "sparse"};
  uint64_t at = 0, taken = 0;
  for (const TarRun& run : sparse.runs) {
    TRY_VOID(into.output().zeros(run.offset - at));
    const Bytes piece = TRY(data.slice(taken, run.length, "sparse run"));
    TRY_VOID(into.output().write(piece.span()));
    content.extents.push_back(piece);
    at = run.offset + run.length;
    taken += run.length;
  }
  TRY_VOID(into.output().zeros(sparse.size - at));
  return content;
}

Result<Content> content_of(Bytes b, const Member& m, const Pax& pax, Sink& into) {
  const Bytes data = TRY(b.slice(m.data, m.stored, "member"));
  if (m.header.type == 'S' && m.header.gnu) return expand(TRY(read_old_sparse(b, m.start)), data, into);
  if (!is_pax_sparse(pax)) return stored(data);
  const TarSparse sparse = TRY(read_pax_sparse(pax, data));
  into.range(Range::kHeader, m.data, std::min(sparse.skipped, data.size()));
  return expand(sparse, TRY(data.from(sparse.skipped, "sparse data")), into);
}

Result<void> put(Bytes b, const Member& m, const Prefix& prefix, Sink& into) {
  TRY_VOID(into.step(1 + prefix.global.size()));  // merging them is work that the archive chooses
  into.range(Range::kHeader, m.start, m.data - m.start);
  if (is_prefix(m.header.type)) {
    into.range(Range::kHeader, m.data, m.stored);
    return {};
  }
  const Pax pax = prefix.merged();
  Node node = node_of(m.header, prefix, pax);
  const auto kind = kind_of(m.header, node.path);
  if (m.header.type == 'V') {
    into.note("volume label", node.path, m.start);
    return {};
  }
  if (!kind)
    into.note("type " + std::string(1, m.header.type) + " is read as a file, as POSIX asks", node.path, m.start);
  node.kind = kind.value_or(Kind::kFile);
  if (node.kind != Kind::kFile) {
    into.range(Range::kHeader, m.data, m.stored);
    return into.node(std::move(node), nothing());
  }
  auto content = content_of(b, m, pax, into);
  if (content) return into.node(std::move(node), *std::move(content));
  into.discard();
  if (content.error().fault == Fault::kLimit) return std::unexpected(std::move(content).error());
  into.problem(std::move(content).error());
  return {};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Walk w = TRY(walk(whole, [&](const Member& m, const Prefix& prefix) { return put(whole, m, prefix, into); }));
  if (w.broken) into.problem(*w.broken);
  return {};
}

}  // namespace

extern const Format kTar;
const Format kTar = {.id = "tar",
                     .title = "tar archive",
                     .magics = kMagics,
                     .measure = measure,
                     .unpack = unpack,
                     .reads = "ustar, GNU and pax with long names, sparse files, xattrs",
                     .limits = "members continued from another volume are read as files",
                     .source = "POSIX.1-2017 pax; GNU tar manual",
                     .checked = "foreign tool: tar; real image: shared/firmware"};

// The same without a magic, as Unix version 7 wrote it: its checksum is all that tells it apart.
extern const Format kTarV7;
const Format kTarV7 = {.id = "tar-v7",
                       .title = "tar archive without magic",
                       .measure = measure,
                       .unpack = unpack,
                       .carve = false,
                       .source = "GNU tar manual",
                       .checked = "foreign tool: tar"};

}  // namespace assay::unpack::tar
