// MUD files: what is read out of one, what is left out and said, and that what is written reads back the same.
#include "checks/mud.h"

#include <gtest/gtest.h>
#include <random>

namespace assay::checks {
namespace {

std::string mud(const std::string& aces, const std::string& policy = "from-device-policy") {
  return R"({"ietf-mud:mud":{"mud-version":1,"mud-url":"https://m.example/x","mfg-name":"V",")" + policy +
         R"(":{"access-lists":{"access-list":[{"name":"a"}]}}},)"
         R"("ietf-access-control-list:acls":{"acl":[{"name":"a","type":"ipv4-acl-type","aces":{"ace":[)" +
         aces + "]}}]}}";
}
std::string ace(const std::string& matches, const std::string& action = "accept") {
  return R"({"name":"n","matches":{)" + matches + R"(},"actions":{"forwarding":")" + action + R"("}})";
}
const std::string kHost = R"("ipv4":{"ietf-acldns:dst-dnsname":"u.example"})";

TEST(Mud, ReadsHostsAddressesAndPorts) {
  const auto file = read_mud(mud(
      ace(kHost +
          R"(,"tcp":{"ietf-mud:direction-initiated":"from-device","destination-port":{"operator":"eq","port":443}})") +
      "," +
      ace(R"("ipv4":{"destination-ipv4-network":"192.0.2.1/32","protocol":17},"udp":{"destination-port":{"lower-port":123,"upper-port":124}})")));
  ASSERT_TRUE(file) << file.error().what;
  EXPECT_TRUE(file->left_out.empty()) << file->left_out.front();
  ASSERT_EQ(file->communications.size(), 3u);
  EXPECT_EQ(file->communications[0].name, "192.0.2.1");
  EXPECT_EQ(file->communications[0].port, 123);
  EXPECT_EQ(file->communications[1].port, 124);
  EXPECT_EQ(file->communications[2].name, "u.example");
  EXPECT_EQ(file->communications[2].protocol, "tcp");
  EXPECT_EQ(file->names.mud_url, "https://m.example/x");
  EXPECT_EQ(file->names.vendor, "V");
}

TEST(Mud, TheOtherDirectionNamesTheSource) {
  const auto file = read_mud(
      mud(ace(R"("ipv4":{"ietf-acldns:src-dnsname":"u.example"},"tcp":{"source-port":{"operator":"eq","port":443}})"),
          "to-device-policy"));
  ASSERT_TRUE(file) << file.error().what;
  ASSERT_EQ(file->communications.size(), 1u) << file->left_out.front();
  EXPECT_EQ(file->communications[0].port, 443);
}

TEST(Mud, NothingBecomesWiderOnTheWay) {
  const std::vector<std::pair<std::string, std::string>> all = {
      {ace(R"("ietf-mud:mud":{"local-networks":[null]})"), "matches ietf-mud:mud"},
      {ace(R"("ipv4":{"destination-ipv4-network":"192.0.2.0/24"})"), "more than one address"},
      {ace(kHost + R"(,"tcp":{"destination-port":{"operator":"gte","port":1024}})"), "no list of numbers"},
      {ace(kHost + R"(,"tcp":{"destination-port":{"lower-port":1,"upper-port":65535}})"), "more than can be listed"},
      {ace(kHost + R"(,"tcp":{"source-port":{"operator":"eq","port":80}})"), "which is a service"},
      {ace(kHost + R"(,"ipv6":{"dscp":3})"), "matches dscp"},
      {ace(kHost + R"(,"eth":{})"), "matches eth"},
      {ace(kHost, "drop"), "does not accept"},
      {ace(R"("tcp":{})"), "names no host"},
      {ace(R"("ipv4":{"ietf-acldns:dst-dnsname":"u.example","destination-ipv4-network":"192.0.2.1/32"})"),
       "more than one host"},
      {ace(kHost + R"(,"ipv6":{"ietf-acldns:dst-dnsname":"v.example"})"), "more than one host"},
      {ace(R"("ipv4":{"ietf-acldns:dst-dnsname":"u.example","protocol":17},"tcp":{})"),
       "protocol udp and protocol tcp"},
      {ace(kHost + R"(,"tcp":{},"udp":{})"), "protocol tcp and protocol udp"},
      {ace(kHost + R"(,"tcp":{"ietf-mud:direction-initiated":"to-device"})"), "direction-initiated"},
  };
  for (const auto& [entry, why] : all) {
    const auto file = read_mud(mud(entry));
    ASSERT_TRUE(file) << entry << file.error().what;
    EXPECT_TRUE(file->communications.empty()) << entry;
    ASSERT_EQ(file->left_out.size(), 1u) << entry;
    EXPECT_NE(file->left_out[0].find(why), std::string::npos) << file->left_out[0];
  }
}

