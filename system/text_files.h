// The text files that the analyses of accounts, settings and commands read, chosen by path and type so that nobody
// looks at what cannot qualify.
#pragma once
#include "system/tree.h"

namespace assay::system {

constexpr uint64_t kMaximumText = 256 << 10;

struct TextFile {
  const Artifact* artifact;
  int volume;
  std::string_view path;  // in its volume: "/etc/passwd"
  std::string_view name;  // its last component
  std::string_view type;  // FileType::type, "" when not known
  std::string_view text;

  bool is_script() const;
  bool below(std::string_view directory) const;  // "/etc/init.d/" anywhere in its path
  Evidence at(uint64_t offset, std::string_view shown) const { return evidence_at(*artifact, offset, shown); }
  Evidence at(uint64_t offset, uint64_t length) const;
};

// Every stored file of a volume that holds text of at most 256 KiB, in stored order; hard links and links are left out.
std::vector<TextFile> text_files(const Tree& tree);

// Text that could be configuration but is longer than kMaximumText: the readers leave it out, and a report must say so.
std::vector<const Artifact*> texts_too_long(const Tree& tree);
bool is_web_page(const TextFile& file);  // pages, scripts and translations of a web interface: no configuration

}  // namespace assay::system
