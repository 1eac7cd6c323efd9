// Source: POSIX.1-2017, pax, ustar Interchange Format and pax Header Block; GNU tar manual, Basic Tar Format and
// Storing Sparse Files; star(5).
#include "unpack/tar.h"

#include "core/hash.h"
#include "core/text.h"

#include <charconv>

namespace assay::unpack {
namespace {

Result<uint64_t> decimal(std::string_view text, std::string_view field, uint64_t at) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty())
    return fail(Fault::kMalformed, std::string(field) + " is no number", at);
  return value;
}

Result<int64_t> base256(Bytes bytes, std::string_view field) {
  const bool negative = bytes[0] & 0x40;
  uint64_t value = negative ? ~uint64_t{0} : 0;
  for (uint64_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<uint8_t>(i == 0 ? (negative ? bytes[0] : bytes[0] & 0x7f) : bytes[i]);
    const auto lost = static_cast<uint8_t>(value >> 56);
    if (lost != (negative ? 0xff : 0))
      return fail(Fault::kMalformed, std::string(field) + " exceeds 64 bits", bytes.base());
    value = value << 8 | byte;
  }
  return static_cast<int64_t>(value);
}

Result<void> check_sum(Bytes block) {
  constexpr uint64_t kAt = 148, kLength = 8;
  const int64_t stored = TRY(tar_number(block, kAt, kLength, "checksum"));
  int64_t plain = 0, with_sign = 0;  // old writers summed signed characters
  for (uint64_t i = 0; i < block.size(); ++i) {
    const uint8_t byte = i >= kAt && i < kAt + kLength ? ' ' : block[i];
    plain += byte;
    with_sign += static_cast<int8_t>(byte);
  }
  if (checksum_holds(plain, stored) || checksum_holds(with_sign, stored)) return {};
  return fail(Fault::kMalformed, "checksum does not match", block.base() + kAt);
}

Result<uint64_t> unsigned_number(Bytes block, uint64_t at, uint64_t length, std::string_view field) {
  const int64_t value = TRY(tar_number(block, at, length, field));
  if (value < 0) return fail(Fault::kMalformed, std::string(field) + " is negative", block.base() + at);
  return static_cast<uint64_t>(value);
}

// A run of an old sparse map; an empty one ends the map.
Result<bool> add_run(Bytes block, uint64_t at, std::vector<TarRun>& runs) {
  if (block[at] == 0 && block[at + 12] == 0) return false;
  const uint64_t offset = TRY(unsigned_number(block, at, 12, "sparse offset"));
  runs.push_back({offset, TRY(unsigned_number(block, at + 12, 12, "sparse size"))});
  return true;
}

// The map of pax form 1.0: numbers on lines of their own in front of the data, padded to a block.
Result<void> read_map_1_0(Bytes data, TarSparse& sparse) {
  uint64_t at = 0;
  const auto line = [&]() -> Result<uint64_t> {
    const std::string_view rest = data.head(32, at).text();
    const size_t end = rest.find('\n');
    if (end == rest.npos) return fail(Fault::kMalformed, "sparse map ends early", data.base() + at);
    const uint64_t value = TRY(decimal(rest.substr(0, end), "sparse map", data.base() + at));
    at += end + 1;
    return value;
  };
  const uint64_t count = TRY(line());
  for (uint64_t i = 0; i < count; ++i) {  // each run takes four bytes at least: the data end the loop
    const uint64_t offset = TRY(line());
    sparse.runs.push_back({offset, TRY(line())});
  }
  sparse.skipped = (at + kTarBlock - 1) / kTarBlock * kTarBlock;
  return {};
}

}  // namespace

Result<int64_t> tar_number(Bytes block, uint64_t at, uint64_t length, std::string_view field) {
  const Bytes bytes = TRY(block.slice(at, length, field));
  if (bytes[0] & 0x80) return base256(bytes, field);
  std::string_view text = bytes.text();
  text = trim(text.substr(0, text.find('\0')));
  int64_t value = 0;
  if (text.empty()) return value;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 8);
  if (error != std::errc() || end != text.data() + text.size())
    return fail(Fault::kMalformed, std::string(field) + " is no octal number", bytes.base());
  return value;
}

