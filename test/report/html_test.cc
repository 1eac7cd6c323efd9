// The page as text: what the image says stays inside the JSON, the same examination gives the same bytes.
#include "report/report.h"

#include <gtest/gtest.h>

namespace assay::report {
namespace {

Examination hostile() {
  Examination e;
  e.name = "a</script>\xff\xe2\x80\xa8.bin";
  e.tool_version = "1";
  e.as_of = "2026-01-01";
  e.size = 4;
  e.sandbox = {"sandbox of this machine"};
  Artifact image;
  image.node.kind = Kind::kImage;
  image.size = 4;
  image.spans = {{Range::kContent, 0, 4}};
  e.artifacts.push_back(image);
  for (const char* way : {"tar/<!--<script>", "tar/<!--<script>/below", "tar/&amp;"}) {
    Artifact file;
    file.way = way;
    file.parent = 0;
    file.node.target = "<img src=x onerror=alert(1)>";
    e.artifacts.push_back(file);
  }
  e.facts.elf.resize(1);
  e.facts.elf[0].imports = {"never_on_the_page"};
  Finding finding;
  finding.claim = "</SCRIPT><script>alert(2)</script>";
  finding.evidence = {{"tar/&amp;", 1, 2, "\x80<b>"}};
  e.findings = {finding};
  e.excerpts = {{"tar/&amp;", 0, "\x01\x02<\xff"}};
  return e;
}

std::string data_of(const std::string& page) {
  const std::string open = "id=\"data\">";
  const size_t from = page.find(open) + open.size();
  return page.substr(from, page.find("</script>", from) - from);
}

TEST(Html, KeepsWhatTheImageSaysInsideInertJson) {
  const std::string data = data_of(html(hostile()));
  EXPECT_GT(data.size(), 500u);
  EXPECT_EQ(data.find_first_of("<>&"), std::string::npos);
  for (const char c : data) ASSERT_TRUE(c >= 0x20 && c < 0x7f) << static_cast<int>(c);
  EXPECT_NE(data.find("\\u003c/SCRIPT\\u003e"), std::string::npos);
  EXPECT_NE(data.find("\"hex\":\"01023cff\""), std::string::npos);
  EXPECT_EQ(data.back(), '}');
}

TEST(Html, PutsEveryArtifactUnderTheNearestOneAboveIt) {
  const std::string data = data_of(html(hostile()));
  EXPECT_NE(data.find("{\"up\":1,\"name\":\"below\""), std::string::npos);
  EXPECT_NE(data.find("{\"up\":0,\"name\":\"tar/\\u0026amp;\""), std::string::npos);
}

TEST(Html, IsTheSameTwiceAndSaysNothingOfTheMachine) {
  const std::string page = html(hostile());
  EXPECT_EQ(page, html(hostile()));
  EXPECT_EQ(page.find("sandbox of this machine"), std::string::npos);
  EXPECT_EQ(page.find("never_on_the_page"), std::string::npos);
}

TEST(Html, AllowsNothingFromOutside) {
  const std::string page = html(Examination{});
  EXPECT_NE(page.find("default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"),
            std::string::npos);
  for (const char* mark :
       {"{{", "innerHTML", "insertAdjacentHTML", "document.write", "eval(", "fetch(", "src=\"", "url("})
    EXPECT_EQ(page.find(mark), std::string::npos) << mark;
}

TEST(Reports, SurviveANameThatIsNotUtf8) {
  EXPECT_NE(json(hostile()).find("$'a</script>\\\\xff"), std::string::npos);  // in the command that shows an evidence
  EXPECT_FALSE(sarif(hostile()).empty());
  EXPECT_FALSE(cyclonedx(hostile()).empty());
  EXPECT_FALSE(openvex(hostile()).empty());
}

}  // namespace
}  // namespace assay::report
