// xar archives.
//
//   0   "xar!", header size (2), version 1 (2), table of contents: packed size (8), size (8)
//       checksum kind (4): 0 none, 1 SHA-1, 2 MD5, 3 by name; big endian
//   …   the table of contents: XML, zlib-packed
//   …   the heap: the table's checksum, and what the table's <data> elements point at (offset, length, encoding)
//
// Source: xar's wiki, "xarformat"; lib/archive.c's header. The XML is read by a walk over its tags: elements,
// attributes, text and the five entities; it has no use for the rest.
#include "unpack/xml_walk.h"

#include "unpack/codecs.h"
#include "unpack/vendor.h"

#include <algorithm>
#include <charconv>
#include <chrono>

namespace assay::unpack::xar {
namespace {

constexpr Magic kMagics[] = {{"xar!"}};
constexpr uint64_t kMostToc = 64 << 20;
constexpr size_t kLongestName = 4096;
constexpr size_t kNoParent = ~size_t{0};

struct Header {
  uint64_t size = 0, packed = 0, plain = 0;
  uint32_t checksum = 0;
  uint64_t heap() const { return size + packed; }
};

struct File {
  size_t parent = kNoParent;
  std::string name, type, target, link_type, encoding, mtime;
  std::optional<uint64_t> mode, uid, gid;
  uint64_t offset = 0, length = 0, size = 0;
  bool has_data = false;
};

struct Table {
  std::string checksum_style;
  uint64_t checksum_offset = 0, checksum_size = 0;
  std::vector<File> files;
  uint64_t heap_size = 0;
};

Result<Header> read_header(Bytes b) {
  Header h;
  if (!b.starts_with("xar!")) return fail(Fault::kMalformed, "magic does not match", b.base());
  h.size = TRY(b.be<uint16_t>(4, "header size"));
  if (TRY(b.be<uint16_t>(6, "version")) != 1) return fail(Fault::kUnsupported, "version", b.base() + 6);
  h.packed = TRY(b.be<uint64_t>(8, "packed size of the table"));
  h.plain = TRY(b.be<uint64_t>(16, "size of the table"));
  h.checksum = TRY(b.be<uint32_t>(24, "checksum kind"));
  // No XML of a table packs better; what claims to is not inflated for every place that looks like a header.
  if (h.size < 28 || h.plain > kMostToc || h.plain / 256 > h.packed)
    return fail(Fault::kMalformed, "header", b.base() + 4);
  TRY(b.slice(h.size, h.packed, "table of contents"));
  return h;
}

uint64_t number(std::string_view text, int radix = 10) {
  uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, radix);
  return value;
}

std::optional<int64_t> time_of(std::string_view text) {  // "2007-10-08T12:00:00Z"
  if (text.size() < 19) return std::nullopt;
  const auto part = [&](size_t at, size_t length) { return static_cast<int>(number(text.substr(at, length))); };
  const std::chrono::year_month_day day{std::chrono::year(part(0, 4)),
                                        std::chrono::month(static_cast<unsigned>(part(5, 2))),
                                        std::chrono::day(static_cast<unsigned>(part(8, 2)))};
  if (!day.ok()) return std::nullopt;
  return std::chrono::sys_days(day).time_since_epoch().count() * int64_t{86400} + part(11, 2) * 3600 +
         part(14, 2) * 60 + part(17, 2);
}

// Fills the table from the elements of the XML.
struct TableReader {
  Table table;
  struct Open {
    size_t file, path;  // in the table; the length of its element's path
  };
  std::vector<Open> open;  // the innermost last

  void start(const XmlElement& e) {
    if (e.path.ends_with("/file")) {
      table.files.push_back({.parent = open.empty() ? kNoParent : open.back().file});
      open.push_back({table.files.size() - 1, e.path.size()});
    } else if (e.path == "/xar/toc/checksum") {
      table.checksum_style = e.attribute("style");
    } else if (!open.empty() && e.path.ends_with("/file/data/encoding")) {
      table.files[open.back().file].encoding = e.attribute("style");
    } else if (!open.empty() && e.path.ends_with("/file/link")) {
      table.files[open.back().file].link_type = e.attribute("type");
    } else if (!open.empty() && e.path.ends_with("/file/data")) {
      table.files[open.back().file].has_data = true;
    }
  }

  void end(const XmlElement& e) {
    if (e.path == "/xar/toc/checksum/offset") table.checksum_offset = number(e.text);
    if (e.path == "/xar/toc/checksum/size") table.checksum_size = number(e.text);
    if (open.empty()) return;
    if (e.path.ends_with("/file")) return open.pop_back();
    field(table.files[open.back().file], std::string_view(e.path).substr(open.back().path + 1), e.text);
  }

