// The codecs behind codecs.h, driven through the libraries that define them: zlib, libbz2, liblzma, libzstd, liblz4.
//
// Each library is fed slices of the input and empties into one buffer, which is handed to the Output whenever it
// holds something. A decoder that neither takes nor gives bytes has run out of input.
// Source: RFC 1950, 1951, 1952; the XZ and LZMA file format documents of liblzma; RFC 8878; lz4_Frame_format.md.
#include "unpack/codecs.h"

#include "core/hash.h"

#include <bzlib.h>
#include <lz4.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <memory>

namespace assay::unpack {
namespace {

constexpr size_t kBuffer = 64 << 10;
constexpr uint64_t kSlice = 1 << 30;  // libraries count input in 32 bits
constexpr int kZstdWindowLog = 26;    // log2 of kMaxDictionary
static_assert(uint64_t{1} << kZstdWindowLog == kMaxDictionary);

std::unique_ptr<std::byte[]> buffer(size_t size = kBuffer) { return std::make_unique_for_overwrite<std::byte[]>(size); }

Result<void> give(const std::unique_ptr<std::byte[]>& from, size_t size, Output& into) {
  if (size == 0) return {};
  return into.write(std::span<const std::byte>(from.get(), size));
}

std::unexpected<Error> truncated(std::string_view codec, Bytes from) {
  return fail(Fault::kTruncated, std::string(codec) + " stream ends early", from.base() + from.size());
}
std::unexpected<Error> damaged(std::string_view codec, Bytes from, uint64_t at, std::string_view why = "is damaged") {
  return fail(Fault::kMalformed, std::string(codec) + " stream " + std::string(why), from.base() + at);
}
std::unexpected<Error> no_memory(std::string_view codec, Bytes from) {
  return fail(Fault::kLimit, std::string(codec) + " decoder found no memory", from.base());
}

// window_bits as zlib's inflateInit2 reads it: negative raw, 8..15 zlib, 16 more gzip.
Result<uint64_t> inflate_any(Bytes from, int window_bits, std::string_view codec, Output& into) {
  z_stream z{};
  if (inflateInit2(&z, window_bits) != Z_OK) return no_memory(codec, from);
  const std::unique_ptr<z_stream, int (*)(z_stream*)> owner(&z, inflateEnd);
  if (checksums_ignored) inflateValidate(&z, 0);
  const auto out = buffer();
  uint64_t used = 0;
  for (;;) {
    const Bytes slice = from.head(kSlice, used);
    z.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(slice.data()));
    z.avail_in = static_cast<uInt>(slice.size());
    z.next_out = reinterpret_cast<Bytef*>(out.get());
    z.avail_out = kBuffer;
    const int status = inflate(&z, Z_FINISH);  // what ends in this buffer needs no window
    used += slice.size() - z.avail_in;
    TRY_VOID(give(out, kBuffer - z.avail_out, into));
    if (status == Z_STREAM_END) return used;
    if (status == Z_MEM_ERROR) return no_memory(codec, from);
    if (status == Z_NEED_DICT)
      return fail(Fault::kUnsupported, std::string(codec) + " stream needs a preset dictionary", from.base());
    if (status != Z_OK && status != Z_BUF_ERROR) return damaged(codec, from, used, z.msg ? z.msg : "is damaged");
    if (used == from.size() && z.avail_out != 0) return truncated(codec, from);
  }
}

// Runs an initialised liblzma decoder over `from`. `open_ended`: the end of the input ends the stream too.
Result<uint64_t> run_lzma(lzma_stream& z, Bytes from, std::string_view codec, bool open_ended, Output& into) {
  const auto out = buffer();
  z.next_in = reinterpret_cast<const uint8_t*>(from.data());
  z.avail_in = from.size();
  for (;;) {
    z.next_out = reinterpret_cast<uint8_t*>(out.get());
    z.avail_out = kBuffer;
    const lzma_ret status = lzma_code(&z, LZMA_RUN);
    TRY_VOID(give(out, kBuffer - z.avail_out, into));
    if (status == LZMA_STREAM_END) return from.size() - z.avail_in;
    if (status == LZMA_MEM_ERROR) return no_memory(codec, from);
    if (status == LZMA_MEMLIMIT_ERROR)
      return fail(Fault::kUnsupported, std::string(codec) + " dictionary exceeds 64 MiB", from.base());
    if (status == LZMA_OPTIONS_ERROR)
      return fail(Fault::kUnsupported, std::string(codec) + " options are not supported", from.base());
    if (status != LZMA_OK && status != LZMA_BUF_ERROR) return damaged(codec, from, from.size() - z.avail_in);
    if (z.avail_in == 0 && z.avail_out != 0) {
      if (open_ended) return from.size();
      return truncated(codec, from);
    }
  }
}

using LzmaOwner = std::unique_ptr<lzma_stream, void (*)(lzma_stream*)>;

// Starts a headerless LZMA1 decoder. With a size, the end marker may follow the last byte or be absent.
lzma_ret start_lzma_raw(lzma_stream& z, const LzmaProperties& properties, std::optional<uint64_t> size) {
  lzma_options_lzma options{};
  uint64_t dictionary = std::min<uint64_t>(properties.dictionary, kMaxDictionary);
  if (size) dictionary = std::min(dictionary, *size);  // a shorter window only ever refuses, it never decodes wrongly
  options.dict_size = static_cast<uint32_t>(std::max<uint64_t>(dictionary, 4096));
  options.lc = properties.lc;
  options.lp = properties.lp;
  options.pb = properties.pb;
  if (size) {
    options.ext_flags = LZMA_LZMA1EXT_ALLOW_EOPM;
    options.ext_size_low = static_cast<uint32_t>(*size);
    options.ext_size_high = static_cast<uint32_t>(*size >> 32);
  }
  const lzma_filter filters[] = {{size ? LZMA_FILTER_LZMA1EXT : LZMA_FILTER_LZMA1, &options},
                                 {LZMA_VLI_UNKNOWN, nullptr}};
  return lzma_raw_decoder(&z, filters);
}

Result<uint64_t> lzma_body(Bytes from, const LzmaProperties& properties, std::optional<uint64_t> size, bool open_ended,
                           Output& into) {
  lzma_stream z = LZMA_STREAM_INIT;
  const LzmaOwner owner(&z, lzma_end);
  const lzma_ret status = start_lzma_raw(z, properties, size);
  if (status == LZMA_MEM_ERROR) return no_memory("lzma", from);
  if (status != LZMA_OK)
    return fail(Fault::kUnsupported,
                "lzma properties lc " + std::to_string(properties.lc) + " lp " + std::to_string(properties.lp),
                from.base());
  return run_lzma(z, from, "lzma", open_ended, into);
}

}  // namespace

