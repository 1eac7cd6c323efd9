// The package databases of an image, and the files that name its distribution:
//   dpkg      /var/lib/dpkg/status, status.d/*          RFC 822 style paragraphs (deb-control(5))
//   opkg      /usr/lib/opkg/status, info/*.control      the same paragraphs; ipkg: /usr/lib/ipkg/…
//   apk       /lib/apk/db/installed                     "P:name", "V:version", "A:architecture", blank line
//   rpm       /var/lib/rpm/…, /usr/lib/sysimage/rpm/…    rpm_database.h
//   os-release(5), /etc/openwrt_release
// Package URLs: github.com/package-url/purl-spec.
#include "core/text.h"
#include "system/named_values.h"
#include "system/rpm_database.h"
#include "system/text_files.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

namespace assay::system::packages {
namespace {

constexpr uint64_t kMaximumDatabase = 16 << 20, kMaximumRpm = 256 << 20;
constexpr size_t kMaximumPackages = 50000;

struct Package {
  std::string name, version, architecture, status;
  uint64_t offset = 0, length = 0;  // of the line that names it
};

// Paragraphs of "Key: value" lines; lines that start with white space continue the one above.
std::vector<Package> read_paragraphs(std::string_view text) {
  std::vector<Package> found;
  Package package;
  const auto finish = [&] {
    if (!package.name.empty() && found.size() < kMaximumPackages) found.push_back(std::move(package));
    package = {};
  };
  for (const Line& line : lines(text)) {
    if (trim(line.text).empty()) {
      finish();
      continue;
    }
    const size_t colon = line.text.find(':');
    if (line.text[0] == ' ' || line.text[0] == '\t' || colon == std::string_view::npos) continue;
    const std::string_view key = line.text.substr(0, colon), value = trim(line.text.substr(colon + 1));
    if (key == "Package") {
      package.name = value;
      package.offset = line.offset;
      package.length = line.text.size();
    } else if (key == "Version") {
      package.version = value;
    } else if (key == "Architecture") {
      package.architecture = value;
    } else if (key == "Status") {
      package.status = value;
    }
  }
  finish();
  return found;
}

std::vector<Package> read_apk(std::string_view text) {
  std::vector<Package> found;
  Package package;
  const auto finish = [&] {
    if (!package.name.empty() && found.size() < kMaximumPackages) found.push_back(std::move(package));
    package = {};
  };
  for (const Line& line : lines(text)) {
    if (line.text.empty()) finish();
    if (line.text.size() < 3 || line.text[1] != ':') continue;
    const std::string_view value = line.text.substr(2);
    if (line.text[0] == 'P') {
      package.name = value;
      package.offset = line.offset;
      package.length = line.text.size();
    }
    if (line.text[0] == 'V') package.version = value;
    if (line.text[0] == 'A') package.architecture = value;
  }
  finish();
  return found;
}

std::string percent_encoded(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (std::isalnum(u) || std::string_view("-._~:").find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += '%';
      out += kDigits[u >> 4];
      out += kDigits[u & 15];
    }
  }
  return out;
}

std::string purl(std::string_view type, const Package& package) {
  std::string out = "pkg:" + std::string(type) + "/" + percent_encoded(package.name);
  if (!package.version.empty()) out += "@" + percent_encoded(package.version);
  if (!package.architecture.empty()) out += "?arch=" + percent_encoded(package.architecture);
  return out;
}

struct Distribution {
  std::string id, version;
};
using Distributions = std::map<int, Distribution>;  // by volume

void add(const Artifact& artifact, std::string_view text, const std::vector<Package>& packages, std::string_view how,
         std::string_view type, std::set<std::string>& seen, Facts& out) {
  for (const Package& package : packages) {
    // "install ok installed": the third word is the state; a package that was removed may leave its paragraph.
    if (!package.status.empty() && !package.status.ends_with(" installed")) continue;
    Component component{.name = package.name,
                        .version = package.version,
                        .purl = purl(type, package),
                        .how = std::string(how),
                        .architecture = package.architecture};
    if (!seen.insert(component.purl).second) continue;
    component.at = evidence_at(artifact, package.offset, text.substr(package.offset, package.length));
    out.components.push_back(std::move(component));
  }
}

std::string lower_id(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

// os-release and openwrt_release are both "NAME=value" lines of a shell.
void read_release(const TextFile& file, Distributions& distributions, Facts& out) {
  std::map<std::string, NamedValue> values;
  for (NamedValue& value : read_assignments(file.text).values) values.emplace(value.name, value);
  const auto find = [&](std::initializer_list<std::string_view> names) -> const NamedValue* {
    for (const std::string_view name : names)
      if (const auto at = values.find(std::string(name)); at != values.end() && !at->second.value.empty())
        return &at->second;
    return nullptr;
  };
  const NamedValue* id = find({"ID", "DISTRIB_ID"});
  const NamedValue* version = find({"VERSION_ID", "DISTRIB_RELEASE", "VERSION"});
  if (!id) return;
  Distribution& distribution = distributions[file.volume];
  if (!distribution.id.empty() && distribution.id == lower_id(id->value)) return;  // the other file said it
  distribution = {lower_id(id->value), version ? version->value : ""};
  Package package{.name = distribution.id, .version = distribution.version};
  const NamedValue& shown = version ? *version : *id;
  out.components.push_back({.name = id->value,
                            .version = distribution.version,
                            .purl = purl("generic", package),
                            .how = "version-string",
                            .at = file.at(shown.offset, shown.length)});
}

bool is_release(std::string_view path) {
  return path == "/etc/os-release" || path == "/usr/lib/os-release" || path == "/etc/openwrt_release" ||
         path == "/etc/lsb-release";
}

struct Database {
  std::string_view ending, how, type;
  std::string_view otherwise = "";  // the package URL's namespace where the distribution is not known
};
constexpr Database kDatabases[] = {{"/var/lib/dpkg/status", "dpkg", "deb", "debian"},
                                   {"/usr/lib/opkg/status", "opkg", "opkg"},
                                   {"/var/lib/opkg/status", "opkg", "opkg"},
                                   {"/usr/lib/ipkg/status", "opkg", "opkg"},
                                   {"/lib/apk/db/installed", "apk", "apk", "alpine"}};

bool too_large(const Artifact& artifact, uint64_t size, uint64_t most, Facts& out) {
  if (size <= most) return false;
  out.problems.push_back({artifact.way, Fault::kLimit, "package database of " + human_size(size) + " not read", 0});
  return true;
}

// "pkg:rpm/fedora/bash": the distribution is the namespace where one is known.
std::string type_in(const Tree& tree, const Artifact& artifact, const Distributions& distributions,
                    std::string_view type, std::string_view otherwise) {
  const auto at = distributions.find(tree.volume_of(artifact));
  const bool known = at != distributions.end() && !at->second.id.empty();
  const std::string space = known ? percent_encoded(at->second.id) : std::string(otherwise);
  return space.empty() ? std::string(type) : std::string(type) + "/" + space;
}

void read_database(const Tree& tree, const Artifact& artifact, const Database& database,
                   const Distributions& distributions, std::set<std::string>& seen, Facts& out) {
  const std::string_view text = tree.content(artifact).text();
  if (too_large(artifact, text.size(), kMaximumDatabase, out)) return;
  const std::string type = database.otherwise.empty()
                               ? std::string(database.type)
                               : type_in(tree, artifact, distributions, database.type, database.otherwise);
  add(artifact, text, database.how == "apk" ? read_apk(text) : read_paragraphs(text), database.how, type, seen, out);
}

void read_rpm(const Tree& tree, const Artifact& artifact, const std::string& type, std::set<std::string>& seen,
              Facts& out) {
  const Bytes bytes = tree.content(artifact);
  if (too_large(artifact, bytes.size(), kMaximumRpm, out)) return;
  const RpmDatabase database = read_rpm_database(bytes);
  for (const Error& problem : database.problems)
    out.problems.push_back({artifact.way, problem.fault, "RPM database: " + problem.what, problem.offset});
  for (const RpmPackage& package : database.packages) {
    const std::string epoch = package.epoch ? std::to_string(*package.epoch) : "";
    const std::string version = epoch.empty() ? package.version : epoch + ":" + package.version;
    Component component{.name = package.name,
                        .version = version,
                        .purl = purl(type, {package.name, package.version, package.architecture, ""}),
                        .how = "rpm",
                        .architecture = package.architecture,
                        .at = evidence_of(artifact, package.name + " " + version)};
    // In a URL the epoch is a qualifier of its own (purl-spec, types: rpm).
    if (!epoch.empty()) component.purl += (component.architecture.empty() ? "?epoch=" : "&epoch=") + epoch;
    if (!seen.insert(component.purl).second) continue;
    if (package.at) component.at.offset = package.at->at, component.at.length = package.at->length;
    out.components.push_back(std::move(component));
  }
}

void run(Tree& tree, Facts& out) {
  Distributions distributions;
  for (const TextFile& file : text_files(tree))
    if (is_release(file.path)) read_release(file, distributions, out);
  std::map<int, std::set<std::string>> seen;  // by volume: a package stands in status and in info
  for (const Artifact& artifact : tree.artifacts()) {
    if (artifact.node.kind != Kind::kFile || !artifact.has_content) continue;
    const std::string_view path = tree.path_in_volume(artifact);
    const int volume = tree.volume_of(artifact);
    for (const Database& database : kDatabases)
      if (path.ends_with(database.ending)) read_database(tree, artifact, database, distributions, seen[volume], out);
    const bool fragment = path.find("/dpkg/status.d/") != std::string_view::npos && !path.ends_with(".md5sums");
    if (fragment) read_database(tree, artifact, kDatabases[0], distributions, seen[volume], out);
    const bool control =
        (path.find("/opkg/info/") != std::string_view::npos || path.find("/ipkg/info/") != std::string_view::npos) &&
        path.ends_with(".control");
    if (control) read_database(tree, artifact, kDatabases[1], distributions, seen[volume], out);
    if (path.ends_with("/rpm/rpmdb.sqlite") || path.ends_with("/rpm/Packages") || path.ends_with("/rpm/Packages.db"))
      read_rpm(tree, artifact, type_in(tree, artifact, distributions, "rpm", ""), seen[volume], out);
    if (path.ends_with("/rpm/rpmdb.sqlite-wal") && artifact.size > 0)
      out.problems.push_back({artifact.way, Fault::kUnsupported,
                              "changes to the RPM database that are not in its file yet are not read", 0});
  }
}

}  // namespace

extern const TreeAnalysis kPackages;
const TreeAnalysis kPackages = {.id = "packages", .version = 2, .run = run};

}  // namespace assay::system::packages
