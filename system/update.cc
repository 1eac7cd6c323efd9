// How software gets onto the device: scripts and programs that fetch and write images, what they check before, the
// package sources with their keys, and TR-069 clients (whose Download method installs what a server names).
//
// `verified` of a script is stated by this rule, and by nothing finer:
//   yes      a command of the same script checks a signature (usign, ucert, openssl dgst/rsautl -verify, gpg, gpgv,
//            minisign, fwtool with ucert, cosign) on an earlier line than the one that writes flash
//   no       the script itself fetches from the network and writes flash, and checks no signature
//   unknown  anything else: whoever calls it may have checked
// A package source is verified when a configuration of opkg sets check_signature; the option is off by default
// (libopkg/opkg_conf.c), so a source without it is not.
#include "core/text.h"
#include "system/script_commands.h"
#include "system/strings.h"
#include "system/text_files.h"

#include <algorithm>
#include <array>
#include <set>

namespace assay::system::update {
namespace {

constexpr uint64_t kMaximumProgram = 16 << 20;
constexpr size_t kMaximumString = 512, kMostPerProgram = 16;

bool contains_any(std::string_view text, std::initializer_list<std::string_view> any) {
  return std::ranges::any_of(any, [&](std::string_view part) { return text.find(part) != std::string_view::npos; });
}
bool is_one_of(std::string_view word, std::initializer_list<std::string_view> list) {
  return std::ranges::find(list, word) != list.end();
}
std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

bool writes_flash(const ScriptCommand& command) {
  const std::string_view program = command.program();
  if (program == "mtd") return command.has("write") || command.has("erase");
  if (is_one_of(program, {"mtd_write", "flashcp", "flash_eraseall", "flash_erase", "flashw", "nandwrite",
                          "ubiupdatevol", "fw_update", "flash_unlock", "mtd_debug"}))
    return command.words.size() > 1;
  const std::string_view text = command.text;
  if (program == "dd") return contains_any(text, {"of=/dev/mtd", "of=/dev/mmcblk", "of=/dev/ubi"});
  if (is_one_of(program, {"cat", "tar", "gzip", "zcat", "cp"}))
    return contains_any(text, {"> /dev/mtd", ">/dev/mtd"}) ||
           (program == "cp" && text.find(" /dev/mtd") != std::string_view::npos);
  return false;
}
bool checks_signature(const ScriptCommand& command) {
  const std::string_view program = command.program();
  if (program == "usign" || program == "minisign") return command.has("-V");
  if (program == "ucert") return command.has("-V");
  if (program == "openssl")
    return contains_any(command.text, {"-verify", "pkeyutl -verify", "smime -verify", "cms -verify"});
  if (program == "gpg" || program == "gpg2") return command.has("--verify") || command.has("--decrypt");
  return program == "gpgv" || (program == "cosign" && command.has("verify")) ||
         (program == "fwtool" && command.has("-s") && command.text.find("sig") != std::string_view::npos);
}
bool checks_sum(const ScriptCommand& command) {
  return is_one_of(command.program(), {"md5sum", "sha1sum", "sha256sum", "sha512sum", "cksum", "crc32", "sum"});
}
bool fetches(const ScriptCommand& command) {
  return is_one_of(command.program(), {"wget", "curl", "uclient-fetch", "tftp", "ftpget", "atftp", "axel", "aria2c"}) &&
         command.words.size() > 1;
}
bool upgrades(const ScriptCommand& command) {
  return is_one_of(command.program(),
                   {"sysupgrade", "mcuboot", "rauc", "swupdate", "mender", "fwupdate", "fwupgrade"}) &&
         command.words.size() > 1;
}

std::string_view scheme_of(std::string_view url) { return url.substr(0, url.find("://")); }
std::string transport_of(std::string_view url) {
  const std::string scheme = lower(scheme_of(url));
  return is_one_of(scheme, {"http", "https", "ftp", "tftp"}) ? scheme : "";
}

// A URL that names software: one of these words stands in its host or path.
bool names_software(std::string_view url) {
  return contains_any(lower(url),
                      {"firmware", "upgrade", "update", "fwup", "/fw/", "sysupgrade", "/ota", "ota.", "autoupd"});
}

std::string_view url_at(std::string_view text, size_t separator) {
  size_t start = separator;
  while (start > 0 && std::isalpha(static_cast<unsigned char>(text[start - 1])) && separator - start < 8) --start;
  size_t end = separator + 3;
  while (end < text.size() && end - start < kMaximumString && static_cast<unsigned char>(text[end]) > 0x20 &&
         static_cast<unsigned char>(text[end]) < 0x7f &&
         std::string_view("\"'<>`|;)\\").find(text[end]) == std::string_view::npos)
    ++end;
  return text.substr(start, end - start);
}

class Reader {
 public:
  Reader(const Tree& tree, Facts& out) : tree_(tree), out_(out) {}

