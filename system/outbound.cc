// Names and addresses that the content holds: URLs, host names, IPv4 addresses, mail addresses. That a program holds
// one says that it may be used; whether it is, the code tells.
//
// Found by their dots: every dot is widened to the word it stands in, and the word is judged once.
//   url    a word behind "scheme://"
//   host   in binaries a string of its own (with a port or path behind it at most), in text a word between blanks,
//   quotes
//          or tags; its last label must be a top-level domain of the table below. Top-level domains that are also file
//          suffixes, properties or methods (so, py, id, info, me, …) count in URLs only.
//   ipv4   four numbers that are not a netmask, loopback, multicast, network (.0), broadcast or a version: "version",
//   "v"
//          and the like before it, or a first number below 16 followed by at least two zeros (or a zero and numbers
//          below 32).
//   email  a word with '@' before the host; names of authors (MODULE_AUTHOR, copyright) and of SSH extensions are none
// Not reported: documentation names (RFC 2606, RFC 6761), names of schemas and licences that nothing ever asks for
// (w3.org, xmlsoap.org, …/licenses/…), values of xmlns, and in text files lines that begin with '#', "//" or "*".
//
// In text, words of two labels that look like prose or properties of scripts ("end.It", "Sys.ie") are left out.
//
// Misses: names put together at run time, single-label hosts, URLs with a host in a variable, IPv6, UTF-16, top-level
// domains not in the table. Mistakes: text that only looks like a name; copyright lines in code.
#include "core/text.h"
#include "system/file.h"
#include "system/strings.h"

#include <algorithm>
#include <set>

namespace assay::system::outbound {
namespace {

constexpr size_t kMaxPerFile = 500, kMaxWord = 253;

// Generic top-level domains and those of countries; no suffix of files and no common property of scripts among them.
constexpr std::string_view kTopLevel[] = {
    "ae",  "arpa", "asia", "at", "au",  "be",     "bg",  "biz", "br", "ca", "ch", "cl",  "cn",  "cloud", "co",
    "com", "coop", "cz",   "de", "dk",  "edu",    "ee",  "eg",  "es", "eu", "fi", "fr",  "gov", "gr",    "hk",
    "hr",  "hu",   "ie",   "il", "int", "ir",     "it",  "jp",  "kr", "kz", "lt", "lu",  "lv",  "mil",   "mobi",
    "mx",  "my",   "net",  "nl", "nz",  "online", "org", "pe",  "ph", "pk", "pt", "ro",  "ru",  "sa",    "se",
    "sg",  "si",   "sk",   "th", "tr",  "tw",     "ua",  "uk",  "us", "uy", "vn", "xyz", "za"};
// Only where a scheme stands before: they are also suffixes of files, methods or properties.
constexpr std::string_view kTopLevelInUrls[] = {
    "ai",   "am",   "app",   "cc",    "club", "dev", "fm",  "id", "im",  "in", "info", "io", "is",
    "link", "live", "me",    "md",    "name", "no",  "nu",  "pl", "pro", "pw", "rs",   "sh", "shop",
    "site", "so",   "space", "store", "sx",   "to",  "top", "tv", "vip", "ws", "zone"};
constexpr std::string_view kDocumentation[] = {"example.com",
                                               "example.net",
                                               "example.org",
                                               "w3.org",
                                               "xmlsoap.org",
                                               "schemas.microsoft.com",
                                               "schemas.android.com",
                                               "purl.org",
                                               "ns.adobe.com",
                                               "schemas.upnp.org",
                                               "schemas.wifialliance.org",
                                               "openxmlformats.org",
                                               "relaxng.org",
                                               "xml.org",
                                               "oasis-open.org",
                                               "json-schema.org"};
constexpr std::string_view kLicencePaths[] = {"/licenses/", "/licence", "/license", "/copyleft/", "/dtd/", "/DTD/"};

bool in_host(char c) { return is_alphanumeric(c) || c == '-' || c == '.' || c == '_'; }
bool is_member(std::span<const std::string_view> table, std::string_view word) {
  return std::ranges::find(table, word) != table.end();
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  return out;
}

bool is_documentation(std::string_view host) {
  for (const std::string_view top : {".example", ".test", ".invalid", ".localhost", ".local", ".arpa"})
    if (host.ends_with(top)) return true;
  return std::ranges::any_of(kDocumentation, [&](std::string_view name) {
    return host == name || (host.ends_with(name) && host[host.size() - name.size() - 1] == '.');
  });
}

// Labels of letters, digits and hyphens; the last one a top-level domain, the one before it of two characters at least.
bool is_host(std::string_view host, bool in_url) {
  size_t labels = 0, last = 0;
  for (size_t from = 0; from <= host.size(); ++labels) {
    const size_t end = std::min(host.find('.', from), host.size());
    const std::string_view label = host.substr(from, end - from);
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
    if (label.find('_') != label.npos) return false;
    last = from;
    from = end + 1;
  }
  if (labels < 2 || is_digit(host[last])) return false;
  const std::string_view top = host.substr(last);
  const size_t before = host.substr(0, last - 1).rfind('.') + 1;
  if (last - 1 - before < 2 && !in_url) return false;
  return is_member(kTopLevel, top) || (in_url && is_member(kTopLevelInUrls, top));
}

// Four decimal numbers below 256 without leading zeros.
bool read_ipv4(std::string_view word, uint32_t (&n)[4]) {
  size_t at = 0;
  for (int i = 0; i < 4; ++i) {
    const size_t from = at;
    n[i] = 0;
    while (at < word.size() && is_digit(word[at]) && at - from < 3)
      n[i] = n[i] * 10 + static_cast<uint32_t>(word[at++] - '0');
    if (at == from || n[i] > 255 || (at - from > 1 && word[from] == '0')) return false;
    if (i < 3 && (at >= word.size() || word[at++] != '.')) return false;
  }
  return at == word.size();
}

bool is_peer(const uint32_t (&n)[4]) {
  if (n[0] == 0 || n[0] == 127 || n[0] >= 224) return false;
  if (n[3] == 0 || n[3] == 255) return false;
  if (n[0] == 192 && n[1] == 0 && n[2] == 2) return false;  // RFC 5737: documentation
  if (n[0] == 198 && n[1] == 51 && n[2] == 100) return false;
  if (n[0] == 203 && n[1] == 0 && n[2] == 113) return false;
  const int zeros = (n[1] == 0) + (n[2] == 0);
  const bool small = n[1] < 32 && n[2] < 32 && n[3] < 32;
  return n[0] >= 16 || n[0] == 10 || !(zeros == 2 || (zeros == 1 && small));
}

bool says_version(std::string_view text, size_t at) {
  const std::string before = lower(text.substr(at < 16 ? 0 : at - 16, at < 16 ? at : 16));
  for (const std::string_view word : {"version", " ver", "_ver", "rev", "release", "build", "firmware", "driver"})
    if (before.find(word) != before.npos) return true;
  return false;
}

class Finder {
 public:
  Finder(Bytes content, Facts& out)
      : text_(content.text()), is_text_(looks_like_text(content.head(4096).text())), out_(out) {}

