// ar archives, and with them Debian's deb and OpenWrt's older ipk.
//
//   0   "!<arch>\n"
//   8   members: name (16), mtime (12), uid (6), gid (6), mode (8, octal), size (10), "`\n"; text padded with spaces;
//       data, padded to an even length with "\n"
//
// Long names: GNU keeps them in the member "//" and writes "/offset"; BSD writes "#1/length" and puts the name before
// the data, counted in the size. The members "/", "/SYM64/" and "__.SYMDEF" hold the linker's table of symbols.
// Source: ar(5); binutils, include/aout/ar.h.
#include "core/text.h"
#include "unpack/format.h"

#include <charconv>

namespace assay::unpack::ar {
namespace {

constexpr std::string_view kStart = "!<arch>\n", kEnd = "`\n";
constexpr Magic kMagics[] = {{kStart}};
constexpr uint64_t kHeader = 60;

struct Member {
  std::string_view name;  // as stored, without the padding
  uint64_t mtime = 0, uid = 0, gid = 0, mode = 0, size = 0;
  uint64_t start = 0, data = 0, end = 0;
};

// A number as text; empty fields, which some writers leave, are zero.
Result<uint64_t> number(Bytes b, uint64_t at, uint64_t digits, int radix, std::string_view field) {
  const std::string_view text = trim(TRY(b.slice(at, digits, field)).text());
  uint64_t value = 0;
  if (text.empty()) return value;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, radix);
  if (error != std::errc() || end != text.data() + text.size())
    return fail(Fault::kMalformed, std::string(field) + " is no number", b.base() + at);
  return value;
}

Result<Member> read_member(Bytes b, uint64_t at) {
  Member m;
  const Bytes header = TRY(b.slice(at, kHeader, "member header"));
  if (!header.starts_with(kEnd, 58)) return fail(Fault::kMalformed, "member header does not end", header.base() + 58);
  m.name = header.text().substr(0, 16);
  m.name = m.name.substr(0, m.name.find_last_not_of(' ') + 1);
  m.mtime = TRY(number(b, at + 16, 12, 10, "mtime"));
  m.uid = TRY(number(b, at + 28, 6, 10, "uid"));
  m.gid = TRY(number(b, at + 34, 6, 10, "gid"));
  m.mode = TRY(number(b, at + 40, 8, 8, "mode"));
  m.size = TRY(number(b, at + 48, 10, 10, "size"));
  m.start = at;
  m.data = at + kHeader;
  TRY(b.slice(m.data, m.size, "member"));
  m.end = m.data + m.size;
  if (m.end % 2 != 0 && b.starts_with("\n", m.end)) ++m.end;
  return m;
}

std::vector<Member> read_members(Bytes b) {
  std::vector<Member> members;
  for (uint64_t at = kStart.size(); at < b.size();) {
    auto member = read_member(b, at);
    if (!member) break;
    at = member->end;
    members.push_back(*member);
  }
  return members;
}

Result<Measured> measure(Bytes from) {
  if (!from.starts_with(kStart)) return fail(Fault::kMalformed, "magic does not match", from.base());
  TRY(read_member(from, kStart.size()));
  return Measured{read_members(from).back().end, true};
}

bool is_symbol_table(std::string_view name) {
  return name == "/" || name == "/SYM64/" || name.starts_with("__.SYMDEF");
}

// The name of a member, and how many bytes of its data it takes (BSD).
Result<std::pair<std::string, uint64_t>> name_of_member(Bytes b, const Member& m, std::string_view long_names) {
  const auto digits = [&](size_t skip) { return number(b, m.start + skip, 16 - skip, 10, "name"); };
  if (m.name.starts_with("#1/")) {
    const uint64_t length = TRY(digits(3));
    if (length > m.size) return fail(Fault::kMalformed, "name is longer than its member", b.base() + m.start);
    return std::pair(TRY(b.text_field(m.data, length, "name")), length);
  }
  if (m.name.size() > 1 && m.name[0] == '/' && m.name[1] >= '0' && m.name[1] <= '9') {
    const uint64_t at = TRY(digits(1));
    if (at >= long_names.size())
      return fail(Fault::kMalformed, "name lies outside the table of names", b.base() + m.start);
    std::string_view name = long_names.substr(at);
    name = name.substr(0, name.find('\n'));
    if (name.ends_with('/')) name.remove_suffix(1);
    return std::pair(std::string(name), uint64_t{0});
  }
  std::string_view name = m.name;
  if (name.size() > 1 && name.ends_with('/')) name.remove_suffix(1);
  return std::pair(std::string(name), uint64_t{0});
}

Result<void> put(Bytes whole, const Member& m, std::string_view long_names, Sink& into) {
  auto [name, taken] = TRY(name_of_member(whole, m, long_names));
  into.range(Range::kHeader, m.start, kHeader + taken);
  if (is_symbol_table(name)) {
    into.range(Range::kHeader, m.data, m.size);
    return {};
  }
  Node node{.kind = Kind::kFile,
            .path = std::move(name),
            .mode = static_cast<uint32_t>(m.mode & 07777),
            .uid = static_cast<uint32_t>(m.uid),
            .gid = static_cast<uint32_t>(m.gid),
            .mtime = static_cast<int64_t>(m.mtime)};
  return into.node(std::move(node), stored(TRY(whole.slice(m.data + taken, m.size - taken, "member"))));
}

Result<void> unpack(Bytes whole, Sink& into) {
  std::string_view long_names;
  into.range(Range::kHeader, 0, kStart.size());
  for (const Member& m : read_members(whole)) {
    TRY_VOID(into.step());
    const uint64_t padding = m.data + m.size;
    into.range(Range::kHeader, padding, m.end - padding);
    if (m.name == "//") {
      long_names = TRY(whole.slice(m.data, m.size, "table of names")).text();
      into.range(Range::kHeader, m.start, kHeader + m.size);
      continue;
    }
    if (auto done = put(whole, m, long_names, into); !done) {
      if (done.error().fault == Fault::kLimit) return done;
      into.problem(std::move(done).error());
    }
  }
  return {};
}

}  // namespace

extern const Format kAr;
const Format kAr = {.id = "ar",
                    .title = "ar archive",
                    .magics = kMagics,
                    .measure = measure,
                    .unpack = unpack,
                    .reads = "GNU and BSD member names; Debian and opkg packages",
                    .limits = "thin archives",
                    .source = "ar(5); binutils include/aout/ar.h",
                    .checked = "foreign tool: ar; real image: sample archive of another project"};

}  // namespace assay::unpack::ar
