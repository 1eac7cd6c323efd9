// What unpacking found: the nodes of the artifact tree and the account of every byte.
//
// A way names an artifact: the ids of the containers and the stored names from the image down, joined by '/'
// ("trx/part1/squashfs/etc/passwd"; the image's own name stands before it only where people read it).
// Names that are not UTF-8, or hold control bytes, are escaped \xNN in a way and kept raw in `Node::path`.
#pragma once
#include "core/fields.h"
#include "core/hash.h"

#include <optional>
#include <vector>

namespace assay {

enum class Kind : uint8_t {
  kImage,
  kPart,
  kFile,
  kDirectory,
  kSymlink,
  kHardLink,
  kCharDevice,
  kBlockDevice,
  kFifo,
  kSocket
};
std::string_view name_of(Kind kind);

constexpr uint64_t kNowhere = ~uint64_t{0};

// One entry of a stored file system, exactly as stored. What a format does not store stays empty.
struct Node {
  Kind kind = Kind::kFile;
  std::string path;              // raw bytes; leading "./" and "/" removed (the sink notes an absolute or ".." name)
  std::optional<uint32_t> mode;  // permission bits with setuid, setgid and sticky: 07777
  std::optional<uint32_t> uid, gid;
  std::optional<uint32_t> links;   // names it has, as the format counts them
  std::optional<int64_t> mtime;    // seconds since 1970
  std::optional<uint64_t> device;  // major << 32 | minor
  std::string target;              // of a symbolic link, as stored; of a hard link, the path of the first name
  std::vector<std::pair<std::string, std::string>> xattrs;
  FIELDS(v("kind", s.kind); v("path", s.path); v("mode", s.mode); v("uid", s.uid); v("gid", s.gid); v("links", s.links);
         v("mtime", s.mtime); v("device", s.device); v("target", s.target); v("xattrs", s.xattrs))
};

enum class Range : uint8_t { kHeader, kContent, kPadding, kUnknown, kEncrypted };
std::string_view name_of(Range range);
inline std::string_view name_of(Fault fault) { return fault_name(fault); }

struct Span {  // of the container, in bytes from its start
  Range range = Range::kUnknown;
  uint64_t offset = 0, length = 0;
  FIELDS(v("range", s.range); v("offset", s.offset); v("length", s.length))
};

struct ByteCount {
  uint64_t total = 0, header = 0, content = 0, padding = 0, unknown = 0, encrypted = 0;
  FIELDS(v("total", s.total); v("header", s.header); v("content", s.content); v("padding", s.padding);
         v("unknown", s.unknown); v("encrypted", s.encrypted))
};

// Where the engine keeps an entry's bytes during a run. Never stored, never part of a key.
struct Place {
  uint32_t arena = 0;
  uint64_t at = 0, size = 0;
  bool held = false;  // false: the bytes are not in memory (the result came from the store)
  FIELDS(v("arena", s.arena); v("at", s.at); v("size", s.size); v("held", s.held))
};

struct Note {  // a fact a format states: load address, name, checksum verified, codec
  std::string name, value;
  uint64_t offset = 0;
  FIELDS(v("name", s.name); v("value", s.value); v("offset", s.offset))
};

struct Problem {         // something not read, with the reason; a report that hides one would lie
  std::string artifact;  // way; empty while inside one artifact
  Fault fault = Fault::kMalformed;
  std::string what;
  uint64_t offset = 0;
  FIELDS(v("artifact", s.artifact); v("fault", s.fault); v("what", s.what); v("offset", s.offset))
};

struct Integrity {        // what a format carries to protect itself, and whether it holds
  std::string kind;       // checksum, signature, hash-tree
  std::string name;       // of the field: "header crc"
  std::string algorithm;  // crc32, md5, sha256, rsa2048-sha256, …
  std::string state;      // valid, invalid, not-checkable
  std::string detail;     // not-checkable: why
  std::string key;        // of a signature: the key's id or fingerprint, as far as the format states it
  uint64_t offset = 0;    // of the field
  FIELDS(v("kind", s.kind); v("name", s.name); v("algorithm", s.algorithm); v("state", s.state); v("detail", s.detail);
         v("key", s.key); v("offset", s.offset))
};

struct OpenedWith {         // encrypted bytes that a documented, public key or password opened
  std::string scheme, key;  // "aes-128-cbc"; where the key is documented, never the key of a --key file
  uint64_t offset = 0, length = 0;
  FIELDS(v("scheme", s.scheme); v("key", s.key); v("offset", s.offset); v("length", s.length))
};

struct Entry;

// The result of the arrow "unpack" on one content.
struct Unpacked {
  std::string format;          // id; empty: no format of ours
  uint32_t version = 0;        // of the format
  bool container = false;      // its entries are its meaning; false: a leaf, typed or raw
  bool verified = false;       // a checksum, signature or complete decode agreed
  std::vector<Span> spans;     // sorted, disjoint, together the whole content
  std::vector<Entry> entries;  // as stored
  std::vector<Note> notes;
  std::vector<Integrity> integrity;
  std::vector<OpenedWith> opened;
  std::vector<Problem> problems;
  uint64_t bytes_out = 0, steps = 0;  // work done
  bool limited = false;               // a budget was hit
  FIELDS(v("format", s.format); v("version", s.version); v("container", s.container); v("verified", s.verified);
         v("spans", s.spans); v("entries", s.entries); v("notes", s.notes); v("integrity", s.integrity);
         v("opened", s.opened); v("problems", s.problems); v("bytes_out", s.bytes_out); v("steps", s.steps);
         v("limited", s.limited))
};

struct Entry {
  Node node;                   // a part has only kind and path (its name)
  uint64_t offset = kNowhere;  // of the first byte in the container
  uint64_t size = 0;           // of the content, decoded
  std::string codec;           // empty: stored as is
  Digest sha256;
  bool has_content = false;  // files and parts
  Place place;
  std::vector<Unpacked> inner;  // one element: unpacking this content was a by-product of finding it
  FIELDS(v("node", s.node); v("offset", s.offset); v("size", s.size); v("codec", s.codec); v("sha256", s.sha256);
         v("has_content", s.has_content); v("place", s.place); v("inner", s.inner))
};

ByteCount count(const std::vector<Span>& spans);

}  // namespace assay