Result<uint64_t> inflate_gzip(Bytes from, Output& into) { return inflate_any(from, 15 + 16, "gzip", into); }
Result<uint64_t> inflate_zlib(Bytes from, Output& into) { return inflate_any(from, 15, "zlib", into); }
Result<uint64_t> inflate_raw(Bytes from, Output& into) { return inflate_any(from, -15, "deflate", into); }

Result<uint64_t> decode_bzip2(Bytes from, Output& into) {
  bz_stream z{};
  if (BZ2_bzDecompressInit(&z, 0, 0) != BZ_OK) return no_memory("bzip2", from);
  const std::unique_ptr<bz_stream, int (*)(bz_stream*)> owner(&z, BZ2_bzDecompressEnd);
  const auto out = buffer();
  uint64_t used = 0;
  for (;;) {
    const Bytes slice = from.head(kSlice, used);
    z.next_in = reinterpret_cast<char*>(const_cast<std::byte*>(slice.data()));
    z.avail_in = static_cast<unsigned>(slice.size());
    z.next_out = reinterpret_cast<char*>(out.get());
    z.avail_out = kBuffer;
    const int status = BZ2_bzDecompress(&z);
    used += slice.size() - z.avail_in;
    TRY_VOID(give(out, kBuffer - z.avail_out, into));
    if (status == BZ_STREAM_END) return used;
    if (status == BZ_MEM_ERROR) return no_memory("bzip2", from);
    if (status != BZ_OK) return damaged("bzip2", from, used);
    if (used == from.size() && z.avail_out != 0) return truncated("bzip2", from);
  }
}

Result<uint64_t> decode_xz(Bytes from, Output& into) {
  const uint32_t flags = checksums_ignored ? LZMA_IGNORE_CHECK : 0;
  lzma_stream z = LZMA_STREAM_INIT;
  const LzmaOwner owner(&z, lzma_end);
  if (lzma_stream_decoder(&z, kMaxDictionary + (8 << 20), flags) != LZMA_OK) return no_memory("xz", from);
  return run_lzma(z, from, "xz", false, into);
}

Result<uint64_t> decode_lzip(Bytes from, Output& into) {
  const uint32_t flags = checksums_ignored ? LZMA_IGNORE_CHECK : 0;
  lzma_stream z = LZMA_STREAM_INIT;
  const LzmaOwner owner(&z, lzma_end);
  if (lzma_lzip_decoder(&z, kMaxDictionary + (8 << 20), flags) != LZMA_OK) return no_memory("lzip", from);
  return run_lzma(z, from, "lzip", false, into);
}

std::optional<LzmaProperties> lzma_properties(uint8_t first_byte, uint32_t dictionary) {
  if (first_byte >= 9 * 5 * 5) return std::nullopt;
  LzmaProperties p;
  p.lc = first_byte % 9;
  p.lp = first_byte / 9 % 5;
  p.pb = first_byte / 45;
  p.dictionary = dictionary;
  return p;
}

