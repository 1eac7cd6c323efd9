// Readers of settings: values, offsets, and hostile text.
#include "system/named_values.h"
#include "system/script_commands.h"
#include "system/setting_words.h"

#include <gtest/gtest.h>

namespace assay::system {
namespace {

const NamedValue* find(const NamedValues& values, std::string_view name) {
  for (const NamedValue& value : values.values)
    if (value.name == name) return &value;
  return nullptr;
}
std::string value_of(const NamedValues& values, std::string_view name) {
  const NamedValue* found = find(values, name);
  return found ? found->value : "(none)";
}

TEST(Assignments, LinesAndNulSeparated) {
  const std::string text =
      "#no=1\na=1\r\n b = \"two words\" # c\n[sec]\nc='x'\nnetwork={\n\tpsk=\"k\"\n}\nbad name=1\nexport d=4\n";
  const NamedValues found = read_assignments(text);
  EXPECT_EQ(value_of(found, "a"), "1");
  EXPECT_EQ(value_of(found, "b"), "two words");
  EXPECT_EQ(find(found, "c")->scope, "sec");
  EXPECT_EQ(find(found, "psk")->scope, "network");
  EXPECT_EQ(value_of(found, "d"), "4");
  EXPECT_EQ(found.values.size(), 5u);
  EXPECT_EQ(text.substr(find(found, "psk")->offset, find(found, "psk")->length), "psk=\"k\"");
  const NamedValues nul = read_assignments(std::string_view("x=1\0y=2\0\0z=\0", 12));
  EXPECT_EQ(nul.values.size(), 3u);
  EXPECT_EQ(find(nul, "y")->offset, 4u);
}

TEST(Uci, SectionsAndQuotes) {
  const std::string text =
      "config wifi-iface 'w'\n\toption key 'se cret'\n\tlist a \"b\"\n# x\nconfig rule\n option q un'quo'ted\n";
  const NamedValues found = read_uci(text);
  ASSERT_EQ(found.values.size(), 3u);
  EXPECT_EQ(found.values[0].scope, "wifi-iface w");
  EXPECT_EQ(found.values[0].value, "se cret");
  EXPECT_EQ(text.substr(found.values[0].offset, found.values[0].length), "option key 'se cret'");
  EXPECT_EQ(found.values[2].value, "unquoted");
  EXPECT_NE(found.values[2].group, found.values[0].group);
}

TEST(Xml, ElementsAttributesAndPairs) {
  const std::string text =
      "<?xml version=\"1.0\"?><!-- <a>no</a> --><R><Value Name=\"PASS\" Value=\"p&amp;q\"/><AdminPwd val=admin />"
      "<U><Name>jo</Name><Password><![CDATA[x<y]]></Password></U><I User=\"u\" Key='k'></I><p name=\"lbl\">txt</p></R>";
  const NamedValues found = read_xml(text);
  EXPECT_EQ(value_of(found, "PASS"), "p&q");
  EXPECT_EQ(value_of(found, "AdminPwd"), "admin");
  EXPECT_EQ(value_of(found, "Password"), "x<y");
  EXPECT_EQ(find(found, "Name")->group, find(found, "Password")->group);
  EXPECT_EQ(find(found, "User")->group, find(found, "Key")->group);
  EXPECT_EQ(find(found, "Key")->scope, "R/I");
  EXPECT_EQ(value_of(found, "lbl"), "txt");
  EXPECT_EQ(value_of(found, "a"), "(none)");
}

TEST(Json, KeysGroupsAndOffsets) {
  const std::string text = R"({"a":1,"web":{"user":"jo","password":"p\"w"},"list":[{"k":"v"}],"t":true})";
  const NamedValues found = read_json(text);
  EXPECT_EQ(value_of(found, "a"), "1");
  EXPECT_EQ(value_of(found, "password"), "p\"w");
  EXPECT_EQ(find(found, "password")->scope, "web");
  EXPECT_EQ(find(found, "password")->group, find(found, "user")->group);
  EXPECT_EQ(text.substr(find(found, "user")->offset, find(found, "user")->length), "\"user\":\"jo\"");
  EXPECT_EQ(value_of(found, "k"), "v");
  EXPECT_EQ(value_of(found, "t"), "true");
}