  void run() {
    const std::vector<TextFile> files = text_files(tree_);
    for (const TextFile& file : files) read_text(file);
    read_package_sources(files);
    for (const Outbound& outbound : tree_.file_facts().outbound) read_outbound(outbound);
    const std::vector<Outbound> later = out_.outbound;
    for (const Outbound& outbound : later) read_outbound(outbound);
    for (const Artifact& artifact : tree_.artifacts()) read_stored(artifact);
  }

 private:
  void add(std::string_view kind, std::string_view value, std::string transport, Known verified, Evidence at) {
    if (!seen_
             .insert(std::string(kind) + '\0' + at.artifact + '\0' + std::to_string(at.offset) + '\0' +
                     std::string(value))
             .second)
      return;
    out_.update.push_back({std::string(kind), std::string(value.substr(0, kMaximumString)), std::move(transport),
                           verified, std::move(at)});
  }

  void read_text(const TextFile& file) {
    if (is_web_page(file)) return;
    const bool list = file.below("/opkg/info/") || file.name == "opkg.conf" || file.below("/etc/opkg/");
    if (!list) read_urls(file);
    if (file.is_script()) read_script(file);
  }
  void read_urls(const TextFile& file) {
    for (size_t at = file.text.find("://"); at != std::string_view::npos; at = file.text.find("://", at + 3)) {
      const std::string_view url = url_at(file.text, at);
      const std::string transport = transport_of(url);
      if (transport.empty() || !names_software(url) || url.size() < 12) continue;
      const size_t line = file.text.rfind('\n', at) + 1;  // npos + 1 == 0: the first line
      if (trim(file.text.substr(line, at - line)).starts_with('#')) continue;
      add("url", url, transport, Known::kUnknown, file.at(static_cast<uint64_t>(url.data() - file.text.data()), url));
    }
  }
  void read_script(const TextFile& file) {
    if (!contains_any(file.text, {"mtd", "flash", "sysupgrade", "nandwrite", "/dev/m", "rauc", "swupdate",
                                  "ubiupdatevol", "fw_update", "fwu", "usign", "-verify"}))
      return;
    const std::vector<ScriptCommand> commands = script_commands(file.text);
    const auto first = [&](auto test) { return std::ranges::find_if(commands, test) - commands.begin(); };
    const auto end = static_cast<std::ptrdiff_t>(commands.size());
    const std::ptrdiff_t write = first(writes_flash), signature = first(checks_signature), fetch = first(fetches);
    const bool writes = write < end;
    Known verified = Known::kUnknown;
    if (writes && signature < write)
      verified = Known::kYes;
    else if (writes && fetch < end && signature == end)
      verified = Known::kNo;
    if (writes)
      add("script", file.path, "local", verified,
          file.at(commands[static_cast<size_t>(write)].offset, commands[static_cast<size_t>(write)].text));
    for (const ScriptCommand& command : commands) {
      const Evidence at = file.at(command.offset, command.text);
      if (writes_flash(command)) add("flash-write", command.text, "local", verified, at);
      if (checks_signature(command)) add("signature-check", command.text, "", Known::kUnknown, at);
      if (writes && checks_sum(command)) add("checksum-check", command.text, "", Known::kUnknown, at);
      if (upgrades(command)) add("program", command.text, "local", Known::kUnknown, at);
    }
  }
  static bool is_opkg_configuration(const TextFile& file) {
    return file.name == "opkg.conf" || file.name == "ipkg.conf" ||
           (file.below("/etc/opkg/") && file.name.ends_with(".conf"));
  }
  void read_package_sources(const std::vector<TextFile>& files) {
    std::set<int> checking;  // volumes whose opkg checks signatures
    for (const TextFile& file : files) {
      if (!is_opkg_configuration(file)) continue;
      for (const Line& line : lines(file.text)) {
        const auto parts = words(line.text);
        if (parts.size() < 2 || parts[0] != "option" || parts[1] != "check_signature") continue;
        if (parts.size() > 2 && parts[2] == "0") continue;
        checking.insert(file.volume);
        add("signature-check", line.text, "", Known::kUnknown, file.at(line.offset, line.text));
      }
    }
    for (const TextFile& file : files) {
      if (!is_opkg_configuration(file)) continue;
      for (const Line& line : lines(file.text)) {
        const auto parts = words(line.text);
        if (parts.size() < 3 || (parts[0] != "src/gz" && parts[0] != "src")) continue;
        const Known verified = checking.contains(file.volume) ? Known::kYes : Known::kNo;
        add("url", parts[2], transport_of(parts[2]), verified, file.at(line.offset, line.text));
      }
    }
  }
  void read_outbound(const Outbound& outbound) {
    if (outbound.kind != "url" || !names_software(outbound.value)) return;
    const std::string transport = transport_of(outbound.value);
    if (!transport.empty()) add("url", outbound.value, transport, Known::kUnknown, outbound.at);
  }