Result<TarHeader> read_tar_header(Bytes archive, uint64_t at) {
  const Bytes block = TRY(archive.slice(at, kTarBlock, "header"));
  if (block[0] == 0) return fail(Fault::kMalformed, "header has no name", block.base());
  TRY_VOID(check_sum(block));
  TarHeader h;
  h.type = static_cast<char>(block[156]);
  h.gnu = block.starts_with("ustar  ", 257);
  const bool ustar = block.starts_with(std::string_view("ustar\0", 6), 257);
  h.name = TRY(block.text_field(0, 100, "name"));
  h.link = TRY(block.text_field(157, 100, "linkname"));
  h.mode = TRY(unsigned_number(block, 100, 8, "mode"));
  h.uid = TRY(unsigned_number(block, 108, 8, "uid"));
  h.gid = TRY(unsigned_number(block, 116, 8, "gid"));
  h.size = TRY(unsigned_number(block, 124, 12, "size"));
  h.mtime = TRY(tar_number(block, 136, 12, "mtime"));
  if (ustar || h.gnu) {
    h.device_major = TRY(unsigned_number(block, 329, 8, "devmajor"));
    h.device_minor = TRY(unsigned_number(block, 337, 8, "devminor"));
  }
  const std::string prefix = ustar ? TRY(block.text_field(345, 155, "prefix")) : std::string();
  if (!prefix.empty()) h.name = prefix + "/" + h.name;
  return h;
}

Result<void> read_pax(Bytes records, std::map<std::string, std::string>& into) {
  for (uint64_t at = 0; at < records.size() && records[at] != 0;) {
    const std::string_view rest = records.head(records.size(), at).text();
    const size_t space = rest.substr(0, 24).find(' ');
    if (space == rest.npos) return fail(Fault::kMalformed, "pax record has no length", records.base() + at);
    const uint64_t length = TRY(decimal(rest.substr(0, space), "pax record length", records.base() + at));
    if (length > rest.size() || length < space + 3 || rest[length - 1] != '\n')
      return fail(Fault::kMalformed, "pax record of " + std::to_string(length) + " bytes", records.base() + at);
    const std::string_view record = rest.substr(space + 1, length - space - 2);
    const size_t equals = record.find('=');
    if (equals == record.npos) return fail(Fault::kMalformed, "pax record has no value", records.base() + at);
    const std::string key(record.substr(0, equals)), value(record.substr(equals + 1));
    // Form 0.0 of sparse maps repeats these two keys; kept together they read like form 0.1.
    if (key == "GNU.sparse.offset" || key == "GNU.sparse.numbytes") {
      std::string& map = into["GNU.sparse.map"];
      map += (map.empty() ? "" : ",") + value;
    } else {
      into[key] = value;
    }
    at += length;
  }
  return {};
}

Result<void> check_sparse(const TarSparse& sparse, uint64_t stored, uint64_t at) {
  uint64_t end = 0, sum = 0;
  for (const TarRun& run : sparse.runs) {
    if (run.offset < end || run.offset > sparse.size || run.length > sparse.size - run.offset)
      return fail(Fault::kMalformed, "sparse run at " + std::to_string(run.offset) + " is out of order or place", at);
    end = run.offset + run.length;
    sum += run.length;
  }
  if (sum > stored) return fail(Fault::kMalformed, "sparse runs exceed the stored bytes", at);
  return {};
}

Result<TarSparse> read_old_sparse(Bytes archive, uint64_t at) {
  const Bytes header = TRY(archive.slice(at, kTarBlock, "header"));
  TarSparse sparse;
  sparse.size = TRY(unsigned_number(header, 483, 12, "sparse real size"));
  bool open = true;
  for (uint64_t i = 0; open && i < 4; ++i) open = TRY(add_run(header, 386 + 24 * i, sparse.runs));
  for (bool more = header[482] != 0; more;) {
    const Bytes block = TRY(archive.slice(at + kTarBlock + sparse.skipped, kTarBlock, "sparse map"));
    for (uint64_t i = 0; open && i < 21; ++i) open = TRY(add_run(block, 24 * i, sparse.runs));
    sparse.skipped += kTarBlock;
    more = block[504] != 0;
  }
  return sparse;
}

bool is_pax_sparse(const std::map<std::string, std::string>& pax) {
  return pax.contains("GNU.sparse.map") || pax.contains("GNU.sparse.major");
}

Result<TarSparse> read_pax_sparse(const std::map<std::string, std::string>& pax, Bytes data) {
  const auto value = [&](const char* key) {
    const auto it = pax.find(key);
    return it == pax.end() ? std::string() : it->second;
  };
  TarSparse sparse;
  const std::string size =
      value("GNU.sparse.realsize").empty() ? value("GNU.sparse.size") : value("GNU.sparse.realsize");
  sparse.size = TRY(decimal(size, "sparse real size", data.base()));
  if (value("GNU.sparse.major") == "1") {
    TRY_VOID(read_map_1_0(data, sparse));
    return sparse;
  }
  const std::string map = value("GNU.sparse.map");
  const auto numbers = split(map, ',');
  if (numbers.size() % 2 != 0) return fail(Fault::kMalformed, "sparse map has an odd count", data.base());
  for (size_t i = 0; i < numbers.size(); i += 2) {
    const uint64_t offset = TRY(decimal(numbers[i], "sparse offset", data.base()));
    sparse.runs.push_back({offset, TRY(decimal(numbers[i + 1], "sparse size", data.base()))});
  }
  return sparse;
}

}  // namespace assay::unpack
