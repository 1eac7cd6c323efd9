// Containers of makers that carriers buy from: Huawei, ZTE, Realtek's boot loader, MikroTik, Cisco, ZyXEL, Broadcom's
// tag.
#include "test/unpack/build.h"

#include "core/hash.h"
#include "unpack/crypt.h"

#include <array>

namespace assay::unpack {
namespace {

std::string state_of(const Collect& got, std::string_view name) {
  for (const Integrity& i : got.integrities)
    if (i.name == name) return i.state;
  return "absent";
}

void reads_verified(std::string_view id, const std::string& sample, std::string_view child, std::string_view content) {
  reads(id, sample, child, content);
  EXPECT_TRUE(measured(id, sample)->verified) << id;
}

std::string hwnp(const std::string& kernel, const std::string& signature) {
  const std::string products = filled("494|4B4|;COMMON|", 32);
  const uint64_t first = 36 + products.size() + 2 * 360;
  const auto item = [](uint32_t index, uint64_t offset, const std::string& bytes, const std::string& path,
                       const std::string& section) {
    return little(index) + little(crc32(Bytes(bytes))) + little(offset) + little(bytes.size()) + filled(path, 256) +
           filled(section, 16) + filled("V500", 64) + little(0) + little(0);
  };
  std::string out = "HWNP" + little(0) + little(0) + little(products.size() + 720) + little(0) + little(2) +
                    little(0, 2) + little(products.size(), 2) + little(360) + little(0) + products +
                    item(0, first, kernel, "flash:kernel", "KERNEL") +
                    item(1, first + kernel.size(), signature, "file:/var/signinfo", "SIGNINFO");
  put(out, 16, little(crc32(Bytes(std::string_view(out).substr(20)))));
  out += kernel + signature;
  put(out, 8, little(crc32(Bytes(std::string_view(out).substr(12)))));
  return out;
}

TEST(Hwnp, ReadsItems) {
  const std::string sample = hwnp("the kernel", "sign");
  reads_verified("hwnp", sample, "kernel", "the kernel");
  const Collect got = unpacked("hwnp", sample);
  EXPECT_EQ(got.find("var/signinfo")->content, "sign");
  EXPECT_EQ(state_of(got, "var/signinfo"), "not-checkable");
  EXPECT_EQ(got.notes.at("products"), "494|4B4|;COMMON|");
  std::string damaged = sample;
  damaged.back() = 'X';
  EXPECT_FALSE(measured("hwnp", damaged)->verified);
  EXPECT_EQ(state_of(unpacked("hwnp", damaged), "crc32 of kernel"), "valid");
  EXPECT_EQ(state_of(unpacked("hwnp", damaged), "image crc32"), "invalid");
}

uint16_t x25(std::string_view text) {
  uint32_t crc = 0xffff;
  for (const char c : text) {
    crc ^= static_cast<uint8_t>(c);
    for (int i = 0; i < 8; ++i) crc = crc & 1 ? crc >> 1 ^ 0x8408 : crc >> 1;
  }
  return static_cast<uint16_t>(~crc);
}

std::string update_block(const std::string& name, const std::string& data) {
  std::string sums;
  for (size_t at = 0; at < data.size(); at += 16) sums += little(x25(std::string_view(data).substr(at, 16)), 2);
  std::string out = "\x55\xaa\x5a\xa5" + little(98 + sums.size()) + little(1) + filled("HW7x27", 8) + little(0) +
                    little(data.size()) + filled("2013.05.01", 16) + filled("12.00.00", 16) + filled(name, 32) +
                    little(0, 2) + little(16) + sums + data;
  return filled(out, (out.size() + 3) / 4 * 4);
}

TEST(UpdateApp, ReadsBlocksAndTheirSums) {
  const std::string boot(40, 'b'), system(80, 's');
  const std::string sample = std::string(92, '\0') + update_block("BOOT", boot) + update_block("SYSTEM", system);
  const auto m = measured("updateapp", sample);
  ASSERT_TRUE(m);
  EXPECT_TRUE(m->verified);
  const Collect got = unpacked("updateapp", sample);
  EXPECT_EQ(got.find("BOOT")->content, boot);
  EXPECT_EQ(got.find("SYSTEM")->content, system);
  EXPECT_EQ(state_of(got, "checksums of BOOT"), "valid");
  EXPECT_EQ(x25("123456789"), 0x906e);  // the check value of CRC-16/X-25
  std::string damaged = sample;
  put(damaged, 92 + 98 + 6 + 20, "X");
  EXPECT_EQ(state_of(unpacked("updateapp", damaged), "checksums of BOOT"), "invalid");
  reads_verified("updateapp", update_block("ONE", system), "ONE", system);
  survives("updateapp", sample);
}

std::string xmodem(std::string_view text) { return big(crc16_ccitt(Bytes(text), 0), 2); }

TEST(Vrp, ReadsTablesInTables) {
  const auto file = [](const std::string& name, const std::string& data) {
    std::string header(384, '\0');
    put(header, 148, name);
    put(header, 372, big(data.size()));
    put(header, 378, xmodem(data));
    return header + data;
  };
  const auto table = [](const std::vector<std::string>& parts) {
    std::string records, bodies;
    for (const std::string& part : parts) {
      records += big(1, 2) + big(0, 2) + big(40 + 24 * parts.size() + bodies.size()) + big(part.size()) + big(0, 2) +
                 big(0, 2) + big(65536) + big(0);
      bodies += part;
    }
    const std::string rest = std::string(8, '\1') + big(parts.size()) + std::string(24, '\0') + records + bodies;
    return "\x4e\x03" + xmodem(rest) + rest;
  };
  const std::string inner = table({file("ROOTFS", "rootfs bytes")});
  const std::string sample = table({file("MP File!", "system"), inner});
  reads_verified("vrp", sample, "MP File!", "system");
  EXPECT_EQ(unpacked("vrp", sample).find("table1")->content, inner);
  reads_verified("vrp", inner, "ROOTFS", "rootfs bytes");
  std::string damaged = sample;
  damaged.back() = 'X';
  EXPECT_FALSE(measured("vrp", damaged));
}

std::string zlib_of(const std::string& text) {
  return through("python3 -c 'import sys,zlib; sys.stdout.buffer.write(zlib.compress(sys.stdin.buffer.read()))'", text);
}

std::string zte_layer(uint32_t kind, const std::string& name,
                      const std::vector<std::pair<size_t, std::string>>& chunks) {
  std::string body, all;
  for (size_t i = 0; i < chunks.size(); ++i) {
    body +=
        big(chunks[i].first) + big(chunks[i].second.size()) + big(i + 1 < chunks.size() ? 99 : 0) + chunks[i].second;
    all += chunks[i].second;
  }
  std::string header = "\1\2\3\4" + big(kind) + big(0) + big(60 + body.size()) + big(65536) + big(crc32(Bytes(all)));
  header = filled(header + big(crc32(Bytes(header))), 60);
  return (name.empty() ? "" : "\4\3\2\1" + big(0) + big(name.size()) + name) + header + body;
}

TEST(ZteConfig, DecompressesAndDecrypts) {
  const std::string one = zlib_of("<DB>first"), two = zlib_of(" second</DB>");
  if (one.empty()) GTEST_SKIP() << "no python3";
  const std::string plain = zte_layer(0, "", {{9, one}, {12, two}});
  reads_verified("zteconfig", plain, "config", "<DB>first second</DB>");
  std::string padded = plain;
  padded.resize((plain.size() + 15) / 16 * 16);
  const std::string ecb = *aes_ecb_encrypt(padded, filled("GrWM2Hz&LTvz&f^5", 16));
  const std::string sample = zte_layer(2, "ZXHN H108N V2.5", {{padded.size(), ecb}});
  reads_verified("zteconfig", sample, "layer", padded);
  EXPECT_EQ(unpacked("zteconfig", sample).opened_with.size(), 1u);
  const auto hashed = [](std::string_view text) {
    const Digest d = sha256(Bytes(text));
    return std::string(reinterpret_cast<const char*>(d.bytes.data()), 32);
  };
  const std::string cbc =
      *aes_cbc_encrypt(padded, hashed("ZXHNH168NV3.5Key02721401"), hashed("ZXHNH168NV3.5Iv02721401").substr(0, 16));
  reads_verified("zteconfig", zte_layer(4, "ZXHN H168N V3.5", {{padded.size(), cbc}}), "layer", padded);
  const std::string unknown = *aes_cbc_encrypt(padded, std::string(32, 'k'), std::string(16, 'v'));
  const Collect closed = unpacked("zteconfig", zte_layer(5, "H999", {{padded.size(), unknown}}));
  EXPECT_TRUE(closed.items.empty());
  EXPECT_EQ(closed.problems.at(0).fault, Fault::kEncrypted);
  EXPECT_FALSE(measured("zteconfig", zte_layer(7, "", {{9, one}})));
}

TEST(ZteHeader, ReadsBothByteOrders) {
  for (const bool is_big : {true, false}) {
    const auto number = [&](uint64_t v) { return is_big ? big(v) : little(v); };
    std::string sample = "\x99\x99\x99\x99\x44\x44\x44\x44\x55\x55\x55\x55\xaa\xaa\xaa\xaa" + std::string(112, '\0');
    put(sample, 24, number(4));
    put(sample, 60, number(64) + number(2) + number(128) + number(4));
    reads_verified("zteheader", sample + "BODY", "body", "BODY");
    EXPECT_FALSE(measured("zteheader", sample + "BOD"));
  }
}

TEST(Realtek, WantsWordsThatAddUpToZero) {
  const auto part = [](const std::string& signature, std::string data) {
    uint32_t sum = 0;
    for (size_t i = 0; i + 1 < data.size(); i += 2)
      sum += static_cast<uint32_t>(static_cast<uint8_t>(data[i]) << 8 | static_cast<uint8_t>(data[i + 1]));
    data += big((0x10000 - (sum & 0xffff)) & 0xffff, 2);
    return signature + big(0x80500000) + big(0x20000) + big(data.size()) + data;
  };
  const std::string sample = part("w6cg", "webpages") + std::string(30, '\xff') + part("cs6c", "kernel");
  reads_verified("realtek", sample, "cs6c", sample.substr(sample.size() - 8));
  EXPECT_TRUE(unpacked("realtek", sample).find("w6cg"));
  std::string damaged = sample;
  put(damaged, 17, "X");
  EXPECT_FALSE(measured("realtek", damaged));
}

TEST(Npk, ReadsSquashfsFilesAndScripts) {
  const auto part = [](uint16_t type, const std::string& bytes) {
    return little(type, 2) + little(bytes.size()) + bytes;
  };
  const auto record = [](uint16_t mode, const std::string& name, const std::string& bytes) {
    return little(mode, 2) + std::string(6, '\0') + little(1152612341) + std::string(12, '\0') + little(bytes.size()) +
           little(name.size(), 2) + name + bytes;
  };
  const std::string files =
      zlib_of(record(0040755, "bin", "") + record(0100755, "bin/tool", "TOOL") + record(0120777, "bin/link", "tool"));
  if (files.empty()) GTEST_SKIP() << "no python3";
  const std::string info = filled("routing", 16) + "\x1b" + "f\x09\x02" + little(1152612341) + std::string(8, '\0');
  const std::string parts = part(1, info) + part(24, "stable") + part(16, "i386") + part(7, "update-console") +
                            part(4, files) + part(21, "hsqs...") + part(22, std::string(9, '\0')) +
                            part(9, std::string(68, 's'));
  const std::string sample = "\x1e\xf1\xd0\xba" + little(parts.size()) + parts;
  reads_verified("npk", sample, "squashfs", "hsqs...");
  const Collect got = unpacked("npk", sample);
  EXPECT_EQ(got.notes.at("version"), "2.9.27");
  EXPECT_EQ(got.notes.at("architecture"), "i386");
  EXPECT_EQ(got.find("bin/tool")->content, "TOOL");
  EXPECT_EQ(*got.find("bin/tool")->node.mode, 0755u);
  EXPECT_EQ(got.find("bin/link")->node.target, "tool");
  EXPECT_EQ(got.find("bin")->node.kind, Kind::kDirectory);
  EXPECT_EQ(got.find("on-install")->content, "update-console");
  EXPECT_EQ(state_of(got, "signature"), "not-checkable");
}

std::string genibus(std::string_view bytes, uint16_t before = 0) {
  return big(static_cast<uint16_t>(~crc16_ccitt(Bytes(bytes), static_cast<uint16_t>(~before))), 2);
}

TEST(Mzip, ChecksHeaderAndSegments) {
  const auto segment = [](uint32_t offset, uint32_t kind, const std::string& bytes) {
    return big(offset) + big(0x3000) + big(kind) + big(bytes.size()) + big(100) + big(100) + std::string(32, '\0');
  };
  const std::string zip = "PK\3\4 zip", bz = "BZh9 bz", headers = segment(168, 1, zip) + segment(168 + 8, 2, bz);
  std::string head =
      "MZIP" + big(1) + big(0x3000) + big(2) + big(1) + std::string(32, '\0') + genibus(headers + zip + bz);
  head += genibus(head);
  const std::string sample = head + headers + zip + bz;
  reads_verified("mzip", sample, "segment0", zip);
  EXPECT_EQ(unpacked("mzip", sample).notes.at("kind of segment1"), "bzip2");
  std::string damaged = sample;
  damaged.back() = 'X';
  EXPECT_FALSE(measured("mzip", damaged)->verified);
  damaged = sample;
  put(damaged, 8, big(1));
  EXPECT_FALSE(measured("mzip", damaged));
}

TEST(CiscoIos, ReadsTheSectionAloneAndInItsElf) {
  const std::string zip = "PK\3\4 the compressed system.";
  uint64_t sum = 0;
  for (size_t i = 0; i + 4 <= zip.size(); i += 4) {
    sum += uint64_t{static_cast<uint8_t>(zip[i])} << 24 |
           static_cast<uint32_t>(static_cast<uint8_t>(zip[i + 1]) << 16) |
           static_cast<uint32_t>(static_cast<uint8_t>(zip[i + 2]) << 8) | static_cast<uint8_t>(zip[i + 3]);
    if (sum >> 32) sum = (sum & 0xffffffff) + 1;
  }
  const std::string section = "\xfe\xed\xfa\xce" + big(1000) + big(zip.size()) + big(sum) + big(0) + zip;
  reads_verified("ciscoios", section, "system", zip);
  std::string elf =
      "\x7f"
      "ELF\1\2\1" +
      std::string(9, '\0') + big(2, 2) + big(0x2b, 2) + big(1) + big(0x80008000) + big(0) + big(52) + big(0) +
      big(52, 2) + big(0, 2) + big(0, 2) + big(40, 2) + big(2, 2) + big(0, 2);
  elf += std::string(40, '\0') + big(0) + big(1) + big(0) + big(0) + big(132) + big(section.size()) + big(0) + big(0) +
         big(1) + big(0);
  reads_verified("ciscoios", elf + section, "system", zip);
  EXPECT_FALSE(measured("ciscoios", elf + std::string(section.size(), 'x')));
}

TEST(CiscoPkg, UnwrapsTheKey) {
  const Digest outer = sha256(Bytes(std::string_view("R4o0x~8d|4=Jh^%P)Kqf6d5e.v#^%#(&(;kuwtUTR-WQp%^#86")));
  const std::string outer_key(reinterpret_cast<const char*>(outer.bytes.data()), 32), inner(32, 'i'), vector(16, 'v');
  const std::string archive = "BZh9 the archive, 30 bytes long";
  const std::string cipher = *aes_cbc_encrypt(filled(archive, 32), inner, vector);
  const auto section = [](char type, const std::string& name, const std::string& bytes) {
    return type + filled(name, 11) + little(bytes.size()) + bytes;
  };
  const std::string sample = "\xc0\xc5" + std::string(2, '\0') + little(1) + "\3w" + std::string(8, '\0') +
                             section('\3', "key", *aes_cbc_encrypt(inner, outer_key, std::string(16, '\0'))) +
                             section('\5', "db", little(archive.size(), 8) + vector + std::string(56, 'h') + cipher) +
                             section('\4', "sum", "signed");
  EXPECT_EQ(measured("ciscopkg", sample + "tail")->length, sample.size());
  const Collect got = unpacked("ciscopkg", sample);
  EXPECT_EQ(got.find("db")->content, archive);
  EXPECT_EQ(got.opened_with.size(), 1u);
  EXPECT_EQ(state_of(got, "sum"), "not-checkable");
  survives("ciscopkg", sample);
  unpack_survives("ciscopkg", sample);
}

uint32_t byte_total(std::string_view text) {
  uint32_t sum = 0;
  for (const char c : text) sum += static_cast<uint8_t>(c);
  return sum;
}

TEST(ZyxelRas, FindsTheLengthOfItsHeader) {
  for (const size_t length : {size_t{0x800}, size_t{0x1000}}) {
    const std::string rootfs(300, 'r'), kernel(200, 'k');
    std::string header(length, '\xff');
    put(header, 0, big(byte_total(rootfs)) + big(rootfs.size()) + filled("V1.00(ABCT.6)C0", 32));
    put(header, 40, big(byte_total(rootfs)) + filled("NBG6617", 64, '\xff'));
    put(header, 51, std::string(1, '\0'));
    put(header, 108, big(byte_total(kernel)) + big(kernel.size()));
    const uint32_t sum = byte_total(header.substr(0, 2048)), once = (sum & 0xffff) + (sum >> 16);
    put(header, 40, big((once & 0xffff) + (once >> 16)));
    const std::string sample = header + rootfs + kernel;
    const auto m = measured("zyxelras", sample + "tail");
    ASSERT_TRUE(m);
    EXPECT_EQ(m->length, sample.size());
    const Collect got = unpacked("zyxelras", sample);
    EXPECT_EQ(got.find("rootfs")->content, rootfs);
    EXPECT_EQ(got.find("kernel")->content, kernel);
    EXPECT_EQ(got.notes.at("board"), "NBG6617");
    EXPECT_FALSE(measured("zyxelras", header + std::string(500, 'x')));
    if (length == 0x800) survives("zyxelras", sample);
    unpack_survives("zyxelras", sample);
  }
}

TEST(Zynos, ChecksItsObject) {
  const auto object = [](uint8_t flags, uint32_t original, const std::string& bytes) {
    uint32_t sum = 0;
    for (size_t i = 0; i < bytes.size(); ++i)
      sum += static_cast<uint32_t>(static_cast<uint8_t>(bytes[i])) << (i % 2 ? 0 : 8);
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    std::string header = big(0x80008000) + big(0, 2) + "SIG\x04" + big(original) + big(bytes.size());
    header += std::string(1, static_cast<char>(flags)) + '\0' +
              (flags & 0x80 ? big(0, 2) + big(sum, 2) : big(sum, 2) + big(0, 2));
    return filled(header + "V3.60", 48) + bytes;
  };
  reads_verified("zynos", object(0x40, 6, "system"), "object", "system");
  reads_verified("zynos", object(0xa0, 9000, "packed"), "compressed", "packed");
  std::string damaged = object(0x40, 6, "system");
  damaged.back() = 'X';
  EXPECT_FALSE(measured("zynos", damaged));
}

TEST(Zld, StripsTheKernelsHeader) {
  const auto folded = [](const std::string& bytes) {
    const auto d = md5(Bytes(bytes));
    uint32_t sum = 0;
    for (size_t i = 0; i < 16; i += 4)
      sum += static_cast<uint32_t>(d[i] << 24) | static_cast<uint32_t>(d[i + 1] << 16) |
             static_cast<uint32_t>(d[i + 2] << 8) | d[i + 3];
    return sum;
  };
  const auto record = [&](uint16_t type, const std::string& name, const std::string& bytes, size_t extra) {
    return big(type, 2) + big(0, 2) + big(bytes.size() + extra) + big(folded(bytes)) + big(0) + filled(name, 64) +
           std::string(128, '\0') + filled("V4.20", 32) + std::string(32, '\0');
  };
  const std::string kernel = "kernel!", core = "core image";
  std::string head = big(0) + big(0xdeadbeaf) + big(0x420, 2) + big(2, 2) + big(1, 2) + std::string(10, '\0');
  head += big(104 + 544 + 512 + kernel.size() + core.size()) + big(648, 2) + big(108, 2) + big(272, 2) +
          std::string(6, '\0') + std::string(32, '\0') + filled("NWA5123", 32);
  head += record(2, "kernel.bin", kernel, 512) + record(3, "core.bin", core, 0);
  std::string sample = head + std::string(512, '\0') + kernel + core;
  put(sample, 0, big(folded(sample.substr(4))));
  put(sample, 648 + 100, "filled in later");
  reads_verified("zld", sample, "kernel.bin", kernel);
  EXPECT_EQ(unpacked("zld", sample).find("core.bin")->content, core);
  EXPECT_EQ(state_of(unpacked("zld", sample), "image checksum"), "valid");
}

TEST(BcmTag, ReadsBothLayouts) {
  const auto tag = [](bool rootfs_first, const std::string& rootfs, const std::string& kernel) {
    const std::string body = rootfs_first ? rootfs + kernel : kernel + rootfs;
    std::string t(256, '\0');
    put(t, 0, "6");
    put(t, 4, "Broadcom Corporatio");
    put(t, 38, "6348");
    put(t, 44, "96348GW");
    put(t, 62, std::to_string(body.size()));
    put(t, 72, "0");
    put(t, 84, "0");
    put(t, 94, "3217096960");
    put(t, 106, std::to_string(rootfs.size()));
    put(t, 116, std::to_string(3217096960 + (rootfs_first ? rootfs.size() : 0)));
    put(t, 128, std::to_string(kernel.size()));
    put(t, 216, big(crc32_raw(Bytes(body))));
    put(t, 220, big(crc32_raw(Bytes(rootfs))));
    put(t, 224, big(crc32_raw(Bytes(kernel))));
    put(t, 236, big(crc32_raw(Bytes(std::string_view(t).substr(0, 236)))));
    return t + body;
  };
  for (const bool rootfs_first : {true, false}) {
    const std::string sample = tag(rootfs_first, "ROOTFS", "KERNEL!");
    reads_verified("bcmtag", sample, "rootfs", "ROOTFS");
    EXPECT_EQ(unpacked("bcmtag", sample).find("kernel")->content, "KERNEL!");
    EXPECT_EQ(state_of(unpacked("bcmtag", sample), "kernel crc32"), "valid");
  }
  std::string damaged = tag(true, "ROOTFS", "KERNEL!");
  damaged.back() = 'X';
  EXPECT_EQ(state_of(unpacked("bcmtag", damaged), "image crc32"), "invalid");
}

}  // namespace
}  // namespace assay::unpack
