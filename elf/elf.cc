// Header, segments, sections and the dynamic table. See elf.h for the layout and its sources.
#include "elf/elf.h"

#include <algorithm>

namespace assay::elf {
namespace {

constexpr uint64_t kMaxTableEntries = 1 << 20;  // a table of more is damage: 32 MiB of segments, 40 MiB of sections
constexpr uint64_t kDynamicStrings = 5;         // DT_STRTAB
constexpr uint64_t kDynamicStringsSize = 10;    // DT_STRSZ

// Reads the fields of one record in turn: words are 4 bytes, addresses 4 or 8. A short record is told by `short_at`.
class Fields {
 public:
  Fields(Bytes bytes, const Header& header) : bytes_(bytes), order_(header.order), wide_(header.bits == 64) {}
  template <class T>
  T next() {
    const auto value = bytes_.get<T>(at_, order_, "field");
    at_ += sizeof(T);
    if (!value) whole_ = false;
    return value ? *value : T{};
  }
  uint64_t address() { return wide_ ? next<uint64_t>() : next<uint32_t>(); }
  bool whole() const { return whole_; }

 private:
  Bytes bytes_;
  Order order_;
  bool wide_, whole_ = true;
  uint64_t at_ = 0;
};

uint64_t segment_record(const Header& header) { return header.bits == 64 ? 56 : 32; }
uint64_t section_record(const Header& header) { return header.bits == 64 ? 64 : 40; }

Result<Header> read_header(Bytes b) {
  if (!b.starts_with("\x7f"
                     "ELF"))
    return fail(Fault::kMalformed, "magic is not 7f 45 4c 46", b.base());
  const auto width = TRY(b.le<uint8_t>(4, "class")), order = TRY(b.le<uint8_t>(5, "data encoding"));
  const auto version = TRY(b.le<uint8_t>(6, "identification version"));
  if (width != 1 && width != 2) return fail(Fault::kMalformed, "class " + std::to_string(width), b.base() + 4);
  if (order != 1 && order != 2) return fail(Fault::kMalformed, "data encoding " + std::to_string(order), b.base() + 5);
  if (version != 1) return fail(Fault::kMalformed, "identification version " + std::to_string(version), b.base() + 6);
  Header h;
  h.bits = width == 1 ? 32 : 64;
  h.order = order == 1 ? Order::kLittle : Order::kBig;
  h.abi = TRY(b.le<uint8_t>(7, "OS ABI"));
  Fields f(TRY(b.slice(16, h.bits == 64 ? 48 : 36, "header")), h);
  h.type = f.next<uint16_t>();
  h.machine = f.next<uint16_t>();
  if (const auto file_version = f.next<uint32_t>(); file_version != 1)
    return fail(Fault::kMalformed, "version " + std::to_string(file_version), b.base() + 20);
  h.entry = f.address();
  h.segment_offset = f.address();
  h.section_offset = f.address();
  h.flags = f.next<uint32_t>();
  h.header_size = f.next<uint16_t>();
  h.segment_size = f.next<uint16_t>();
  h.segment_count = f.next<uint16_t>();
  h.section_size = f.next<uint16_t>();
  h.section_count = f.next<uint16_t>();
  h.name_section = f.next<uint16_t>();
  return h;
}

Section read_section(Bytes record, const Header& header, uint32_t& name) {
  Fields f(record, header);
  Section s;
  name = f.next<uint32_t>();
  s.type = f.next<uint32_t>();
  s.flags = f.address();
  s.address = f.address();
  s.offset = f.address();
  s.size = f.address();
  s.link = f.next<uint32_t>();
  s.info = f.next<uint32_t>();
  f.address();  // alignment
  s.entry_size = f.address();
  return s;
}

Segment read_segment(Bytes record, const Header& header) {
  Fields f(record, header);
  Segment s;
  s.type = f.next<uint32_t>();
  if (header.bits == 64) s.flags = f.next<uint32_t>();
  s.offset = f.address();
  s.address = f.address();
  f.address();  // physical address
  s.file_size = f.address();
  s.memory_size = f.address();
  if (header.bits == 32) s.flags = f.next<uint32_t>();
  return s;
}

// Counts too large for 16 bits stand in section 0 (gABI, "Section Header Table Index").
void resolve_extended_numbers(Bytes b, Header& h) {
  const bool sections = h.section_count == 0 && h.section_offset != 0, segments = h.segment_count == 0xffff;
  if (!sections && !segments && h.name_section != 0xffff) return;
  const auto record = b.slice(h.section_offset, section_record(h), "section 0");
  if (h.section_offset == 0 || !record) return;
  uint32_t name;
  const Section zero = read_section(*record, h, name);
  if (sections) h.section_count = static_cast<uint32_t>(std::min<uint64_t>(zero.size, kMaxTableEntries));
  if (segments) h.segment_count = zero.info;
  if (h.name_section == 0xffff) h.name_section = zero.link;
}

// Records of a table as far as they lie in the file; the rest is a problem.
template <class Read>
void read_table(File& file, std::string_view what, uint64_t offset, uint64_t count, uint64_t stated, uint64_t record,
                Read read_one) {
  if (count == 0 || offset == 0) return;
  if (stated < record || count > kMaxTableEntries) {
    const std::string value =
        stated < record ? " entry size " + std::to_string(stated) : " count " + std::to_string(count);
    file.problems.push_back({Fault::kMalformed, std::string(what) + value, file.bytes.base() + offset});
    return;
  }
  for (uint64_t i = 0; i < count; ++i) {
    const auto piece = file.bytes.slice(offset + i * stated, record, what);
    if (!piece) return file.problems.push_back(piece.error());
    read_one(*piece);
  }
}

void read_sections(File& file) {
  const Header& h = file.header;
  std::vector<uint32_t> names;
  read_table(file, "section table", h.section_offset, h.section_count, h.section_size, section_record(h),
             [&](Bytes record) { file.sections.push_back(read_section(record, h, names.emplace_back())); });
  if (h.name_section >= file.sections.size()) return;
  const Section& table = file.sections[h.name_section];
  const auto text = file.bytes.slice(table.offset, table.size, "section names");
  if (!text) return file.problems.push_back(text.error());
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] >= text->size()) continue;
    const std::string_view rest = text->text().substr(names[i], kMaxName);
    file.sections[i].name = rest.substr(0, rest.find('\0'));
  }
}

