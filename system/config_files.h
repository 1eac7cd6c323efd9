// The configuration files of a tree with the names and values they hold: UCI, XML, JSON and "name=value" files (NVRAM
// defaults, wireless profiles, hostapd.conf), and tables of "name=value" strings inside programs.
#pragma once
#include "system/named_values.h"
#include "system/text_files.h"

namespace assay::system {

struct ConfigFile {
  const Artifact* artifact;
  int volume;
  std::string_view path, text;
  std::string_view source;  // uci, xml, json, nvram, configuration
  NamedValues values;
};

std::vector<ConfigFile> config_files(const Tree& tree);

// Runs of at least `minimum` NUL-terminated "name=value" strings, one behind the other (NULs between them may repeat).
NamedValues read_string_tables(std::string_view content, size_t minimum = 16);

// Evidence of a fact whose offsets were read from text alone.
inline void place(Evidence& at, const Artifact& artifact) { at.artifact = artifact.way; }

}  // namespace assay::system
