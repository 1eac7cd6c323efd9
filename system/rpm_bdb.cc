// A Berkeley DB hash (libdb 5.3, src/dbinc/db_page.h), in the byte order that its magic shows:
//   page 0: magic 0x061561 at 12, page size at 20, last page at 32
//   a page: entries (2) at 20, bytes of an overflow page (2) at 22, next page (4) at 16, type at 25; then from 26 the
//   offsets of its items (2 each), which fill it from its end. Types: 2 and 13 hash, 7 overflow.
//   Items are keys and values in turn. Their first byte: 1 the bytes follow; 3 they stand in overflow pages: at 4 the
//   first page, at 8 their length. Source for the key: rpm, lib/backend/bdb_ro.cc: a number, 0 is no package.
#include "system/rpm_database.h"

namespace assay::system {
namespace {

constexpr uint64_t kPageHead = 26, kKeySize = 4;
constexpr uint8_t kHash = 13, kHashUnsorted = 2, kOverflow = 7, kInline = 1, kOffPage = 3;

class Hash {
 public:
  Hash(Bytes all, const RpmVisitor& visitor) : all_(all), visitor_(visitor) {}

  Result<void> read() {
    order_ = all_.le<uint32_t>(12, "magic").value_or(0) == 0x061561 ? Order::kLittle : Order::kBig;
    size_ = TRY(number(20, "page size"));
    if (size_ < 512 || size_ > 65536) return fail(Fault::kMalformed, "page size", all_.base() + 20);
    pages_ = all_.size() / size_;
    left_ = pages_;  // an overflow page belongs to one value
    for (uint64_t page = 1; page < pages_; ++page) {
      const uint8_t type = all_[page * size_ + 25];
      if (type == kHash || type == kHashUnsorted) say(read_page(all_.head(size_, page * size_)));
    }
    return {};
  }

 private:
  // One value or page that is damaged costs itself alone.
  void say(const Result<void>& done) const {
    if (!done) visitor_.problem(done.error());
  }
  Result<uint32_t> number(uint64_t at, std::string_view field) const { return all_.get<uint32_t>(at, order_, field); }
  Result<uint16_t> half(Bytes page, uint64_t at, std::string_view field) const {
    return page.get<uint16_t>(at, order_, field);
  }

  // Item i reaches to the one before it.
  Result<Bytes> item(Bytes page, uint16_t i) const {
    const uint64_t begin = TRY(half(page, kPageHead + 2 * uint64_t{i}, "offset of an item"));
    const uint64_t end = i == 0 ? page.size() : TRY(half(page, kPageHead + 2 * (uint64_t{i} - 1), "offset of an item"));
    if (end <= begin) return fail(Fault::kMalformed, "offset of an item", page.base() + kPageHead + 2 * uint64_t{i});
    return page.slice(begin, end - begin, "an item");
  }

  Result<void> read_page(Bytes page) {
    const auto entries = TRY(half(page, 20, "entries of a page"));
    for (uint16_t i = 1; i < entries; i = static_cast<uint16_t>(i + 2)) {
      const Bytes key = TRY(item(page, static_cast<uint16_t>(i - 1)));
      const bool package =
          key[0] == kInline && key.size() == 1 + kKeySize && key.text().substr(1) != std::string_view("\0\0\0\0", 4);
      if (package) say(read_value(TRY(item(page, i))));
    }
    return {};
  }

  Result<void> read_value(Bytes value) {
    if (value[0] == kInline) {
      const Bytes header = value.head(value.size(), 1);
      visitor_.header(header, RpmPlace{header.base() - all_.base(), header.size()});
      return {};
    }
    if (value[0] != kOffPage) return fail(Fault::kUnsupported, "kind of a value", value.base());
    const auto first = TRY(value.get<uint32_t>(4, order_, "overflow page"));
    const auto length = TRY(value.get<uint32_t>(8, order_, "length"));
    return read_overflow(first, length);
  }

  Result<void> read_overflow(uint32_t first, uint32_t length) {
    std::string bytes;
    std::optional<RpmPlace> at;
    for (uint64_t page = first; bytes.size() < length; page = TRY(number(page * size_ + 16, "next page"))) {
      const uint64_t begin = page * size_;
      if (page == 0 || page >= pages_ || all_[begin + 25] != kOverflow || left_ == 0)
        return fail(Fault::kMalformed, "overflow page of a value of " + std::to_string(length) + " bytes",
                    all_.base() + begin);
      --left_;
      const uint64_t held = TRY(half(all_, begin + 22, "bytes of an overflow page"));
      if (held == 0 || held > size_ - kPageHead)
        return fail(Fault::kMalformed, "bytes of an overflow page", all_.base() + begin + 22);
      const Bytes part = TRY(all_.slice(begin + kPageHead, held, "overflow page"));
      if (!at) at = RpmPlace{begin + kPageHead, part.size()};
      bytes += part.text();
    }
    visitor_.header(Bytes(std::string_view(bytes).substr(0, length)), at);
    return {};
  }

  Bytes all_;
  const RpmVisitor& visitor_;
  Order order_ = Order::kLittle;
  uint64_t size_ = 0, pages_ = 0, left_ = 0;
};

}  // namespace

void visit_rpm_bdb(Bytes database, const RpmVisitor& visitor) {
  if (const auto read = Hash(database, visitor).read(); !read) visitor.problem(read.error());
}

}  // namespace assay::system