void read_dynamic(File& file) {
  Bytes table;
  if (const Segment* segment = file.segment(kDynamicSegment)) {
    // Loaders go by the address and stop at DT_NULL: tools that strip leave file sizes that are too small.
    const auto loaded = file.at_address(segment->address, "dynamic table");
    table = loaded ? *loaded : file.bytes.head(segment->file_size, segment->offset);
  } else if (const Section* section = file.section(".dynamic"); section && section->type != kNoBits) {
    table = file.bytes.head(section->size, section->offset);
  }
  const uint64_t record = file.header.bits == 64 ? 16 : 8;
  for (uint64_t at = 0; at + record <= table.size(); at += record) {
    Fields f(table.head(record, at), file.header);
    Dynamic entry;
    entry.tag = f.address();
    entry.value = f.address();
    if (entry.tag == 0) return;
    file.dynamic.push_back(entry);
  }
  if (!table.empty())
    file.problems.push_back({Fault::kMalformed, "dynamic table does not end in DT_NULL", table.base()});
}

}  // namespace

const Segment* File::segment(uint32_t type) const {
  for (const Segment& s : segments)
    if (s.type == type) return &s;
  return nullptr;
}

const Section* File::section(std::string_view name) const {
  for (const Section& s : sections)
    if (s.name == name) return &s;
  return nullptr;
}

std::optional<uint64_t> File::tag(uint64_t wanted) const {
  for (const Dynamic& d : dynamic)
    if (d.tag == wanted) return d.value;
  return std::nullopt;
}

Result<Bytes> File::at_address(uint64_t address, std::string_view field) const {
  for (const Segment& s : segments)
    if (s.type == kLoad && address >= s.address && address - s.address < s.file_size)
      return TRY(bytes.from(s.offset, field)).head(s.file_size).from(address - s.address, field);
  return fail(Fault::kMalformed, std::string(field) + " address " + std::to_string(address) + " is in no segment",
              bytes.base());
}

Result<std::string_view> File::dynamic_text(uint64_t offset, std::string_view field) const {
  const auto address = tag(kDynamicStrings);
  if (!address) return fail(Fault::kMalformed, "no dynamic string table", bytes.base());
  Bytes table = TRY(at_address(*address, "dynamic string table"));
  if (const auto size = tag(kDynamicStringsSize)) table = table.head(*size);
  const std::string_view rest = TRY(table.from(offset, field)).text().substr(0, kMaxName);
  const size_t end = rest.find('\0');
  if (end == rest.npos) return fail(Fault::kMalformed, std::string(field) + " has no end", table.base() + offset);
  return rest.substr(0, end);
}

Result<File> read(Bytes bytes) {
  File file;
  file.bytes = bytes;
  file.header = TRY(read_header(bytes));
  Header& h = file.header;
  resolve_extended_numbers(bytes, h);
  read_table(file, "segment table", h.segment_offset, h.segment_count, h.segment_size, segment_record(h),
             [&](Bytes record) { file.segments.push_back(read_segment(record, h)); });
  read_sections(file);
  read_dynamic(file);
  return file;
}

}  // namespace assay::elf
