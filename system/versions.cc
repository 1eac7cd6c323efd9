// Components by the text in which a program states its own version ("BusyBox v1.19.4 (2014-…",
// "SSH-2.0-dropbear_0.52"). The products and their texts are in version_table.cc; all are looked for in one pass.
//
// A mention is no version: text files (changelogs, pages, scripts) are not read at all; in binaries an anchor has to
// start its string unless the product prints it inside one, a digit has to follow at once, a dot has to be in the
// version, and the word has to end there (so patterns like "OpenSSH_2.*" in compatibility tables are none). musl keeps
// its version as a string by itself: it counts when "musl libc (" is there and one such string only.
//
// Misses: products without such a text (uClibc, telnetd, most small daemons), versions put together at
// run time ("%d.%d"), texts in compressed parts.
// Mistakes: a program that carries the version text of the library it was built against, without holding the library
// (OpenSSL's header does that); a vendor's patches do not show in a version.
#include "core/text.h"
#include "system/file.h"
#include "system/strings.h"
#include "system/version_table.h"

#include <set>

namespace assay::system::versions {
namespace {

using namespace std::string_view_literals;

constexpr size_t kMaxVersion = 48, kMaxComponents = 256;
constexpr std::string_view kMusl = "musl libc (";

bool in_version(char c) { return is_alphanumeric(c) || c == '.' || c == '-' || c == '_' || c == '+' || c == '~'; }

bool ends_word(std::string_view text, size_t at) {
  return at >= text.size() || "\0 \t\r\n()[],;:'\"/<@"sv.find(text[at]) != std::string_view::npos;
}

bool follows(std::string_view text, size_t at, std::string_view follow) {
  if (follow.empty()) return ends_word(text, at);
  if (follow != "#") return text.substr(at).starts_with(follow);
  const size_t digit = text.substr(0, at + 4).find_first_not_of(' ', at);
  return digit != text.npos && digit > at && is_digit(text[digit]);
}

// The version at `at`; empty: none. With a text that must follow ("…-0.9.33.so"), the version ends where that begins.
std::string_view version_at(std::string_view text, size_t at, std::string_view follow) {
  if (at >= text.size() || !is_digit(text[at])) return {};
  size_t end = at;
  while (end < text.size() && end - at < kMaxVersion && in_version(text[end])) {
    if (!follow.empty() && follow[0] == '.' && text.substr(end).starts_with(follow)) break;
    ++end;
  }
  if (!follows(text, end, follow)) return {};
  while (end > at && !is_alphanumeric(text[end - 1])) --end;
  const std::string_view version = text.substr(at, end - at);
  return version.find('.') == version.npos ? std::string_view{} : version;
}

bool starts_string(std::string_view text, size_t at) { return at == 0 || !is_printable(text[at - 1]); }

std::string purl_of(std::string_view name, std::string_view version) {
  std::string purl = "pkg:generic/" + std::string(name) + "@";
  for (const char c : version) {
    if (c == '+')
      purl += "%2B";
    else
      purl += c;
  }
  return purl;
}

struct Found {
  std::set<std::pair<std::string_view, std::string_view>> seen;
  size_t musl_at = std::string_view::npos;
};

void state(Facts& out, Found& found, std::string_view product, std::string_view version, std::string_view shows,
           uint64_t at) {
  if (found.seen.size() >= kMaxComponents || !found.seen.emplace(product, version).second) return;
  if (found.seen.size() == kMaxComponents)
    out.problems.push_back({"", Fault::kLimit, "versions: more than 256 in one file", at});
  Component c{.name = std::string(product),
              .version = std::string(version),
              .purl = purl_of(product, version),
              .how = "version-string"};
  c.at = {"", at, shows.size(), std::string(shows.substr(0, 200))};
  out.components.push_back(std::move(c));
}

std::span<const std::string_view> anchors() {
  static const std::vector<std::string_view> words = [] {
    std::vector<std::string_view> all;
    for (const VersionRule& rule : version_rules()) all.push_back(rule.anchor);
    all.push_back(kMusl);
    return all;
  }();
  return words;
}

void read_anchor(std::string_view text, const VersionRule& rule, uint64_t at, Facts& out, Found& found) {
  if (!rule.inside && !starts_string(text, at)) return;
  const size_t from = at + rule.anchor.size();
  const std::string_view version = version_at(text, from, rule.follow);
  if (version.empty()) return;
  const std::string_view after = text.substr(at, from - at + version.size() + 60);
  state(out, found, rule.product, version, after.substr(0, after.find_first_of("\0\r\n"sv)), at);
}

// musl: the only string of the file that is nothing but "1.x.y".
void read_musl(std::string_view text, Facts& out, Found& found) {
  std::string_view only;
  size_t where = 0;
  for (size_t at = text.find("\0001."sv); at != text.npos; at = text.find("\0001."sv, at + 1)) {
    size_t end = at + 1;
    while (end < text.size() && end - at < 12 && (is_digit(text[end]) || text[end] == '.')) ++end;
    const std::string_view version = text.substr(at + 1, end - at - 1);
    const size_t dot = version.find('.', 2);
    if (end >= text.size() || text[end] != '\0' || dot == version.npos || dot + 1 == version.size()) continue;
    if (!only.empty() && only != version) return;
    only = version;
    where = at + 1;
  }
  if (!only.empty()) state(out, found, "musl", only, only, where);
}

void run(Bytes content, const Marks& marks, Facts& out) {
  if (content.size() < 16 || looks_like_text(content.head(4096).text())) return;
  const std::string_view text = content.text();
  const std::span<const VersionRule> rules = version_rules();
  Found found;
  marks.each([&](uint32_t i, uint64_t at) {
    if (i < rules.size())
      read_anchor(text, rules[i], at, out, found);
    else if (found.musl_at == text.npos)
      found.musl_at = at;
  });
  if (found.musl_at != text.npos) read_musl(text, out, found);
}

}  // namespace

extern const FileAnalysis kVersions;
const FileAnalysis kVersions = {"versions", 1, run, anchors};

}  // namespace assay::system::versions
