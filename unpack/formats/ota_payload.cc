// Android's (and ChromeOS's) update: payload.bin, from which a device makes its partitions. Big-endian header.
//
//   0  "CrAU"  4 version (64 bits): 2  12 size of the manifest (64 bits)  20 size of its signatures
//   24 manifest (unpack/ota_manifest.h), signatures over all before them, the operations' data, signatures over all
//   signatures: message with 1 signature (2 data)
//
// Each operation writes its data, as they are or decompressed, to extents of blocks. A delta's operations change what
// the device has, so that the partitions they make cannot be examined without it.
//
// Source: AOSP system/update_engine, payload_consumer/payload_metadata.cc, delta_performer.cc, update_metadata.proto.
#include "core/hash.h"
#include "core/text.h"
#include "unpack/codecs.h"
#include "unpack/describe.h"
#include "unpack/ota_manifest.h"
#include "unpack/protobuf.h"
#include "unpack/vendor.h"

#include <algorithm>
#include <map>

namespace assay::unpack::ota_payload {
namespace {

constexpr Magic kMagics[] = {{{"CrAU\0\0\0\0\0\0\0\2", 12}}};
constexpr uint64_t kHeaderSize = 24, kMostManifest = 256 << 20;
constexpr uint64_t kMostScattered = 64 << 20;  // what one operation writes to several extents is kept in memory

struct Payload {
  OtaManifest manifest;
  Bytes metadata_signatures, data, signatures;
  uint64_t manifest_size = 0, end = 0;
};

uint64_t written_bytes(const OtaOperation& op, uint64_t block) {
  uint64_t blocks = 0;
  for (const OtaExtent& e : op.extents) blocks += e.blocks;
  return blocks * block;
}

Result<uint64_t> data_end(const OtaManifest& m, Bytes data) {
  uint64_t end = 0;
  for (const OtaPartition& p : m.partitions)
    for (const OtaOperation& op : p.operations) {
      TRY(data.slice(op.offset, op.length, "operation's data"));
      if (op.length) end = std::max(end, op.offset + op.length);
    }
  return end;
}

Result<Payload> read_payload(Bytes b) {
  Payload p;
  if (!b.starts_with(kMagics[0].bytes)) return fail(Fault::kUnsupported, "magic or version", b.base());
  p.manifest_size = TRY(b.be<uint64_t>(12, "manifest's size"));
  const uint64_t signature = TRY(b.be<uint32_t>(20, "signatures' size"));
  if (p.manifest_size > kMostManifest)
    return fail(Fault::kLimit, "manifest of " + std::to_string(p.manifest_size) + " bytes", b.base() + 12);
  const Bytes manifest = TRY(b.slice(kHeaderSize, p.manifest_size, "manifest"));
  p.manifest = TRY(read_ota_manifest(manifest));
  if (p.manifest.partitions.empty()) return fail(Fault::kMalformed, "no partition", manifest.base());
  p.metadata_signatures = TRY(b.slice(kHeaderSize + p.manifest_size, signature, "manifest's signatures"));
  p.data = TRY(b.from(kHeaderSize + p.manifest_size + signature, "data"));
  uint64_t end = TRY(data_end(p.manifest, p.data));
  if (p.manifest.signatures_size) {
    p.signatures = TRY(p.data.slice(p.manifest.signatures_offset, p.manifest.signatures_size, "signatures"));
    end = std::max(end, p.manifest.signatures_offset + p.manifest.signatures_size);
  }
  p.end = p.data.base() - b.base() + end;
  return p;
}

Bytes data_of(const Payload& p, const OtaOperation& op) { return p.data.head(op.length, op.offset); }

bool data_hold(const Payload& p, const OtaOperation& op) {
  return checksum_holds(std::string_view(reinterpret_cast<const char*>(sha256(data_of(p, op)).bytes.data()), 32),
                        op.sha256.text());
}

// Verified: the manifest was read whole, and the first data that have a digest agree with it.
Result<Measured> measure(Bytes from) {
  const Payload p = TRY(read_payload(from));
  for (const OtaPartition& partition : p.manifest.partitions)
    for (const OtaOperation& op : partition.operations)
      if (!op.sha256.empty()) return Measured{p.end, data_hold(p, op)};
  return Measured{p.end, false};
}

// Where a partition's new content is written: its digest, and at most what the current extent takes.
class Written final : public Output {
 public:
  explicit Written(Output& into) : into_(into) {}
  void allow(uint64_t bytes) { left_ = bytes; }
  uint64_t left() const { return left_; }
  Result<void> write(std::span<const std::byte> piece) override {
    if (piece.size() > left_) return fail(Fault::kMalformed, "an operation writes more than its extents hold");
    left_ -= piece.size();
    sum_.add(piece);
    return into_.write(piece);
  }
  uint64_t written() const override { return into_.written(); }
  Digest digest() { return sum_.finish(); }

