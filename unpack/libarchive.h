// Archives that are too rare for a reader of our own, through libarchive: its format readers are enabled one by one
// (never "all", and no filter: that could run programs). How long an archive is and where its members lie, which the
// library does not tell, is read by the format's own file.
// Source: libarchive(3), archive_read(3), archive_entry(3).
#pragma once
#include "unpack/format.h"

struct archive;

namespace assay::unpack {

struct ArchiveReader {
  int (*enable)(archive*);          // archive_read_support_format_X
  std::string_view id;              // the codec its decoded members are named with
  std::vector<Bytes> members = {};  // where the data of each entry lies, in order; empty: the format's file claims it
};

// What came of it: the format's file claims ranges of data accordingly.
struct ArchiveRead {
  uint64_t entries = 0, decoded = 0, failed = 0;  // entries of all kinds; files
  bool encrypted = false;                         // some or all of it
  bool ended = false;                             // the library found the archive's end
};

// Entries become nodes; those that cannot be read are problems. Fails only when the sink's budget is used up.
Result<ArchiveRead> read_archive(Bytes whole, const ArchiveReader& reader, Sink& into);

// Loads what the library will ask of the system, before a sandbox closes (the names' character set).
void warm_up_archives();

}  // namespace assay::unpack
