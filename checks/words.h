// What many checks say and ask in the same words: names, places, volumes, dates.
#pragma once
#include "checks/check.h"

#include <map>

namespace assay::checks {

std::string lower(std::string_view text);     // ASCII
std::string in_quotes(std::string_view raw);  // "…", escaped, at most 80 bytes of it
std::string plural(uint64_t count, std::string_view one, std::string_view many);  // "1 file", "3 files"
std::string base_name(std::string_view path);                                     // after the last '/'
std::string place(const Evidence& at);                                            // the way, or "the image itself"
bool is_one_of(std::string_view word, std::span<const std::string_view> list);
bool lies_in(std::string_view way, std::string_view directory);  // the directory itself, or below it
bool is_shell(std::string_view program);                         // a command interpreter, by its base name

// The file system or archive an artifact lies in, as the way of its container ("trx/part1/squashfs"), read from the
// ids of containers that stand in every way; "" : the image itself is the file system.
std::string volume_of(std::string_view way);
std::string volume_words(std::string_view volume);  // "trx/part1/squashfs", or "the image"

// The first (most telling) evidence first, then at most `limit` more: a finding about hundreds of files shows some.
constexpr size_t kShown = 12;
std::vector<Evidence> some(const std::vector<Evidence>& all, size_t skip = 1, size_t limit = kShown);

// "telnetd listens on tcp port 23, started by etc/init.d/rcS"
std::string describe(const Service& service);
bool is_serial(const Service& service);

// A setting of the kernel by its sysctl name; names written as paths or with /proc/sys/ before them are the same.
std::string sysctl_name(std::string_view written);

}  // namespace assay::checks