 private:
  Output& into_;
  Sha256 sum_;
  uint64_t left_ = 0;
};

Result<void> decode(const OtaOperation& op, Bytes data, Output& into) {
  if (op.type == kReplace) return into.write(data.span());
  if (op.type == kReplaceBz) TRY(decode_bzip2(data, into));
  if (op.type == kReplaceXz) TRY(decode_xz(data, into));
  if (op.type == kReplaceZstd) TRY(decode_zstd(data, into));
  return {};
}

struct Segment {  // an extent in the order of the partition
  uint64_t block = 0, blocks = 0;
  const OtaOperation* op = nullptr;
  uint64_t skip = 0;  // bytes of the operation's output before it
};

Result<std::vector<Segment>> segments_of(const OtaPartition& p, uint64_t block, Sink& into) {
  std::vector<Segment> segments;
  for (const OtaOperation& op : p.operations) {
    uint64_t skip = 0;
    for (const OtaExtent& e : op.extents) {
      TRY_VOID(into.step(1));
      if (e.blocks == 0) continue;
      segments.push_back({e.block, e.blocks, &op, skip});
      skip += e.blocks * block;
    }
  }
  std::ranges::stable_sort(segments, {}, &Segment::block);
  uint64_t end = 0;
  for (const Segment& s : segments) {
    if (s.block < end) return fail(Fault::kMalformed, "two operations write block " + std::to_string(s.block), p.at);
    end = s.block + s.blocks;
  }
  if (end > (p.size + block - 1) / block)
    return fail(Fault::kMalformed, "operations write behind the partition's end", p.at);
  return segments;
}

class Assembler {
 public:
  Assembler(const Payload& payload, const OtaPartition& partition, Sink& into)
      : payload_(payload), partition_(partition), into_(into), written_(into.output()), scattered_(kMostScattered) {}

  Result<void> run() {
    const uint64_t block = payload_.manifest.block;
    const auto segments = TRY(segments_of(partition_, block, into_));
    uint64_t at = 0;
    for (const Segment& s : segments) {
      TRY_VOID(gap(at, s.block * block));
      at = std::min((s.block + s.blocks) * block, partition_.size);
      written_.allow(at - s.block * block);
      TRY_VOID(segment(s));
      TRY_VOID(written_.zeros(written_.left()));
    }
    return gap(at, partition_.size);
  }
  Digest digest() { return written_.digest(); }
  uint64_t unwritten() const { return unwritten_; }

 private:
  Result<void> gap(uint64_t from, uint64_t to) {
    if (to <= from) return {};
    unwritten_ += to - from;
    written_.allow(to - from);
    return written_.zeros(to - from);
  }

  // Data that end within the last block are filled up with zeros, as the device does.
  Result<void> segment(const Segment& s) {
    const OtaOperation& op = *s.op;
    if (op.type == kZero || op.type == kDiscard) return {};
    const Bytes data = data_of(payload_, op);
    if (op.extents.size() > 1) {
      TRY_VOID(keep(op, data));
      return written_.write(scattered_.bytes().head(written_.left(), s.skip).span());
    }
    if (op.type == kReplace && data.size() > written_.left()) return written_.write(data.head(written_.left()).span());
    TRY_VOID(decode(op, data, written_));
    if (written_.left() >= payload_.manifest.block)
      return fail(Fault::kMalformed, "an operation writes less than its extents hold", data.base());
    return {};
  }

  Result<void> keep(const OtaOperation& op, Bytes data) {
    if (kept_ == &op) return {};
    const uint64_t size = written_bytes(op, payload_.manifest.block);
    if (size > kMostScattered)
      return fail(Fault::kUnsupported, "an operation scatters " + std::to_string(size) + " bytes", data.base());
    TRY_VOID(into_.step(1 + size / 64));  // two such operations may alternate, and each is decoded anew
    scattered_.clear();
    TRY_VOID(decode(op, data, scattered_));
    if (scattered_.written() > size || scattered_.written() + payload_.manifest.block <= size)
      return fail(Fault::kMalformed, "an operation's data do not fill its extents", data.base());
    kept_ = &op;
    return {};
  }

