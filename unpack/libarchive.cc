#include "unpack/libarchive.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>

#include <memory>

namespace assay::unpack {
namespace {

// The library converts stored names to the character set of the locale; so that none is lost, and none depends on the
// environment, it is UTF-8 while the library runs. Only this thread sees it.
locale_t utf8_locale() {
  static const locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return locale;
}

class InUtf8 {
 public:
  InUtf8() : before_(utf8_locale() ? uselocale(utf8_locale()) : nullptr) {}
  ~InUtf8() {
    if (before_) uselocale(before_);
  }
  InUtf8(const InUtf8&) = delete;
  InUtf8& operator=(const InUtf8&) = delete;

 private:
  locale_t before_;
};

struct Free {
  void operator()(archive* a) const { archive_read_free(a); }
};
using Archive = std::unique_ptr<archive, Free>;

std::string why(archive* a) {
  const char* text = archive_error_string(a);
  return text ? text : "the archive reader gave no reason";
}

std::optional<Kind> kind_of(archive_entry* entry) {
  if (archive_entry_hardlink(entry)) return Kind::kHardLink;
  switch (archive_entry_filetype(entry)) {
    case AE_IFREG:
    case 0:  // the archive does not say
      return Kind::kFile;
    case AE_IFDIR:
      return Kind::kDirectory;
    case AE_IFLNK:
      return Kind::kSymlink;
    default:
      return std::nullopt;
  }
}

std::string text_of(const char* utf8, const char* raw) { return utf8 ? utf8 : raw ? raw : ""; }

Node node_of(archive_entry* entry, Kind kind) {
  Node node{.kind = kind, .path = text_of(archive_entry_pathname_utf8(entry), archive_entry_pathname(entry))};
  node.mode = archive_entry_perm(entry);
  if (archive_entry_mtime_is_set(entry)) node.mtime = archive_entry_mtime(entry);
  if (kind == Kind::kSymlink) node.target = text_of(archive_entry_symlink_utf8(entry), archive_entry_symlink(entry));
  if (kind == Kind::kHardLink) node.target = text_of(archive_entry_hardlink_utf8(entry), archive_entry_hardlink(entry));
  return node;
}

class Reading {
 public:
  Reading(Bytes whole, const ArchiveReader& reader, Sink& into)
      : whole_(whole), reader_(reader), into_(into), archive_(archive_read_new()) {}

  Result<ArchiveRead> run() {
    if (!archive_ || reader_.enable(archive_.get()) < ARCHIVE_WARN ||
        archive_read_open_memory(archive_.get(), whole_.data(), whole_.size()) < ARCHIVE_WARN) {
      into_.problem({Fault::kMalformed, archive_ ? why(archive_.get()) : "out of memory", whole_.base()});
      return result_;
    }
    archive_entry* entry = nullptr;
    int state = ARCHIVE_OK;
    while ((state = archive_read_next_header(archive_.get(), &entry)) >= ARCHIVE_WARN && state != ARCHIVE_EOF)
      TRY_VOID(put(entry));
    result_.ended = state == ARCHIVE_EOF;
    if (!result_.ended) stopped();
    return result_;
  }

 private:
  // Where the next member's data lies; nothing when the format's file does not know.
  Bytes next_place(bool has_data) {
    if (!has_data || next_member_ >= reader_.members.size()) return {};
    return reader_.members[next_member_++];
  }

  void stopped() {
    const bool encrypted = archive_read_has_encrypted_entries(archive_.get()) > 0;
    result_.encrypted |= encrypted;
    into_.problem({encrypted ? Fault::kEncrypted : Fault::kMalformed,
                   (encrypted ? "encrypted, not examinable: " : "") + why(archive_.get()), whole_.base()});
  }

  Result<void> put(archive_entry* entry) {
    TRY_VOID(into_.step());
    ++result_.entries;
    const auto kind = kind_of(entry);
    const bool has_data = kind == Kind::kFile && !(archive_entry_size_is_set(entry) && archive_entry_size(entry) == 0);
    if (!kind) {
      into_.problem({Fault::kUnsupported, "an entry of type " + std::to_string(archive_entry_filetype(entry)), 0});
      return {};
    }
    Node node = node_of(entry, *kind);
    if (!has_data) return into_.node(std::move(node), nothing());
    const Bytes place = next_place(has_data);
    if (archive_entry_is_encrypted(entry)) return put_encrypted(std::move(node), place);
    return put_file(std::move(node), place);
  }

  Result<void> put_encrypted(Node node, Bytes place) {
    result_.encrypted = true;
    ++result_.failed;
    into_.range(Range::kEncrypted, place.base(), place.size());
    into_.problem({Fault::kEncrypted, node.path + " is encrypted, not examinable", place.base()});
    return into_.node(std::move(node), unreadable());
  }

  Result<void> put_file(Node node, Bytes place) {
    if (TRY(copy_data())) {
      ++result_.decoded;
      return into_.node(std::move(node), {.extents = {place}, .codec = std::string(reader_.id)});
    }
    into_.discard();
    ++result_.failed;
    into_.problem({Fault::kMalformed, node.path + ": " + why(archive_.get()), place.base()});
    return into_.node(std::move(node), unreadable());
  }

  // False when the library cannot decode it; an error when the budget is used up.
  Result<bool> copy_data() {
    const void* piece = nullptr;
    size_t size = 0;
    la_int64_t offset = 0;
    int state = ARCHIVE_OK;
    while ((state = archive_read_data_block(archive_.get(), &piece, &size, &offset)) == ARCHIVE_OK) {
      Output& out = into_.output();
      if (offset < 0 || static_cast<uint64_t>(offset) < out.written()) return false;
      TRY_VOID(out.zeros(static_cast<uint64_t>(offset) - out.written()));
      TRY_VOID(out.write({static_cast<const std::byte*>(piece), size}));
      TRY_VOID(into_.step());
    }
    return state == ARCHIVE_EOF;
  }

  Bytes whole_;
  const ArchiveReader& reader_;
  Sink& into_;
  Archive archive_;
  ArchiveRead result_;
  size_t next_member_ = 0;
};

}  // namespace

Result<ArchiveRead> read_archive(Bytes whole, const ArchiveReader& reader, Sink& into) {
  if (!utf8_locale()) {
    into.problem({Fault::kIo, "the system has no locale C.UTF-8, which archive names need", whole.base()});
    return ArchiveRead{};
  }
  const InUtf8 scope;
  return Reading(whole, reader, into).run();
}

void warm_up_archives() { utf8_locale(); }

}  // namespace assay::unpack