  static void field(File& f, std::string_view name, const std::string& text) {
    if (name == "name") f.name = text;
    if (name == "type") f.type = text;
    if (name == "mode") f.mode = number(text, 8);
    if (name == "uid") f.uid = number(text);
    if (name == "gid") f.gid = number(text);
    if (name == "mtime") f.mtime = text;
    if (name == "link") f.target = text;
    if (name == "data/offset") f.offset = number(text);
    if (name == "data/length") f.length = number(text);
    if (name == "data/size") f.size = number(text);
  }
};

Result<Table> read_table(Bytes b, const Header& h) {
  MemoryOutput plain(h.plain);
  TRY(inflate_zlib(b.head(h.packed, h.size), plain));
  TableReader reader;
  TRY_VOID(walk_xml(
      plain.bytes().text(), [&](const XmlElement& e) { reader.start(e); },
      [&](const XmlElement& e) { reader.end(e); }));
  Table& table = reader.table;
  const uint64_t heap = b.size() - h.heap();
  table.heap_size = table.checksum_size;
  for (const File& f : table.files) {
    if (f.name.size() > kLongestName)
      return fail(Fault::kMalformed, "name of " + std::to_string(f.name.size()) + " bytes", b.base() + h.size);
    if (f.offset > heap || f.length > heap - f.offset)
      return fail(Fault::kTruncated, "data of " + f.name + " runs past the end", b.base() + h.heap());
    table.heap_size = std::max(table.heap_size, f.offset + f.length);
  }
  if (table.checksum_offset > heap || table.checksum_size > heap - table.checksum_offset)
    return fail(Fault::kTruncated, "checksum of the table runs past the end", b.base() + h.heap());
  return table;
}

std::string digest_of(Bytes bytes, std::string_view style) {
  if (style == "sha1") return hex(sha1(bytes));
  if (style == "md5") return hex(md5(bytes));
  if (style == "sha256") return sha256(bytes).hex();
  return {};
}

// Whether the table's checksum holds; none where its kind is not known.
std::optional<bool> table_holds(Bytes b, const Header& h, const Table& table) {
  const std::string computed = digest_of(b.head(h.packed, h.size), table.checksum_style);
  if (computed.empty()) return std::nullopt;
  const Bytes stored = b.head(table.checksum_size, h.heap() + table.checksum_offset);
  return checksum_holds(computed, hex({reinterpret_cast<const uint8_t*>(stored.data()), stored.size()}));
}

Result<Measured> measure(Bytes from) {
  const Header h = TRY(read_header(from));
  const Table table = TRY(read_table(from, h));
  return Measured{h.heap() + table.heap_size, table_holds(from, h, table).value_or(false)};
}

std::string path_of(const Table& table, size_t index) {
  std::string path;
  for (int depth = 0; index != kNoParent && depth < 256; ++depth, index = table.files[index].parent)
    path = table.files[index].name + (path.empty() ? "" : "/") + path;
  return path;
}

// Decodes into the sink's output; the name is the style the table states.
Result<void> decode_data(const File& f, Bytes data, Sink& into) {
  if (f.encoding == "application/x-gzip") {
    TRY(inflate_zlib(data, into.output()));
  } else if (f.encoding == "application/x-bzip2") {
    TRY(decode_bzip2(data, into.output()));
  } else if (f.encoding == "application/x-lzma") {
    TRY(decode_lzma_alone(data, into.output()));
  } else if (f.encoding == "application/x-xz") {
    TRY(decode_xz(data, into.output()));
  } else {
    return fail(Fault::kUnsupported, "encoding " + f.encoding, data.base());
  }
  return {};
}

Result<void> put_decoded(Node node, const File& f, Bytes data, Sink& into) {
  const std::string codec = f.encoding.substr(f.encoding.find('/') + 1);
  auto done = decode_data(f, data, into);
  if (!done && done.error().fault == Fault::kLimit) return done;
  if (done && into.output().written() != f.size)
    done = fail(Fault::kMalformed, "size is not the stored one", data.base());
  if (done) return into.node(std::move(node), {{data}, codec});
  into.discard();
  into.problem({done.error().fault, node.path + ": " + done.error().what, data.base()});
  return into.node(std::move(node), unreadable());
}

Result<void> put(Bytes whole, const Header& h, const Table& table, size_t index, Sink& into) {
  const File& f = table.files[index];
  Node node{.kind = Kind::kFile, .path = path_of(table, index)};
  if (f.mode) node.mode = static_cast<uint32_t>(*f.mode & 07777);
  if (f.uid) node.uid = static_cast<uint32_t>(*f.uid);
  if (f.gid) node.gid = static_cast<uint32_t>(*f.gid);
  node.mtime = time_of(f.mtime);
  if (f.type == "directory") node.kind = Kind::kDirectory;
  if (f.type == "symlink") node.kind = Kind::kSymlink, node.target = f.target;
  if (f.type != "file" || !f.has_data) {
    if (f.type != "file" && f.type != "directory" && f.type != "symlink")
      into.problem({Fault::kUnsupported, node.path + ": type " + f.type, h.size});
    return into.node(std::move(node), nothing());
  }
  const Bytes data = whole.head(f.length, h.heap() + f.offset);
  if (f.encoding.empty() || f.encoding == "application/octet-stream") return into.node(std::move(node), stored(data));
  return put_decoded(std::move(node), f, data, into);
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Header h = TRY(read_header(whole));
  const Table table = TRY(read_table(whole, h));
  into.range(Range::kHeader, 0, h.heap());
  into.range(Range::kHeader, h.heap() + table.checksum_offset, table.checksum_size);
  if (const auto holds = table_holds(whole, h, table))
    state_checksum("checksum of the table", table.checksum_style, *holds, h.heap() + table.checksum_offset, into);
  for (size_t i = 0; i < table.files.size(); ++i) {
    TRY_VOID(into.step());
    TRY_VOID(put(whole, h, table, i, into));
  }
  return {};
}

}  // namespace

extern const Format kXar;
const Format kXar = {.id = "xar",
                     .title = "xar archive",
                     .magics = kMagics,
                     .measure = measure,
                     .unpack = unpack,
                     .reads = "stored, zlib, bzip2, LZMA and XZ members; the table's checksum compared",
                     .limits = "hard links, extended attributes and signatures",
                     .source = "xar wiki, xarformat",
                     .checked = "foreign tool: bsdtar; real image: sample archive of another project"};

}  // namespace assay::unpack::xar
