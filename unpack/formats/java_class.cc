// Class file of the Java virtual machine. Big-endian.
//
//   0  0xcafebabe  4 minor, 6 major version  8 constants, one more than there are
//   constants: 1 kind, then as long as the kind says; 8-byte numbers count twice
//   then access flags, this class and its base (constants), interfaces, fields, methods and attributes, each a count
//   and what it counts; an attribute is the number of its name's constant and 32 bits of length before its bytes
//
// Source: The Java Virtual Machine Specification, Java SE 21 edition, chapter 4.
#include "unpack/format.h"

#include <array>

namespace assay::unpack::java_class {
namespace {

constexpr Magic kMagics[] = {{"\xca\xfe\xba\xbe"}};
constexpr uint16_t kFirstMajor = 45, kMostMajor = 200;
constexpr uint8_t kText = 1, kLong = 5, kDouble = 6;
// Bytes behind the kind; 0: no such kind. Of a text, those of its length.
constexpr std::array<uint8_t, 21> kSizes = {0, 2, 0, 4, 4, 8, 8, 2, 2, 4, 4, 4, 4, 0, 0, 3, 2, 4, 4, 2, 2};

// Steps over structures and says where the last one ends.
class Reader {
 public:
  explicit Reader(Bytes from) : b_(from) {}

  Result<uint64_t> end() {
    TRY_VOID(constants(TRY(b_.be<uint16_t>(8, "number of constants"))));
    const auto interfaces = TRY(b_.be<uint16_t>(at_ + 6, "number of interfaces"));
    at_ += 8 + 2 * uint64_t{interfaces};
    TRY_VOID(members());
    TRY_VOID(members());
    TRY_VOID(attributes());
    return at_;
  }

 private:
  Result<void> constants(uint16_t count) {
    if (count == 0) return fail(Fault::kForeign, "number of constants", b_.base() + 8);
    for (uint32_t i = 1; i < count; ++i) {
      const auto kind = TRY(b_.be<uint8_t>(at_, "kind of a constant"));
      const uint8_t size = kind < kSizes.size() ? kSizes[kind] : 0;
      if (size == 0) return fail(Fault::kForeign, "constant of kind " + std::to_string(kind), b_.base() + at_);
      const uint64_t more = kind == kText ? TRY(b_.be<uint16_t>(at_ + 1, "length of a text")) : 0;
      at_ += 1 + size + more;
      if (kind == kLong || kind == kDouble) ++i;
    }
    return {};
  }

  Result<void> members() {
    const auto count = TRY(b_.be<uint16_t>(at_, "number of members"));
    at_ += 2;
    for (uint32_t i = 0; i < count; ++i) {
      at_ += 6;
      TRY_VOID(attributes());
    }
    return {};
  }

  Result<void> attributes() {
    const auto count = TRY(b_.be<uint16_t>(at_, "number of attributes"));
    at_ += 2;
    for (uint32_t i = 0; i < count; ++i) {
      const auto length = TRY(b_.be<uint32_t>(at_ + 2, "length of an attribute"));
      TRY(b_.slice(at_ + 6, length, "attribute"));
      at_ += 6 + uint64_t{length};
    }
    return {};
  }

  Bytes b_;
  uint64_t at_ = 10;
};

Result<Measured> measure(Bytes from) {
  const auto major = TRY(from.be<uint16_t>(6, "major version"));
  if (major < kFirstMajor || major > kMostMajor)
    return fail(Fault::kForeign, "version " + std::to_string(major), from.base() + 6);
  return Measured{TRY(Reader(from).end()), true};
}

}  // namespace

extern const Format kJavaClass;
const Format kJavaClass = {.id = "java-class",
                           .title = "Java class",
                           .magics = kMagics,
                           .measure = measure,
                           .carve = false,
                           .limits = "what texts and attributes hold is not searched",
                           .source = "The Java Virtual Machine Specification, Java SE 21, chapter 4",
                           .checked = "foreign tool: javac"};

}  // namespace assay::unpack::java_class