Result<uint64_t> decode_lzma_alone(Bytes from, Output& into) {
  constexpr uint64_t kHeader = 13, kUnknownSize = ~uint64_t{0};
  const uint8_t first = TRY(from.le<uint8_t>(0, "lzma properties"));
  const auto dictionary = TRY(from.le<uint32_t>(1, "lzma dictionary size"));
  const auto size = TRY(from.le<uint64_t>(5, "lzma uncompressed size"));
  const auto properties = lzma_properties(first, dictionary);
  if (!properties) return fail(Fault::kMalformed, "lzma properties byte " + std::to_string(first), from.base());
  const auto known = size == kUnknownSize ? std::nullopt : std::optional(size);
  return TRY(lzma_body(from.head(from.size(), kHeader), *properties, known, false, into)) + kHeader;
}

Result<uint64_t> decode_lzma_raw(Bytes from, LzmaProperties properties, std::optional<uint64_t> size, Output& into) {
  return lzma_body(from, properties, size, !size, into);
}

Result<uint64_t> decode_zstd(Bytes from, Output& into) {
  const std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
  if (!context) return no_memory("zstd", from);
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kZstdWindowLog);
  const auto out = buffer();
  ZSTD_inBuffer source{from.data(), from.size(), 0};
  for (;;) {
    ZSTD_outBuffer target{out.get(), kBuffer, 0};
    const size_t status = ZSTD_decompressStream(context.get(), &target, &source);
    if (ZSTD_isError(status)) return damaged("zstd", from, source.pos, ZSTD_getErrorName(status));
    TRY_VOID(give(out, target.pos, into));
    if (status == 0) return source.pos;
    if (source.pos == source.size && target.pos < kBuffer) return truncated("zstd", from);
  }
}

Result<uint64_t> decode_lz4_frame(Bytes from, Output& into) {
  LZ4F_dctx* raw = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&raw, LZ4F_VERSION))) return no_memory("lz4", from);
  const std::unique_ptr<LZ4F_dctx, LZ4F_errorCode_t (*)(LZ4F_dctx*)> context(raw, LZ4F_freeDecompressionContext);
  const auto out = buffer();
  uint64_t used = 0;
  for (;;) {
    size_t taken = from.size() - used, given = kBuffer;
    const size_t status = LZ4F_decompress(raw, out.get(), &given, from.data() + used, &taken, nullptr);
    if (LZ4F_isError(status)) return damaged("lz4", from, used, LZ4F_getErrorName(status));
    used += taken;
    TRY_VOID(give(out, given, into));
    if (status == 0) return used;
    if (taken == 0 && given == 0) return truncated("lz4", from);
  }
}

// Legacy frames have no end mark: every block but the last yields 8 MiB, so a shorter one is the last, and after a
// full one the stream goes on only if another block decodes.
Result<uint64_t> decode_lz4_legacy(Bytes from, Output& into) {
  constexpr uint32_t kMagic = 0x184C2102, kBlock = 8 << 20;
  if (TRY(from.le<uint32_t>(0, "lz4 legacy magic")) != kMagic) return damaged("lz4 legacy", from, 0, "has no magic");
  const auto out = buffer(kBlock);
  uint64_t used = 4;
  for (bool first = true;; first = false) {
    const auto size = from.le<uint32_t>(used, "lz4 legacy block size");
    const auto block = size ? from.slice(used + 4, *size, "lz4 legacy block") : Result<Bytes>(Bytes());
    if (!size || !block || *size == 0 || *size > static_cast<uint32_t>(LZ4_compressBound(kBlock))) {
      if (!first) return used;
      if (size && !block) return truncated("lz4 legacy", from);
      return damaged("lz4 legacy", from, used, "has no first block");
    }
    const int given = LZ4_decompress_safe(reinterpret_cast<const char*>(block->data()),
                                          reinterpret_cast<char*>(out.get()), static_cast<int>(*size), kBlock);
    if (given < 0 && first) return damaged("lz4 legacy", from, used);
    if (given < 0) return used;
    TRY_VOID(give(out, static_cast<size_t>(given), into));
    used += 4 + *size;
    if (given < static_cast<int>(kBlock)) return used;
  }
}

Result<void> decode_lz4_block(Bytes from, uint64_t most, Output& into) {
  if (most > kMaxDictionary || from.size() > LZ4_MAX_INPUT_SIZE)
    return fail(Fault::kUnsupported, "lz4 block of up to " + std::to_string(most) + " bytes", from.base());
  const auto out = buffer(std::max<size_t>(most, 1));
  const int given = LZ4_decompress_safe(reinterpret_cast<const char*>(from.data()), reinterpret_cast<char*>(out.get()),
                                        static_cast<int>(from.size()), static_cast<int>(most));
  if (given < 0) return damaged("lz4", from, 0);
  return give(out, static_cast<size_t>(given), into);
}

}  // namespace assay::unpack