  void run() {
    size_t at = 0;
    while (at < text_.size()) {
      const void* dot = std::memchr(text_.data() + at, '.', text_.size() - at);
      if (!dot) return;
      at = static_cast<size_t>(static_cast<const char*>(dot) - text_.data());
      size_t from = at, to = at + 1;
      while (from > done_ && at - from < kMaxWord && in_host(text_[from - 1])) --from;
      while (to < text_.size() && to - at < kMaxWord && in_host(text_[to])) ++to;
      done_ = to;
      if (to - from >= 4) judge(from, to);
      if (seen_.size() >= kMaxPerFile) return limit(at);
      at = std::max(to, done_);
    }
  }

 private:
  char before(size_t at) const { return at == 0 ? '\0' : text_[at - 1]; }
  char at_end(size_t at) const { return at < text_.size() ? text_[at] : '\0'; }

  void judge(size_t from, size_t to) {
    while (from < to && (text_[from] == '.' || text_[from] == '-')) ++from;
    while (to > from && (text_[to - 1] == '.' || text_[to - 1] == '-')) --to;
    if (to - from < 4 || to - from > kMaxWord) return;
    const std::string_view word = text_.substr(from, to - from);
    if (before(from) == '/' && url(from, to, word)) return;
    if (is_digit(word.front()) && is_digit(word.back())) return address(from, to, word);
    if (!is_letter(word.back()) || !is_host(lower(word), false)) return;
    if (before(from) == '@') return mail(from, to);
    if (is_text_ && is_prose(from, to, word)) return;
    if (stands_alone(from, to)) state("host", from, word, "", lower(word), port_at(to));
  }

  // In text, "end.It" joins two sentences and "Sys.ie" is a property: two labels must not end in a capital, and a
  // country's domain of two labels needs quotes or '=' before it.
  bool is_prose(size_t from, size_t to, std::string_view word) const {
    for (const std::string_view object : {"document.", "window.", "this.", "parent.", "self.", "top."})
      if (word.starts_with(object)) return true;
    if (std::ranges::count(word, '.') != 1) return false;
    const std::string_view last = word.substr(word.find('.') + 1);
    const char a = before(from), b = at_end(to);
    if (last[0] >= 'A' && last[0] <= 'Z' && !(last[1] >= 'A' && last[1] <= 'Z')) return true;
    return last.size() == 2 && !((a == '"' || a == '\'') && b == a) && a != '=';
  }

