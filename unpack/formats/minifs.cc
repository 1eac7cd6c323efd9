// MiniFS, the read-only file system of TP-Link's VxWorks devices (range extenders, small routers). Big-endian.
//
//   0   "MINIFS", 10 bytes 0   16 version (3)   20 files   24 (not used here)   28 length of the names
//   32  names, each ended by 0
//       files, 20 bytes each: offset of the directory's name, of the file's name, chunk, offset in it, length
//       chunks, 12 bytes each: offset behind this table, length, decoded length
//       the chunks, each an LZMA stream with its 13-byte header
//
// Nothing states how many chunks there are: one more than the highest number a file names. Several files share a chunk.
// Source: "Reverse Engineered MiniFS File System", arXiv 2407.05064; unblob handlers/filesystem/minifs.py.
#include "unpack/codecs.h"
#include "unpack/describe.h"

#include <algorithm>

namespace assay::unpack::minifs {
namespace {

using std::string_view_literals::operator""sv;

constexpr Magic kMagics[] = {{"MINIFS\0\0\0\0\0\0\0\0\0\0"sv}};
constexpr uint64_t kHeader = 32, kFileSize = 20, kChunkSize = 12;
constexpr uint32_t kMostFiles = 1 << 16, kMostNames = 16 << 20;
constexpr uint64_t kLargestChunk = 64 << 20, kLongestName = 1024;

struct File {
  std::string path;
  uint32_t chunk = 0, at = 0, size = 0;
};

struct Chunk {
  Bytes stored;
  uint32_t size = 0;
};

struct Volume {
  uint32_t version = 0;
  uint64_t data = 0, length = 0;  // where chunks begin; all
  std::vector<File> files;
  std::vector<Chunk> chunks;
};

Result<std::string> name_at(Bytes names, uint32_t at) {
  const std::string_view text = names.text();
  if (at >= text.size()) return fail(Fault::kMalformed, "name at " + std::to_string(at), names.base());
  const std::string_view rest = text.substr(at, kLongestName);
  if (rest.find('\0') == rest.npos) return fail(Fault::kMalformed, "a name without an end", names.base() + at);
  return std::string(rest.substr(0, rest.find('\0')));
}

Result<File> read_file(Bytes b, uint64_t at, Bytes names) {
  const Bytes e = TRY(b.slice(at, kFileSize, "file entry"));
  const std::string directory = TRY(name_at(names, *e.be<uint32_t>(0, "")));
  const std::string name = TRY(name_at(names, *e.be<uint32_t>(4, "")));
  File file = {directory.empty() || directory.ends_with('/') ? directory + name : directory + "/" + name,
               *e.be<uint32_t>(8, ""), *e.be<uint32_t>(12, ""), *e.be<uint32_t>(16, "")};
  if (name.empty() || file.chunk >= kMostFiles)
    return fail(Fault::kMalformed, "a file without a name or in chunk " + std::to_string(file.chunk), e.base());
  return file;
}

Result<Volume> read_volume(Bytes b) {
  Volume v;
  v.version = TRY(b.be<uint32_t>(16, "version"));
  const uint32_t files = TRY(b.be<uint32_t>(20, "files")), length = TRY(b.be<uint32_t>(28, "length of the names"));
  if (files == 0 || files > kMostFiles || length == 0 || length > kMostNames)
    return fail(Fault::kMalformed, std::to_string(files) + " files, names of " + std::to_string(length) + " bytes",
                b.base() + 20);
  const Bytes names = TRY(b.slice(kHeader, length, "names"));
  uint32_t chunks = 0;
  for (uint32_t i = 0; i < files; ++i) {
    v.files.push_back(TRY(read_file(b, kHeader + length + i * kFileSize, names)));
    chunks = std::max(chunks, v.files.back().chunk + 1);
  }
  const uint64_t table = kHeader + length + files * kFileSize;
  v.length = v.data = table + chunks * kChunkSize;
  for (uint32_t i = 0; i < chunks; ++i) {
    const Bytes e = TRY(b.slice(table + i * kChunkSize, kChunkSize, "chunk entry"));
    const uint32_t at = *e.be<uint32_t>(0, ""), size = *e.be<uint32_t>(4, "");
    v.chunks.push_back({TRY(b.slice(v.data + at, size, "chunk")), *e.be<uint32_t>(8, "")});
    v.length = std::max(v.length, v.data + at + size);
  }
  return v;
}

Result<Measured> measure(Bytes from) {
  const Volume v = TRY(read_volume(from));
  MemoryOutput out(kLargestChunk);  // the first chunk decodes to the length that is stated: no chance
  const bool decodes = decode_lzma_alone(v.chunks[0].stored, out) && out.written() == v.chunks[0].size;
  return Measured{v.length, decodes};
}

Result<void> give_chunk(const Chunk& chunk, const std::vector<const File*>& files, Sink& into) {
  MemoryOutput out(std::min<uint64_t>(kLargestChunk, chunk.size));
  auto decoded = decode_lzma_alone(chunk.stored, out);
  if (decoded && out.written() != chunk.size)
    decoded = fail(Fault::kMalformed,
                   "decodes to " + std::to_string(out.written()) + " bytes instead of " + std::to_string(chunk.size),
                   chunk.stored.base());
  if (!decoded) into.problem({decoded.error().fault, "chunk: " + decoded.error().what, chunk.stored.base()});
  for (const File* file : files) {
    TRY_VOID(into.step());
    Node node;
    node.path = file->path;
    const auto bytes = out.bytes().slice(file->at, file->size, "file");
    if (!bytes) {
      into.problem({Fault::kMalformed, file->path + " runs past the end of its chunk", chunk.stored.base()});
      TRY_VOID(into.node(std::move(node), unreadable()));
      continue;
    }
    TRY_VOID(into.output().write(bytes->span()));
    TRY_VOID(into.node(std::move(node), {{chunk.stored}, "lzma"}));
  }
  return {};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Volume v = TRY(read_volume(whole));
  into.note("version", std::to_string(v.version), 16);
  into.note("files", std::to_string(v.files.size()), 20);
  into.range(Range::kHeader, 0, v.data);
  std::vector<std::vector<const File*>> files(v.chunks.size());
  for (const File& file : v.files) files[file.chunk].push_back(&file);
  for (size_t i = 0; i < v.chunks.size(); ++i) {
    TRY_VOID(into.step(1 + std::min<uint64_t>(kLargestChunk, v.chunks[i].size) / 64));
    if (!files[i].empty()) TRY_VOID(give_chunk(v.chunks[i], files[i], into));
  }
  return {};
}

}  // namespace

extern const Format kMiniFs;
const Format kMiniFs = {.id = "minifs",
                        .title = "MiniFS of TP-Link's VxWorks devices",
                        .version = 1,
                        .magics = kMagics,
                        .measure = measure,
                        .unpack = unpack,
                        .reads = "version 3",
                        .limits = "chunks above 64 MiB",
                        .source = "arXiv 2407.05064; unblob handlers/filesystem/minifs.py",
                        .checked = "own builder only, its chunks by xz"};

}  // namespace assay::unpack::minifs
