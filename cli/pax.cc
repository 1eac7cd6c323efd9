#include "cli/pax.h"

#include "core/text.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace assay::cli {
namespace {

constexpr uint64_t kBlock = 512, kName = 100;

char type_of(Kind kind) {
  switch (kind) {
    case Kind::kHardLink:
      return '1';
    case Kind::kSymlink:
      return '2';
    case Kind::kCharDevice:
      return '3';
    case Kind::kBlockDevice:
      return '4';
    case Kind::kDirectory:
      return '5';
    case Kind::kFifo:
      return '6';
    default:
      return '0';
  }
}

bool is_ascii(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

bool fits(uint64_t value, int digits) { return value >> (3 * digits) == 0; }

// A number in octal digits and a NUL; 0 where it does not fit (an extended record then states it).
void put_number(std::string& header, size_t at, int digits, uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "%0*llo", digits, static_cast<unsigned long long>(fits(value, digits) ? value : 0));
  std::memcpy(header.data() + at, text, static_cast<size_t>(digits));
}

void put_text(std::string& header, size_t at, size_t most, std::string_view text) {
  std::memcpy(header.data() + at, text.data(), std::min(most, text.size()));
}

void finish_header(std::string& header) {
  put_text(header, 148, 8, "        ");
  uint64_t sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  put_number(header, 148, 6, sum);
  header[154] = '\0';
}

std::string plain_header(char type, std::string_view path, uint64_t size) {
  std::string header(kBlock, '\0');
  put_text(header, 0, kName, path);
  put_number(header, 100, 7, 0644), put_number(header, 108, 7, 0), put_number(header, 116, 7, 0);
  put_number(header, 124, 11, size), put_number(header, 136, 11, 0);
  header[156] = type;
  put_text(header, 257, 8, std::string_view("ustar\00000", 8));
  put_number(header, 329, 7, 0), put_number(header, 337, 7, 0);
  return header;
}

// "LENGTH KEY=VALUE\n", where the length counts itself.
std::string record(std::string_view key, std::string_view value) {
  const size_t rest = key.size() + value.size() + 3;
  size_t length = rest + 1;
  while (std::to_string(length).size() + rest != length) length = std::to_string(length).size() + rest;
  return std::to_string(length).append(" ").append(key).append("=").append(value).append("\n");
}

struct Values {
  std::string path, link;
  uint64_t size = 0, uid = 0, gid = 0, device = 0;
  int64_t mtime = 0;
};

std::string extended_records(const Node& node, const Values& v) {
  std::string records;
  if (!is_utf8(v.path) || !is_utf8(v.link)) records += record("hdrcharset", "BINARY");
  if (v.path.size() > kName || !is_ascii(v.path)) records += record("path", v.path);
  if (v.link.size() > kName || !is_ascii(v.link)) records += record("linkpath", v.link);
  if (!fits(v.size, 11)) records += record("size", std::to_string(v.size));
  if (!fits(v.uid, 7)) records += record("uid", std::to_string(v.uid));
  if (!fits(v.gid, 7)) records += record("gid", std::to_string(v.gid));
  if (v.mtime < 0 || !fits(static_cast<uint64_t>(v.mtime), 11)) records += record("mtime", std::to_string(v.mtime));
  if (!fits(v.device >> 32, 7)) records += record("SCHILY.devmajor", std::to_string(v.device >> 32));
  if (!fits(v.device & 0xffffffff, 7)) records += record("SCHILY.devminor", std::to_string(v.device & 0xffffffff));
  for (const auto& [key, value] : node.xattrs) records += record("SCHILY.xattr." + key, value);
  return records;
}

std::string header_of(const Node& node, const Values& v) {
  const bool directory = node.kind == Kind::kDirectory;
  std::string header = plain_header(type_of(node.kind), v.path, v.size);
  put_number(header, 100, 7, node.mode.value_or(directory ? 0755 : 0644));
  put_number(header, 108, 7, v.uid), put_number(header, 116, 7, v.gid);
  put_number(header, 136, 11, v.mtime < 0 ? 0 : static_cast<uint64_t>(v.mtime));
  put_text(header, 157, kName, v.link);
  put_number(header, 329, 7, v.device >> 32), put_number(header, 337, 7, v.device & 0xffffffff);
  return header;
}

std::unexpected<Error> cannot_write() {
  return fail(Fault::kIo, std::string("cannot write the archive: ") + std::strerror(errno));
}

}  // namespace

Result<void> PaxWriter::open(const std::string& file) {
  file_.reset(file == "-" ? fdopen(dup(STDOUT_FILENO), "wb") : std::fopen(file.c_str(), "wb"));
  if (!file_) return cannot_write();
  return {};
}

Result<void> PaxWriter::write(std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size()) return cannot_write();
  written_ += bytes.size();
  return {};
}

Result<void> PaxWriter::pad() { return write(std::string((kBlock - written_ % kBlock) % kBlock, '\0')); }

Result<void> PaxWriter::add(const PaxEntry& entry) {
  const Node& node = entry.node;
  Values v{.path = node.path, .link = node.target, .size = entry.content.size()};
  v.uid = node.uid.value_or(0), v.gid = node.gid.value_or(0), v.device = node.device.value_or(0);
  v.mtime = node.mtime.value_or(0);
  if (node.kind == Kind::kDirectory && !v.path.ends_with('/')) v.path += '/';
  if (const std::string records = extended_records(node, v); !records.empty()) {
    std::string header = plain_header('x', "PaxHeaders/" + node.path, records.size());
    finish_header(header);
    TRY_VOID(write(header));
    TRY_VOID(write(records));
    TRY_VOID(pad());
  }
  std::string header = header_of(node, v);
  finish_header(header);
  TRY_VOID(write(header));
  TRY_VOID(write(entry.content.text()));
  return pad();
}

Result<void> PaxWriter::finish() {
  TRY_VOID(write(std::string(2 * kBlock, '\0')));
  if (std::fclose(file_.release()) != 0) return cannot_write();
  return {};
}

}  // namespace assay::cli