  // scheme://host and scheme://user@host: the word is the host.
  bool url(size_t from, size_t to, std::string_view word) {
    if (from < 6 || text_.substr(from - 3, 3) != "://") return false;
    size_t start = from - 3;
    while (start > 0 && from - start < 16 && (is_alphanumeric(text_[start - 1]) || text_[start - 1] == '+')) --start;
    const std::string scheme = lower(text_.substr(start, from - 3 - start));
    uint32_t numbers[4];
    const bool numeric = read_ipv4(word, numbers);
    if (scheme.size() < 2 || !is_letter(scheme[0]) || !(numeric ? is_peer(numbers) : is_host(lower(word), true)))
      return true;
    size_t end = to;
    while (end < text_.size() && end - start < 300 && is_printable(text_[end]) &&
           std::string_view(" \"'<>`\\{}|^;,)").find(text_[end]) == std::string_view::npos)
      ++end;
    done_ = std::max(done_, end);
    const std::string_view whole = text_.substr(start, end - start);
    for (const std::string_view path : kLicencePaths)
      if (whole.find(path) != whole.npos) return true;
    if (start >= 7 &&
        text_.substr(start < 40 ? 0 : start - 40, start < 40 ? start : 40).find("xmlns") != std::string_view::npos)
      return true;
    state("url", start, whole, scheme, lower(word), port_at(to));
    return true;
  }

  void address(size_t from, size_t to, std::string_view word) {
    uint32_t numbers[4];
    if (!read_ipv4(word, numbers) || !is_peer(numbers) || !stands_alone(from, to)) return;
    if (at_end(to) == '/' && is_digit(at_end(to + 1))) return;  // a network with its prefix length
    if (says_version(text_, from)) return;
    state("ipv4", from, word, "", std::string(word), port_at(to));
  }

  void mail(size_t from, size_t to) {
    size_t start = from - 1;
    const auto fits = [](char c) { return in_host(c) || c == '+' || c == '%'; };
    while (start > 0 && from - start < 64 && fits(text_[start - 1])) --start;
    const std::string_view whole = text_.substr(start, to - start);
    const std::string_view around = printable_around(text_, start, 100);
    for (const std::string_view credit : {"author", "Author", "opyright", "@openssh.com"})
      if (around.find(credit) != around.npos) return;
    if (start + 1 < from && whole.find('%') == whole.npos)
      state("email", start, whole, "", lower(text_.substr(from, to - from)), 0);
  }

  // In a binary the string holds nothing else (but a port or path); in text it stands between blanks, quotes or tags.
  bool stands_alone(size_t from, size_t to) const {
    const char a = before(from), b = at_end(to);
    if (!is_text_) return !is_printable(a) && (!is_printable(b) || b == ':' || b == '/');
    return (std::string_view(" \t\r\n\"'=>,/").find(a) != std::string_view::npos || from == 0) &&
           (std::string_view(" \t\r\n\"'<,:/#").find(b) != std::string_view::npos || to == text_.size()) && a != '/';
  }

  uint16_t port_at(size_t to) const {
    if (at_end(to) != ':') return 0;
    uint32_t port = 0;
    for (size_t i = to + 1; i < to + 6 && is_digit(at_end(i)); ++i)
      port = port * 10 + static_cast<uint32_t>(text_[i] - '0');
    return port <= 65535 ? static_cast<uint16_t>(port) : 0;
  }

  bool in_comment(size_t at) const {
    if (!is_text_) return false;
    size_t line = at;
    while (line > 0 && at - line < 1024 && text_[line - 1] != '\n') --line;
    const size_t first = text_.substr(0, at).find_first_not_of(" \t", line);
    if (first == text_.npos) return false;
    return text_[first] == '#' || text_[first] == '*' || text_.substr(first, 2) == "//" ||
           text_.substr(first, 2) == "/*";
  }

  void state(std::string_view kind, size_t at, std::string_view value, std::string_view scheme, std::string host,
             uint16_t port) {
    if (is_documentation(host) || in_comment(at)) return;
    if (!seen_.emplace(kind, value).second) return;
    Outbound fact{std::string(kind), std::string(value), std::string(scheme), std::move(host), port, {}};
    fact.at = {"", at, value.size(), std::string(printable_around(text_, at, 100))};
    out_.outbound.push_back(std::move(fact));
  }

  void limit(size_t at) {
    out_.problems.push_back({"", Fault::kLimit, "outbound: more than 500 names in one file; the rest is not read", at});
  }

  std::string_view text_;
  bool is_text_;
  Facts& out_;
  size_t done_ = 0;
  std::set<std::pair<std::string_view, std::string_view>> seen_;
};

void run(Bytes content, const Marks&, Facts& out) { Finder(content, out).run(); }

}  // namespace

extern const FileAnalysis kOutbound;
const FileAnalysis kOutbound = {"outbound", 1, run};

}  // namespace assay::system::outbound
