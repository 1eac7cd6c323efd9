#include "engine/identity.h"

#include "core/hash.h"
#include "engine/version.h"

#include <link.h>

#include <bit>
#include <cstring>
#include <fstream>
#include <vector>

namespace assay::engine {
namespace {

constexpr size_t kAlign = 4;  // of a note's name and description

size_t aligned(size_t size) { return (size + kAlign - 1) / kAlign * kAlign; }

// The build id among the notes of one segment in memory, or nothing.
std::string build_id_in(const char* at, size_t size) {
  while (size >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) note;
    std::memcpy(&note, at, sizeof note);
    const size_t name = sizeof note, text = name + aligned(note.n_namesz), end = text + aligned(note.n_descsz);
    if (note.n_namesz > size || note.n_descsz > size || end > size) break;
    if (note.n_type == NT_GNU_BUILD_ID && std::string_view(at + name, note.n_namesz) == std::string_view("GNU\0", 4))
      return hex(std::span(reinterpret_cast<const uint8_t*>(at + text), note.n_descsz));
    at += end, size -= end;
  }
  return {};
}

// The program itself is the first that is called for.
int of_program(dl_phdr_info* info, size_t, void* into) {
  auto& found = *static_cast<std::string*>(into);
  for (int i = 0; i < info->dlpi_phnum && found.empty(); ++i)
    if (info->dlpi_phdr[i].p_type == PT_NOTE)
      found = build_id_in(std::bit_cast<const char*>(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr),
                          info->dlpi_phdr[i].p_memsz);
  return 1;
}

std::string digest_of_file() {
  std::ifstream self("/proc/self/exe", std::ios::binary);
  std::vector<char> piece(1 << 16);
  Sha256 digest;
  while (self.read(piece.data(), static_cast<std::streamsize>(piece.size())) || self.gcount() > 0)
    digest.add(std::as_bytes(std::span(piece).first(static_cast<size_t>(self.gcount()))));
  return digest.finish().hex();
}

}  // namespace

const std::string& program_identity() {
  static const std::string identity = [] {
    std::string version = kVersion;
    if (!version.ends_with("-dev")) return version;
    std::string own;
    dl_iterate_phdr(of_program, &own);
    return version + " " + (own.empty() ? digest_of_file() : own);
  }();
  return identity;
}

}  // namespace assay::engine
