// Dates: endoflife.date, data of 2026-08-22 (MIT licence, Copyright 2020 endoflife.date contributors), which cites the
// makers' announcements; projected ends of Linux lines are left out. Rows with "<" are ours: every older line ended
// earlier than the first that is listed; Linux before 4.9: the last, 4.4, on 2022-02-03 (announced on lore.kernel.org
// with 4.4.302). uClibc: its last release, 0.9.33.2, is of 2012-05-15 (uclibc.org); uClibc-ng is another project.
#include "checks/support_ends.h"

#include "checks/words.h"
#include "core/text.h"

#include <charconv>
#include <vector>

namespace assay::checks {
namespace {

constexpr std::string_view kOpenssl = "openssl libopenssl libssl libcrypto";
constexpr std::string_view kLinux = "linux linux-kernel linux_kernel kernel";
constexpr std::string_view kOpenwrt = "openwrt lede";
constexpr std::string_view kPython = "python python2 python3 cpython";
constexpr std::string_view kDhcp = "isc-dhcp dhcpd isc-dhcp-server isc-dhcp-client";

constexpr SupportEnd kEnds[] = {
    {"nginx", "<1.0", "2012-04-23"},    {"nginx", "1.0", "2012-04-23"},     {"nginx", "1.2", "2013-04-24"},
    {"nginx", "1.4", "2014-04-24"},     {"nginx", "1.6", "2015-04-21"},     {"nginx", "1.8", "2016-04-26"},
    {"nginx", "1.10", "2017-04-12"},    {"nginx", "1.12", "2018-04-17"},    {"nginx", "1.14", "2019-04-23"},
    {"nginx", "1.16", "2020-04-20"},    {"nginx", "1.18", "2021-04-20"},    {"nginx", "1.20", "2022-05-24"},
    {"nginx", "1.22", "2023-04-11"},    {"nginx", "1.24", "2024-04-23"},    {"nginx", "1.26", "2025-04-23"},
    {"openvpn", "<2.2", "2011-11-30"},  {"openvpn", "2.2", "2015-11-30"},   {"openvpn", "2.3", "2021-06-30"},
    {"openvpn", "2.4", "2023-03-31"},   {"openvpn", "2.5", "2025-07-31"},   {"proftpd", "<1.3.6", "2020-07-20"},
    {"proftpd", "1.3.6", "2022-12-04"}, {"proftpd", "1.3.7", "2025-03-14"}, {"uclibc", "<1.0", "2012-05-15"},
    {kDhcp, "<4.4", "2022-10-05"},      {kDhcp, "4.4", "2022-10-05"},       {kLinux, "<4.9", "2022-02-03"},
    {kLinux, "4.9", "2023-01-07"},      {kLinux, "4.14", "2024-01-10"},     {kLinux, "4.19", "2024-12-05"},
    {kLinux, "5.4", "2025-12-03"},      {kLinux, "5.11", "2021-05-19"},     {kLinux, "5.12", "2021-07-20"},
    {kLinux, "5.13", "2021-09-18"},     {kLinux, "5.14", "2021-11-21"},     {kLinux, "5.16", "2022-04-13"},
    {kLinux, "5.17", "2022-06-14"},     {kLinux, "5.18", "2022-08-21"},     {kLinux, "5.19", "2022-10-24"},
    {kLinux, "6.0", "2023-01-12"},      {kLinux, "6.2", "2023-05-17"},      {kLinux, "6.3", "2023-07-11"},
    {kLinux, "6.4", "2023-09-13"},      {kLinux, "6.5", "2023-11-28"},      {kLinux, "6.7", "2024-04-03"},
    {kLinux, "6.8", "2024-05-30"},      {kLinux, "6.9", "2024-07-27"},      {kLinux, "6.10", "2024-10-10"},
    {kLinux, "6.11", "2024-12-05"},     {kLinux, "6.13", "2025-04-20"},     {kLinux, "6.14", "2025-06-10"},
    {kLinux, "6.15", "2025-08-20"},     {kLinux, "6.16", "2025-10-12"},     {kLinux, "6.17", "2025-12-18"},
    {kOpenssl, "<0.9.8", "2015-12-31"}, {kOpenssl, "0.9.8", "2015-12-31"},  {kOpenssl, "1.0.0", "2015-12-31"},
    {kOpenssl, "1.0.1", "2016-12-31"},  {kOpenssl, "1.0.2", "2019-12-31"},  {kOpenssl, "1.1.0", "2019-09-11"},
    {kOpenssl, "1.1.1", "2023-09-11"},  {kOpenssl, "3.0", "2026-09-07"},    {kOpenssl, "3.1", "2025-03-14"},
    {kOpenssl, "3.2", "2025-11-23"},    {kOpenssl, "3.3", "2026-04-09"},    {kOpenssl, "3.4", "2026-10-22"},
    {kOpenssl, "3.5", "2030-04-08"},    {kOpenwrt, "<17.01", "2019-02-01"}, {kOpenwrt, "17.01", "2019-02-01"},
    {kOpenwrt, "18.06", "2021-07-01"},  {kOpenwrt, "19.07", "2022-04-30"},  {kOpenwrt, "21.02", "2023-04-30"},
    {kOpenwrt, "22.03", "2024-04-11"},  {kOpenwrt, "23.05", "2025-08-16"},  {"php", "<5.2", "2006-08-24"},
    {"php", "5.2", "2011-01-06"},       {"php", "5.3", "2014-08-14"},       {"php", "5.4", "2015-09-14"},
    {"php", "5.5", "2016-07-21"},       {"php", "5.6", "2018-12-31"},       {"php", "7.0", "2019-01-10"},
    {"php", "7.1", "2019-12-01"},       {"php", "7.2", "2020-11-30"},       {"php", "7.3", "2021-12-06"},
    {"php", "7.4", "2022-11-28"},       {"php", "8.0", "2023-11-26"},       {"php", "8.1", "2025-12-31"},
    {"php", "8.2", "2026-12-31"},       {"php", "8.3", "2027-12-31"},       {kPython, "<2.7", "2013-10-29"},
    {kPython, "2.7", "2020-01-01"},     {kPython, "3.0", "2009-06-27"},     {kPython, "3.1", "2012-04-09"},
    {kPython, "3.2", "2016-02-20"},     {kPython, "3.3", "2017-09-29"},     {kPython, "3.4", "2019-03-18"},
    {kPython, "3.5", "2020-09-30"},     {kPython, "3.6", "2021-12-23"},     {kPython, "3.7", "2023-06-27"},
    {kPython, "3.8", "2024-10-07"},     {kPython, "3.9", "2025-10-31"},     {kPython, "3.10", "2026-10-31"},
    {kPython, "3.11", "2027-10-31"},    {kPython, "3.12", "2028-10-31"},
};

// The numbers a version begins with: "1.0.2k-fips" gives 1, 0, 2.
std::vector<unsigned> numbers(std::string_view version) {
  std::vector<unsigned> out;
  for (const std::string_view piece : split(version, '.')) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(piece.data(), piece.data() + piece.size(), value);
    if (error != std::errc()) break;
    out.push_back(value);
    if (end != piece.data() + piece.size()) break;
  }
  return out;
}

bool is_of_line(const std::vector<unsigned>& version, std::string_view line) {
  const bool older = line.starts_with('<');
  const std::vector<unsigned> limit = numbers(line.substr(older ? 1 : 0));
  if (version.size() < 2) return false;  // "2" alone names no line
  if (older) return version < limit;
  return version.size() >= limit.size() && std::equal(limit.begin(), limit.end(), version.begin());
}

bool names(const SupportEnd& row, const std::string& name) {
  for (const std::string_view one : words(row.names))
    if (one == name) return true;
  return false;
}

}  // namespace

const std::string_view kSupportEndsSource = "endoflife.date of 2026-08-22 and the makers' announcements";

std::span<const SupportEnd> support_ends() { return kEnds; }

const SupportEnd* support_end(std::string_view name, std::string_view version) {
  const std::string wanted = lower(name);
  std::string_view plain = version;
  if (plain.starts_with('v') || plain.starts_with('r')) plain.remove_prefix(1);
  const std::vector<unsigned> parts = numbers(plain);
  for (const SupportEnd& row : kEnds)
    if (names(row, wanted) && is_of_line(parts, row.line)) return &row;
  return nullptr;
}

}  // namespace assay::checks
