// Android Verified Boot 2.0: the structure "vbmeta" and the footer of a partition that carries its own. Big-endian.
//
//   header (256): 0 "AVB0"  4 major version  8 minor  12 size of the authentication block (64 bits)  20 of the
//   auxiliary
//     block  28 algorithm (0 none; 1 2 3: sha256 with rsa 2048 4096 8192; 4 5 6: sha512 with them)  32 hash: offset,
//     size in the authentication block  48 signature, likewise  64 public key: offset, size in the auxiliary block
//     80 its metadata  96 descriptors  112 rollback index (64 bits)  120 flags: 1 hash trees off, 2 verification off
//     124 rollback index's location  128 release (48)
//   hash and signature cover header and auxiliary block.
//   public key  0 bits  4 -1/n mod 2^32  8 modulus, then r^2; the exponent is 65537
//   descriptor  0 tag  8 bytes that follow: 0 property, 1 hash tree, 2 hash, 3 kernel command line, 4 chained partition
//   footer      the partition's last 64 bytes: "AVBf"  4 version  12 size of the image  20 offset, 28 size of vbmeta
//
// Source: AOSP external/avb, libavb/avb_vbmeta_image.h, avb_footer.h, avb_*_descriptor.h, avb_crypto.h, README.md.
#pragma once
#include "unpack/format.h"

#include <vector>

namespace assay::unpack {

enum class AvbTag : uint8_t { kProperty, kHashTree, kHash, kCommandLine, kChain, kOther };

struct AvbDescriptor {
  AvbTag tag = AvbTag::kOther;
  Bytes all;
  std::string name;   // of the partition, or of the property
  std::string value;  // of the property, or the command line
  uint32_t flags = 0;
  std::string algorithm;  // of hash and hash tree
  Bytes salt, digest;     // digest: of the image, or the root of the tree
  Bytes key;              // of a chained partition
  uint64_t image_size = 0, tree_offset = 0, tree_size = 0, fec_offset = 0, fec_size = 0;
  uint32_t verity_version = 0, data_block = 0, hash_block = 0, rollback_location = 0;
};

struct AvbImage {
  uint64_t size = 0;  // header and both blocks
  Bytes header, auxiliary;
  Bytes hash, signature, key;
  uint32_t algorithm = 0, flags = 0, rollback_location = 0;
  uint64_t rollback_index = 0;
  std::string release;
  std::vector<AvbDescriptor> descriptors;
};

struct AvbFooter {
  uint64_t image_size = 0, offset = 0, size = 0;  // of the image, of vbmeta
};

// Everything is bounds-checked; views point into `from`.
Result<AvbImage> read_avb(Bytes from);
Result<AvbFooter> read_avb_footer(Bytes partition);

std::string avb_algorithm(const AvbImage& image);  // "rsa4096-sha256", "none", "algorithm 9"

enum class AvbState : uint8_t { kUnsigned, kValid, kInvalid, kNotCheckable };
AvbState check_avb_hash(const AvbImage& image);        // the stored hash over header and auxiliary block
AvbState check_avb_signature(const AvbImage& image);   // with the key that stands in it
std::string avb_key_id(Bytes key);                     // SHA-1 of the key's bytes, as avbtool prints it
std::string_view known_test_key(std::string_view id);  // the name of a key whose private half AOSP publishes, or ""

// What vbmeta states as notes, and its hash and signature as facts. `base`: where the content that is read starts.
void state_avb(const AvbImage& image, uint64_t base, Sink& into);
// A hash descriptor against the bytes it covers, or not-checkable with `why` where they are not there.
Integrity check_avb_image_hash(const AvbDescriptor& d, Bytes covered, uint64_t base);
// A hash tree (dm-verity, version 1) from its root down to every block of data in `partition`.
Result<Integrity> check_avb_tree(const AvbDescriptor& d, Bytes partition, Sink& into);
Integrity avb_not_checkable(const AvbDescriptor& d, uint64_t base, std::string why);

}  // namespace assay::unpack
