// What the nodes of a JFFS2 file system add up to: per inode the newest word on its attributes and all its data, per
// directory and name the newest entry.
#pragma once
#include "unpack/formats/inode_tree.h"
#include "unpack/formats/jffs2_nodes.h"

namespace assay::unpack {

struct Jffs2Data {
  uint32_t version = 0, offset = 0, size = 0;  // where its decoded bytes lie in the file
  uint8_t compression = 0;
  Bytes stored;
};

struct Jffs2File {
  uint32_t version = 0;  // that the attributes come from
  uint32_t mode = 0, uid = 0, gid = 0, size = 0, mtime = 0;
  std::vector<Jffs2Data> data;
  std::vector<uint64_t> damaged;  // offsets of nodes whose data does not match its checksum
  std::vector<std::pair<std::string, std::string>> xattrs;
};

struct Jffs2Volume {
  Directories directories;
  std::map<uint32_t, Jffs2File> files;
  uint64_t unlinked = 0;  // entries whose newest version says that the name was removed
};

// Walks the nodes, claims them as headers, states what does not hold.
Result<Jffs2Volume> read_jffs2_volume(Bytes whole, const Jffs2Nodes& nodes, Sink& into);

// The content of a file: all its data replayed in the order of versions, cut to its size; gaps are zeros. What cannot
// be decoded becomes zeros and a problem that names `path`. `used`: the stored bytes it came from.
Result<void> read_jffs2_content(const Jffs2File& file, const std::string& path, uint64_t limit, Sink& into,
                                Output& output, std::vector<Bytes>& used);

}  // namespace assay::unpack
