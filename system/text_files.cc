#include "system/text_files.h"

#include "core/text.h"

#include <algorithm>
#include <array>

namespace assay::system {
namespace {

bool is_one_of(std::string_view word, std::span<const std::string_view> list) {
  return std::ranges::find(list, word) != list.end();
}

// By type where the file analyses stated one, else by the content itself.
bool holds_text(const FileType* type, std::string_view content) {
  constexpr std::array<std::string_view, 12> kTextual{"text", "script", "xml",    "json", "html",   "javascript",
                                                      "css",  "ini",    "config", "php",  "python", "lua"};
  if (type && is_one_of(type->type, kTextual)) return true;
  if (type && type->type != "data" && !type->type.empty()) return false;
  return looks_like_text(content);
}

}  // namespace

bool TextFile::is_script() const {
  return type == "script" || text.starts_with("#!") || name.ends_with(".sh") || below("/init.d/") || below("/rc.d/") ||
         name == "rcS" || name == "rc.local";
}

bool TextFile::below(std::string_view directory) const { return path.find(directory) != std::string_view::npos; }

Evidence TextFile::at(uint64_t offset, uint64_t length) const {
  return evidence_at(*artifact, offset, offset < text.size() ? text.substr(offset, length) : std::string_view());
}

std::vector<TextFile> text_files(const Tree& tree) {
  std::vector<TextFile> found;
  for (const Artifact& artifact : tree.artifacts()) {
    if (artifact.node.kind != Kind::kFile || !artifact.has_content || artifact.size > kMaximumText) continue;
    const int volume = tree.volume_of(artifact);
    if (volume < 0 || !artifact.format.empty()) continue;
    const std::string_view content = tree.content(artifact).text();
    const FileType* type = tree.type(artifact);
    if (content.empty() || content.size() > kMaximumText || !holds_text(type, content)) continue;
    const std::string_view path = tree.path_in_volume(artifact);
    found.push_back({&artifact, volume, path, path.substr(path.rfind('/') + 1),
                     type ? std::string_view(type->type) : std::string_view(), content});
  }
  return found;
}

std::vector<const Artifact*> texts_too_long(const Tree& tree) {
  constexpr std::array<std::string_view, 5> kRead{"text", "script", "xml", "json", "ini"};
  std::vector<const Artifact*> found;
  for (const Artifact& artifact : tree.artifacts()) {
    if (artifact.node.kind != Kind::kFile || artifact.size <= kMaximumText || !artifact.format.empty()) continue;
    const FileType* type = tree.type(artifact);
    if (type && is_one_of(type->type, kRead) && tree.volume_of(artifact) >= 0) found.push_back(&artifact);
  }
  return found;
}

bool is_web_page(const TextFile& file) {
  constexpr std::array<std::string_view, 4> kTypes{"html", "javascript", "css", "php"};
  constexpr std::array<std::string_view, 12> kEndings{".htm", ".html", ".js",  ".css", ".asp", ".aspx",
                                                      ".php", ".cgi",  ".lua", ".stm", ".svg", ".po"};
  return is_one_of(file.type, kTypes) ||
         std::ranges::any_of(kEndings, [&](std::string_view ending) { return file.name.ends_with(ending); });
}

}  // namespace assay::system