  const Payload& payload_;
  const OtaPartition& partition_;
  Sink& into_;
  Written written_;
  MemoryOutput scattered_;
  const OtaOperation* kept_ = nullptr;
  uint64_t unwritten_ = 0;
};

// The digests of the operations' data, as one fact a partition.
Result<void> state_data(const Payload& p, const OtaPartition& partition, Sink& into) {
  uint64_t count = 0, wrong = 0, first = 0;
  for (const OtaOperation& op : partition.operations) {
    if (op.sha256.empty() || op.length == 0) continue;
    TRY_VOID(into.step(1 + op.length / 4096));
    ++count;
    if (!data_hold(p, op) && wrong++ == 0) first = data_of(p, op).base();
  }
  if (count == 0) return {};
  Integrity i = checksum("data of partition " + escape(partition.name), "sha256", wrong == 0, partition.at);
  if (wrong) {
    i.detail =
        std::to_string(wrong) + " of " + std::to_string(count) + " operations, the first at " + hex_number(first);
    into.problem({Fault::kMalformed, i.name + " do not match: " + i.detail, first});
  }
  into.integrity(std::move(i));
  return {};
}

// Names what a delta would need; true where the partition cannot be made from this file.
bool is_delta(const OtaPartition& p, Sink& into) {
  std::map<uint32_t, uint64_t> kinds;
  uint64_t all = 0;
  for (const OtaOperation& op : p.operations)
    if (needs_older_image(op)) ++kinds[op.type], ++all;
  if (all == 0) return false;
  std::string what = "partition " + escape(p.name) + ": " + std::to_string(all) + " of " +
                     std::to_string(p.operations.size()) + " operations change an older image that is not here (";
  for (const auto& [type, count] : kinds)
    what += (what.ends_with("(") ? "" : ", ") + ota_type_name(type) + " " + std::to_string(count);
  into.problem({Fault::kUnsupported, what + ")", p.at});
  return true;
}

Result<void> give_partition(const Payload& p, const OtaPartition& partition, Sink& into) {
  into.note("partition " + escape(partition.name),
            std::to_string(partition.size) + " bytes, " + std::to_string(partition.operations.size()) + " operations",
            partition.at);
  TRY_VOID(state_data(p, partition, into));
  if (is_delta(partition, into)) return {};
  Assembler assembler(p, partition, into);
  TRY_VOID(assembler.run());
  Content content{{}, "ota"};
  for (const OtaOperation& op : partition.operations) content.extents.push_back(data_of(p, op));
  if (assembler.unwritten())
    into.note("not written in " + escape(partition.name),
              std::to_string(assembler.unwritten()) + " bytes, taken as zeros", partition.at);
  if (!partition.sha256.empty()) {
    const Digest digest = assembler.digest();
    const std::string_view computed(reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size());
    Integrity i = checksum("partition " + escape(partition.name), "sha256",
                           checksum_holds(computed, partition.sha256.text()), partition.at);
    if (i.state == "invalid" && partition.device_fills && assembler.unwritten()) {
      i.state = "not-checkable";
      i.detail = "the device itself fills in hash tree and error correction";
    }
    if (i.state == "invalid")
      into.problem({Fault::kMalformed, "sha256 of " + i.name + " does not match", partition.at});
    into.integrity(std::move(i));
  }
  std::string name = partition.name.empty() ? "partition" : partition.name;
  std::ranges::replace(name, '/', '_');
  return into.child(name, std::move(content));
}

void state_signatures(Bytes message, std::string_view name, Sink& into) {
  const auto walked = each_field(message, [&](const WireField& f) -> Result<void> {
    if (f.number != 1 || f.type != 2) return {};
    return each_field(f.bytes, [&](const WireField& part) -> Result<void> {
      if (part.number == 2)
        into.integrity(unchecked_signature(name, "rsa" + std::to_string(8 * part.bytes.size()), part.bytes.base()));
      return {};
    });
  });
  if (!walked)
    into.problem({walked.error().fault, std::string(name) + ": " + walked.error().what, walked.error().offset});
}

void note_manifest(const OtaManifest& m, Sink& into) {
  into.note("kind", m.minor == 0 ? "full update" : "delta update, minor version " + std::to_string(m.minor),
            kHeaderSize);
  if (m.newest) into.note("newest build", utc_time(m.newest), kHeaderSize);
  if (!m.patch_level.empty()) into.note("security patch level", escape(m.patch_level), kHeaderSize);
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Payload p = TRY(read_payload(whole));
  into.range(Range::kHeader, 0, p.data.base() - whole.base());
  if (!p.signatures.empty()) into.range(Range::kHeader, p.signatures.base() - whole.base(), p.signatures.size());
  note_manifest(p.manifest, into);
  state_signatures(p.metadata_signatures, "signature of the manifest", into);
  state_signatures(p.signatures, "signature of the payload", into);
  for (const OtaPartition& partition : p.manifest.partitions) {
    auto done = give_partition(p, partition, into);
    if (done) continue;
    if (done.error().fault == Fault::kLimit) return done;
    into.discard();
    done.error().what = "partition " + escape(partition.name) + ": " + done.error().what;
    into.problem(std::move(done).error());
  }
  return {};
}

}  // namespace

extern const Format kOtaPayload;
const Format kOtaPayload = {
    .id = "ota-payload",
    .title = "Android update (payload.bin)",
    .version = 1,
    .magics = kMagics,
    .measure = measure,
    .unpack = unpack,
    .reads = "version 2, full updates: REPLACE, REPLACE_BZ, REPLACE_XZ, REPLACE_ZSTD, ZERO, DISCARD; every digest",
    .limits =
        "partitions of delta updates are named, not made: they need the older image; signatures are not checked, "
        "their public key is in the device",
    .source = "AOSP system/update_engine update_metadata.proto",
    .checked = "own builder only, with bzip2, xz and zstd as encoders"};

}  // namespace assay::unpack::ota_payload