  void read_stored(const Artifact& artifact) {
    if (artifact.node.kind != Kind::kFile || !artifact.has_content) return;
    const std::string_view path = tree_.path_in_volume(artifact);
    const std::string_view name = path.substr(path.rfind('/') + 1);
    if (contains_any(path, {"/etc/opkg/keys/", "/etc/apk/keys/", "/etc/swupdate/keys/"}))
      add("verification-key", name, "", Known::kUnknown, evidence_of(artifact, std::string(path)));
    const Elf* elf = tree_.elf(artifact);
    if (!elf || elf->type == "relocatable" || artifact.size > kMaximumProgram) return;
    if (elf->is_program && contains_any(lower(name), {"cwmp", "tr069", "tr-069", "tr69"}))
      add("program", name, "tr069", Known::kUnknown, evidence_of(artifact, "TR-069 client " + std::string(path)));
    if (runs_commands(*elf)) read_strings(artifact, tree_.content(artifact).text());
  }
  static bool runs_commands(const Elf& elf) {
    return std::ranges::any_of(elf.imports, [](const std::string& symbol) {
      return is_one_of(symbol, {"system", "popen", "execve", "execl", "execlp", "execv", "execvp", "_eval", "doSystem",
                                "util_execSystem", "twsystem", "do_system"});
    });
  }
  // Commands among the strings of a program that runs commands.
  void read_strings(const Artifact& artifact, std::string_view content) {
    static constexpr std::pair<std::string_view, std::string_view> kCommands[] = {
        {"mtd write", "flash-write"},    {"mtd_write ", "flash-write"},   {"of=/dev/mtd", "flash-write"},
        {"flashcp ", "flash-write"},     {"flash_erase ", "flash-write"}, {"flash_eraseall ", "flash-write"},
        {"mtd -r write", "flash-write"}, {"nandwrite ", "flash-write"},   {"ubiupdatevol ", "flash-write"},
        {"sysupgrade ", "program"},      {"dgst -", "signature-check"},   {"usign -V", "signature-check"}};
    static const Literals all = [&] {
      std::array<std::string_view, std::size(kCommands)> anchors;
      std::ranges::transform(kCommands, anchors.begin(), [](const auto& command) { return command.first; });
      return Literals(anchors);
    }();
    std::array<std::vector<uint64_t>, std::size(kCommands)> places;  // none of them overlaps itself
    all.search(content, [&](uint32_t i, uint64_t at) { places[i].push_back(at); });
    size_t found = 0;
    std::set<uint64_t> starts;
    for (size_t i = 0; i < places.size(); ++i) {
      const auto& [anchor, kind] = kCommands[i];
      for (const uint64_t at : places[i]) {
        if (found >= kMostPerProgram) break;
        const auto [start, text] = string_around(content, at);
        const bool word = at == start || !std::isalnum(static_cast<unsigned char>(content[at - 1]));
        const bool help =
            text.find('\n') != std::string_view::npos || lower(text).find("usage") != std::string_view::npos;
        if (!word || help || text.size() <= anchor.size() || !starts.insert(start).second) continue;
        if (kind == "signature-check" && !contains_any(text, {"-verify", "-V"})) continue;
        ++found;
        add(kind, text, kind == "flash-write" || kind == "program" ? "local" : "", Known::kUnknown,
            evidence_at(artifact, start, text));
      }
    }
  }
  // The NUL-terminated printable string around `at`; "" when it is longer than a command would be.
  static std::pair<uint64_t, std::string_view> string_around(std::string_view content, size_t at) {
    const auto printable = [](char c) { return (c >= 0x20 && c < 0x7f) || c == '\t' || c == '\n'; };
    size_t start = at, end = at;
    while (start > 0 && printable(content[start - 1]) && at - start < kMaximumString) --start;
    while (end < content.size() && printable(content[end]) && end - at < kMaximumString) ++end;
    if (at - start == kMaximumString || end - at == kMaximumString) return {start, {}};
    return {start, content.substr(start, end - start)};
  }

  const Tree& tree_;
  Facts& out_;
  std::set<std::string> seen_;
};

void run(Tree& tree, Facts& out) { Reader(tree, out).run(); }

}  // namespace

extern const TreeAnalysis kUpdate;
const TreeAnalysis kUpdate = {.id = "update", .version = 1, .run = run};

}  // namespace assay::system::update