TEST(Readers, EveryTruncationAndFlippedByte) {
  const std::string text =
      "config a 'b'\n\toption c 'd'\n<R a=\"b\" c='d'><x>y</x><!-- c "
      "--><![CDATA[z]]></R>{\"a\":{\"b\":[1,\"c\\u0041\"]}}\n"
      "if [ -f /a ]; then iptables -A INPUT -j DROP `x $(y)` ${z#a} >> \"/q r\" \\\n; fi # c\nn={\na=\"b\n}\n";
  for (size_t i = 0; i <= text.size(); ++i) {
    for (const std::string& hostile :
         {text.substr(0, i), text.substr(0, i) + '\0' + text.substr(std::min(i + 1, text.size())),
          text.substr(0, i) + '"' + text.substr(std::min(i + 1, text.size()))}) {
      for (const NamedValues& found :
           {read_assignments(hostile), read_uci(hostile), read_xml(hostile), read_json(hostile)})
        for (const NamedValue& value : found.values) ASSERT_LE(value.offset + value.length, hostile.size());
      for (const ScriptCommand& command : script_commands(hostile))
        ASSERT_LE(command.offset + command.text.size(), hostile.size());
    }
  }
}

TEST(Readers, EndOnDeepAndLongText) {
  std::string deep, json;
  for (int i = 0; i < 100000; ++i) deep += "<a x=1>", json += "{\"a\":[";
  EXPECT_LE(read_xml(deep).values.size(), 20000u);
  EXPECT_TRUE(read_json(json).limited);
  EXPECT_TRUE(read_xml(std::string(500000, '<')).values.empty());
  std::string many;
  for (int i = 0; i < 30000; ++i) many += "a=1\n";
  EXPECT_TRUE(read_assignments(many).limited);
  EXPECT_EQ(script_commands(std::string(200000, ';')).size(), 0u);
  EXPECT_LE(script_commands(std::string(1 << 20, '$') + "{").size(), 1u);
}

TEST(Commands, WordsQuotesAndPlaces) {
  const std::string text =
      "if [ -x /a ]; then\n  A=1 /usr/sbin/iptables -A 'IN PUT' \"-j\" DROP # c\nfi\necho 1 >/proc/sys/a && b | c\n";
  const auto commands = script_commands(text);
  ASSERT_EQ(commands.size(), 5u);
  EXPECT_EQ(commands[1].program(), "iptables");
  EXPECT_EQ(commands[1].option("-A"), "IN PUT");
  EXPECT_EQ(text.substr(commands[1].offset, 4), "A=1 ");
  EXPECT_EQ(commands[2].words, (std::vector<std::string>{"echo", "1", ">", "/proc/sys/a"}));
  EXPECT_FALSE(commands[3].piped_into);
  EXPECT_TRUE(commands[4].piped_into);
}

TEST(Words, MeaningOfNames) {
  const auto kind = [](std::string_view scope, std::string_view name) {
    const Meaning meaning = meaning_of(scope, name);
    return meaning.role == Meaning::Role::kSecret ? std::string(meaning.kind)
           : meaning.role == Meaning::Role::kUser ? "user"
                                                  : "";
  };
  EXPECT_EQ(kind("", "WPAPSK1"), "wifi-psk");
  EXPECT_EQ(kind("", "Key1Str1"), "wep-key");
  EXPECT_EQ(kind("", "wl0_wep_key1"), "wep-key");
  EXPECT_EQ(kind("", "WscPinCode"), "wps-pin");
  EXPECT_EQ(kind("", "http_passwd"), "web");
  EXPECT_EQ(kind("", "AdminPwd"), "login");
  EXPECT_EQ(kind("ManagementServer", "ConnectionRequestPassword"), "tr069");
  EXPECT_EQ(kind("", "snmp_rocommunity"), "snmp-community");
  EXPECT_EQ(kind("", "ppp_passwd"), "ppp");
  EXPECT_EQ(kind("wifi-iface", "key"), "wifi-psk");
  EXPECT_EQ(kind("", "http_username"), "user");
  for (const std::string_view name :
       {"PasswordAuth", "RootPasswordAuth", "password_length", "vpn_passthrough", "wpa_key_mgmt", "DefaultKeyID",
        "Key1Type", "RekeyInterval", "keyboard", "lan_ip", "monkey"})
    EXPECT_EQ(kind("", name), "") << name;
}

}  // namespace
}  // namespace assay::system
