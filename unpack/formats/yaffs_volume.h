// What the chunks of a YAFFS file system add up to: of each object the newest header and its live data.
#pragma once
#include "unpack/formats/inode_tree.h"
#include "unpack/formats/yaffs_chunks.h"

#include <map>

namespace assay::unpack {

enum class YaffsType : uint32_t { kFile = 1, kSymlink = 2, kDirectory = 3, kHardLink = 4, kSpecial = 5 };

struct YaffsHeader {
  YaffsType type = YaffsType::kFile;
  uint32_t parent = 0, mode = 0, uid = 0, gid = 0, mtime = 0, equivalent = 0, device = 0;
  uint64_t size = 0;
  int64_t shadows = 0;  // an object that this one took the name of
  bool shrinks = false;
  std::string name, alias;
  std::vector<std::pair<std::string, std::string>> xattrs;
};

struct YaffsData {
  uint64_t at = 0;
  uint32_t bytes = 0;
};

struct YaffsObject {
  uint64_t header_at = kNowhere;  // kNowhere: data without a header
  YaffsHeader header;
  uint64_t size = 0, shrunk = kNowhere;
  std::map<uint32_t, YaffsData> data;  // by chunk number, from 1
  bool gone = false;                   // deleted, unlinked or shadowed

  bool has_header() const { return header_at != kNowhere; }
};

struct YaffsVolume {
  std::map<uint32_t, YaffsObject> objects;
  uint64_t old_headers = 0, old_data = 0, deleted_pages = 0, checkpoints = 0;
};

YaffsHeader read_yaffs_header(Bytes page, const YaffsGeometry& geometry);

// Claims headers and tags; data is claimed by what it becomes the content of.
Result<YaffsVolume> read_yaffs_volume(Bytes whole, const YaffsChunks& chunks, Sink& into);

}  // namespace assay::unpack