TEST(Mud, WhatStandsBehindADropIsLeftOut) {
  const std::string other = R"("ipv4":{"ietf-acldns:dst-dnsname":"v.example","protocol":6},"tcp":{})";
  const auto file = read_mud(mud(ace(other) + "," + ace(kHost, "drop") + "," + ace(kHost)));
  ASSERT_TRUE(file) << file.error().what;
  ASSERT_EQ(file->communications.size(), 1u);
  EXPECT_EQ(file->communications[0].name, "v.example");
  ASSERT_EQ(file->left_out.size(), 2u);
  EXPECT_NE(file->left_out[1].find("stands behind an entry that does not accept"), std::string::npos);
}

TEST(Mud, RefusesWithTheMember) {
  const std::vector<std::pair<std::string, std::string>> all = {
      {"", "not JSON"},
      {std::string(100000, '['), "nested more than 64 deep"},
      {"{}", "ietf-mud:mud: is missing"},
      {R"({"ietf-mud:mud":{"mud-version":2}})", "mud-version: must be 1"},
      {R"({"ietf-mud:mud":{"mud-version":1}})", "mud-url: is missing"},
      {R"({"ietf-mud:mud":{"mud-version":1,"mud-url":"u"}})", "acls/acl: is missing"},
      {R"({"ietf-mud:mud":{"mud-version":1,"mud-url":"u","from-device-policy":{"access-lists":{"access-list":[{"name":"b"}]}}},"ietf-access-control-list:acls":{"acl":[]}})",
       "names an access list that is not there"},
      {mud(ace(kHost)).replace(0, 1, "[{") + "]", "is missing"},
  };
  for (const auto& [text, message] : all) {
    const auto file = read_mud(text);
    ASSERT_FALSE(file) << text;
    EXPECT_NE(file.error().what.find(message), std::string::npos) << file.error().what;
  }
}

Declaration declaration_of(std::vector<Declared> communications) {
  Declaration d;
  d.communications = std::move(communications);
  d.has_communications = true;
  d.names.mud_url = "https://m.example/x";
  d.support_until = "2027-01-01";
  return d;
}

TEST(Mud, WhatIsWrittenReadsBack) {
  const std::vector<Declared> all = {{.name = "192.0.2.1", .protocol = "udp", .port = 123},
                                     {.name = "2001:db8::1", .protocol = "tcp", .port = 443},
                                     {.name = "a.example"},
                                     {.name = "b.example", .protocol = "icmp"},
                                     {.name = "u.example", .protocol = "tcp", .port = 443}};
  const auto text = write_mud(declaration_of(all), "2026-03-01");
  ASSERT_TRUE(text) << text.error().what;
  EXPECT_TRUE(text->left_out.empty());
  const auto read = read_mud(text->json);
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_TRUE(read->left_out.empty()) << read->left_out.front();
  ASSERT_EQ(read->communications.size(), all.size());
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(read->communications[i].name, all[i].name);
    EXPECT_EQ(read->communications[i].protocol, all[i].protocol);
    EXPECT_EQ(read->communications[i].port, all[i].port);
  }
}

TEST(Mud, WhatItHasNoWordsForIsSaid) {
  const auto text = write_mud(
      declaration_of({{.name = "*.example"}, {.name = "a b"}, {.name = "a.example", .protocol = "raw"}}), "2026-03-01");
  ASSERT_TRUE(text);
  EXPECT_EQ(text->left_out.size(), 3u);
  EXPECT_EQ(text->json.find("example\""), std::string::npos);
}

TEST(Mud, NeedsAddressAndSupportPeriod) {
  Declaration d = declaration_of({});
  d.names.mud_url = "http://m.example/x";
  EXPECT_NE(write_mud(d, "2026-03-01").error().what.find("mud_url"), std::string::npos);
  d = declaration_of({});
  d.support_until.clear();
  EXPECT_NE(write_mud(d, "2026-03-01").error().what.find("support"), std::string::npos);
  d = declaration_of({});
  EXPECT_NE(write_mud(d, "2028-03-01")->json.find("\"is-supported\": false"), std::string::npos);
}

// Whatever a damaged text becomes, it names no host that is longer than a declaration may say.
TEST(Mud, DamagedTextIsAValue) {
  const auto whole = write_mud(declaration_of({{.name = "a.example", .protocol = "tcp", .port = 1}}), "2026-03-01");
  ASSERT_TRUE(whole);
  std::mt19937 engine(1);
  size_t refused = 0;
  for (size_t i = 0; i < whole->json.size(); i += 7) {
    std::string text = whole->json;
    text[i] = static_cast<char>(engine());
    for (const std::string_view damaged : {std::string_view(text), std::string_view(text).substr(0, i)}) {
      const auto file = read_mud(damaged);
      refused += !file;
      for (size_t n = 0; file && n < file->communications.size(); ++n)
        EXPECT_LE(file->communications[n].name.size(), 255u);
    }
  }
  EXPECT_GT(refused, whole->json.size() / 7);
}

}  // namespace
}  // namespace assay::checks
