#include "system/config_files.h"

#include "core/text.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace assay::system {
namespace {

constexpr uint64_t kMaximumProgram = 4 << 20;

bool contains_any(std::string_view text, std::initializer_list<std::string_view> any) {
  return std::ranges::any_of(any, [&](std::string_view part) { return text.find(part) != std::string_view::npos; });
}
bool ends_with_any(std::string_view text, std::initializer_list<std::string_view> any) {
  return std::ranges::any_of(any, [&](std::string_view part) { return text.ends_with(part); });
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

bool is_web_root(std::string_view path) {
  return contains_any(path, {"/www/", "/web/", "/htdocs/", "/httpd/", "/webpages/", "/html/", "/lang/", "/i18n/"});
}

// "Default" alone on the first line that is no comment: the profile of the Ralink wireless drivers.
bool is_wireless_profile(std::string_view text) {
  for (const Line& line : lines(text.substr(0, 256))) {
    const std::string_view entry = trim(line.text);
    if (!entry.empty() && entry[0] != '#') return entry == "Default";
  }
  return false;
}

// "" : no configuration. The path decides, so that scripts, pages and translations are never read as one.
std::string_view source_of(const TextFile& file) {
  if (is_web_page(file) || is_web_root(file.path) || file.is_script()) return {};
  const std::string name = lower(file.name);
  const std::string_view start = trim(file.text.substr(0, 512));
  if (start.starts_with("<")) return start.starts_with("<!DOCTYPE html") || start.starts_with("<html") ? "" : "xml";
  if (name.ends_with(".json") || file.type == "json") return "json";
  if (file.below("/etc/config/") || name.ends_with(".uci")) return "uci";
  if (ends_with_any(name, {".list", ".control", ".md5sums", ".js", ".h", ".c", ".mk", ".pem", ".lmo", ".txt.gz"}))
    return {};
  if (contains_any(name, {"nvram", "default", "factory"}) || is_wireless_profile(file.text)) return "nvram";
  if (ends_with_any(name, {".conf", ".cfg", ".ini", ".dat", ".config", ".properties", ".env", "_config.txt"}) ||
      contains_any(name, {"hostapd", "wpa_supplicant", "settings"}))
    return "configuration";
  return {};
}

NamedValues values_of(std::string_view source, std::string_view text) {
  if (source == "uci") return read_uci(text);
  if (source == "xml") return read_xml(text);
  if (source == "json") return read_json(text);
  return read_assignments(text);
}

bool is_pair(std::string_view text) {
  const size_t equals = text.find('=');
  if (equals < 2 || equals == std::string_view::npos || equals > 64 || text.size() > 512) return false;
  return std::all_of(text.begin(), text.begin() + static_cast<long>(equals),
                     [](unsigned char c) {
                       return std::islower(c) || std::isdigit(c) || c == '_' || c == '.' || c == ':' || c == '-';
                     }) &&
         text.find_first_of("\n\t%") == std::string_view::npos;
}

// Only programs that say they hold such a table: by their name, or by a symbol for it.
bool may_hold_defaults(std::string_view name, const Elf& elf) {
  return contains_any(name, {"nvram", "default"}) || std::ranges::any_of(elf.exports, [](const std::string& symbol) {
           return symbol == "router_defaults" || symbol == "nvram_defaults" || symbol == "default_nvram";
         });
}

// Default settings as NUL-terminated strings: a file of its own, or a table inside a program.
void add_string_tables(const Tree& tree, std::vector<ConfigFile>& found) {
  constexpr size_t kOfFile = 4, kOfProgram = 16;  // strings in a run; a program holds other strings too
  for (const Artifact& artifact : tree.artifacts()) {
    if (artifact.node.kind != Kind::kFile || !artifact.has_content || artifact.size > kMaximumProgram) continue;
    const std::string_view path = tree.path_in_volume(artifact);
    const Elf* elf = tree.elf(artifact);
    const FileType* type = tree.type(artifact);
    const std::string name = lower(path.substr(path.rfind('/') + 1));
    const bool file = !elf && contains_any(name, {"nvram", "default", "factory"}) && (!type || type->type == "data");
    if (!file && !(elf && may_hold_defaults(name, *elf))) continue;
    const std::string_view content = tree.content(artifact).text();
    if (file && content.find('\0') == std::string_view::npos) continue;  // read as text
    NamedValues values = read_string_tables(content, file ? kOfFile : kOfProgram);
    if (!values.values.empty())
      found.push_back({&artifact, tree.volume_of(artifact), path, content, "nvram", std::move(values)});
  }
}

}  // namespace

NamedValues read_string_tables(std::string_view content, size_t minimum) {
  NamedValues found;
  std::vector<NamedValue> run;
  uint32_t group = 0;
  const auto finish = [&] {
    if (run.size() >= minimum) {
      ++group;
      for (NamedValue& value : run) value.group = group;
      found.values.insert(found.values.end(), std::make_move_iterator(run.begin()), std::make_move_iterator(run.end()));
    }
    run.clear();
  };
  for (size_t at = 0; at < content.size() && found.values.size() < 20000;) {
    size_t end = content.find('\0', at);
    if (end == std::string_view::npos) end = content.size();
    const std::string_view text = content.substr(at, end - at);
    if (is_pair(text)) {
      const size_t equals = text.find('=');
      run.push_back({"", std::string(text.substr(0, equals)), std::string(text.substr(equals + 1)), at, text.size()});
    } else if (!text.empty()) {
      finish();
    }
    at = end + 1;
  }
  finish();
  return found;
}

std::vector<ConfigFile> config_files(const Tree& tree) {
  std::vector<ConfigFile> found;
  for (const TextFile& file : text_files(tree)) {
    const std::string_view source = source_of(file);
    if (source.empty()) continue;
    NamedValues values = values_of(source, file.text);
    if (!values.values.empty() || values.limited)
      found.push_back({file.artifact, file.volume, file.path, file.text, source, std::move(values)});
  }
  add_string_tables(tree, found);
  return found;
}

}  // namespace assay::system
