#!/usr/bin/env python3
"""Draws the page in headless Chromium and reads the DOM: everything is there, nothing failed, and what an image says
stays text. Two broken pages show that these checks can fail. Skipped (77) where there is no chromium.

page_test.py ASSAY
"""
import html.parser
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import small_image

SKIPPED = 77
HIDDEN = re.compile("[\u200b\u2028\u2029\u202e]")


class Dom(html.parser.HTMLParser):
    """What the page became: elements, their attributes, and the text outside of scripts and styles."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.words, self.inside, self.errors = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self.inside.append((tag, dict(attributes).get("id")))

    def handle_endtag(self, tag):
        while self.inside and self.inside.pop()[0] != tag:
            pass

    def handle_data(self, words):
        if any(tag in ("script", "style") for tag, _ in self.inside):
            return
        self.words.append(words)
        if any(name == "errors" for _, name in self.inside):
            self.errors.append(words)

    def count(self, tag, **attributes):
        return sum(t == tag and all(a.get(k) == v for k, v in attributes.items()) for t, a in self.elements)


def draw(chromium, path):
    with tempfile.TemporaryDirectory() as profile:
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
                 "--disable-dev-shm-usage", f"--user-data-dir={profile}", "--window-size=1400,2200",
                 "--virtual-time-budget=5000", "--dump-dom"]
        done = subprocess.run([chromium, *flags, path.as_uri()], capture_output=True, timeout=240)
    return Dom(done.stdout.decode(errors="replace"))


def complaints(dom, report):
    """Everything that is wrong with a drawn page."""
    root = next((a for t, a in dom.elements if t == "html"), {})
    text = "".join(dom.words)
    rows = dom.count("div", role="treeitem")
    findings = [a for t, a in dom.elements if t == "details" and "finding" in a.get("class", "").split()]
    checks = {
        "the script did not reach its end": root.get("data-ready") == "yes",
        f"it reported errors: {''.join(dom.errors)}": not "".join(dom.errors).strip(),
        "a name of the image became script": "data-owned" not in root,
        "a name of the image became an element": not any(
            t in ("img", "iframe") or "onload" in a for t, a in dom.elements),
        "there are other scripts than the page's two": dom.count("script") == 2,
        f"{len(findings)} findings are drawn, {len(report['findings'])} are in the report":
            len(findings) == len(report["findings"]) > 0,
        f"only {rows} rows of the tree are drawn": rows >= min(10, len(report["artifacts"])),
        "the treemap is empty": dom.count("rect") > 3,
        "the functions are not in the text": "Gate::open(int)" in text and "addiu" in text,
        "the strip of bytes is missing": dom.count("canvas", id="strip") == 1,
        "no table is drawn": dom.count("table") > 0,
        "a hidden character reached the text": not HIDDEN.search(text),
        "the claims are not in the text": all(HIDDEN.sub("", f["claim"])[:40] in text for f in report["findings"][:3]
                                              if not HIDDEN.search(f["claim"])),
    }
    return [what for what, holds in checks.items() if not holds]


def exercise(chromium, page, report, folder):
    """What does not happen when somebody uses the page (exercise.js)."""
    path = pathlib.Path(folder) / "exercised.html"
    script = pathlib.Path(__file__).with_name("exercise.js").read_bytes()
    path.write_bytes(page.replace(b"</body>", b"<script>\n" + script + b"</script></body>"))
    dom = draw(chromium, path)
    root = next((a for t, a in dom.elements if t == "html"), {})
    if "data-exercised" not in root:
        return [f"using the page failed: {''.join(dom.errors)}"]
    seen = json.loads(root["data-exercised"])
    findings, artifacts = report["findings"], report["artifacts"]
    line = report["findings"][0]["evidence"][0]["shows"]  # root::0:0:root:/:/bin/sh, the first of etc/passwd
    halves = [line[:16], line[16:]]
    marked = [part for half in halves for part in (half.encode().hex(" "), half)]
    count = report["coverage"]["bytes"]
    checks = {
        "errors: " + "".join(dom.errors): not "".join(dom.errors).strip(),
        "the filters of the findings": seen["filtered"] and seen["none"] and seen["rule"] and seen["shown"],
        "every finding opens": seen["bodies"] == len(findings),
        "the commands": seen["commands"][:1] == [findings[0]["evidence"][0]["command"]],
        f"the marked bytes {seen['marked']}": seen["marked"] == marked,
        f"{seen['rows']} rows of {len(artifacts)} artifacts": seen["rows"] == len(artifacts),
        "the tree's keys": seen["walked"] is not None and seen["details"] and seen["folded"] == 1,
        "the tree's filter": seen["matches"] == sum("passwd" in a["path"] + a.get("target", "") for a in artifacts),
        "the way to an artifact": seen["revealed"],
        "the hover of the map": "bytes" in seen["hover"] and "0x" in seen["strip"],
        "sorting": seen["sorted"] == sorted(seen["sorted"]) and seen["reversed"] == seen["sorted"][::-1]
                   and len(set(seen["sorted"])) > 1,
        "filtering a table": seen["table"] == 1,
        f"the code {seen['functions'], seen['gates'], seen['blocks'], seen['hot'], len(seen['listings'])}":
            seen["functions"] == 3 and seen["gates"] == 1 and any("jal" in listing for listing in seen["listings"]),
        f"the strip {seen['sums']}": seen["sums"] == {k: v for k, v in count.items() if v and k != "total"},
    }
    return [f"in use: {what}" for what, holds in checks.items() if not holds]


def draws_without_findings(assay, chromium, folder):
    """An image that nothing is known of, and a directory: less to draw, and no error."""
    unknown = small_image.inspect(assay, folder + "/unknown", "noise.bin", bytes(range(1, 200)) * 3)
    tree = pathlib.Path(folder) / "tree"
    (tree / "root/etc").mkdir(parents=True)
    (tree / "root/etc/hostname").write_text("box\n")
    directory = tree / "report.html"
    subprocess.run([assay, "inspect", "root", "--no-store", "--html", str(directory)], cwd=tree,
                   capture_output=True, timeout=300)
    bad = []
    for what, path in {"unknown bytes": unknown["html"], "a directory": directory}.items():
        dom = draw(chromium, path)
        if next(a for t, a in dom.elements if t == "html").get("data-ready") != "yes" or "".join(dom.errors).strip():
            bad.append(f"the page of {what}: {''.join(dom.errors)}")
    return bad


def main():
    assay, chromium = sys.argv[1], shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        print("skipped: no chromium (Debian package chromium)")
        return SKIPPED
    bad = []
    with tempfile.TemporaryDirectory() as folder:
        out = small_image.inspect(assay, folder + "/one", "small.cpio", small_image.image())
        report, page = json.loads(out["json"].read_bytes()), out["html"].read_bytes()
        again = small_image.inspect(assay, folder + "/two", "small.cpio", small_image.image(), "--workers", "3")
        if again["html"].read_bytes() != page:
            bad.append("the same examination gave another page")
        if re.search(rb"seccomp|landlock", page, re.I):
            bad.append("the page tells about the sandbox of this machine")
        dom = draw(chromium, out["html"])
        bad += complaints(dom, report)
        bad += exercise(chromium, page, report, folder)
        bad += draws_without_findings(assay, chromium, folder)
        text = "".join(dom.words)
        for shown in ("\u27e8U+202E\u27e9gnp.exe", "zero\u27e8U+200B\u27e9width",
                      "not\\xff\\xfeutf8", small_image.ATTACK):
            if shown not in text:
                bad.append(f"{shown} is not in the text of the page")
        broken = out["html"].with_name("broken.html")
        as_text = b"document.createTextNode(plain(child))"
        as_markup = b"document.createRange().createContextualFragment(child)"
        for what, wrong in {
                "a script that fails": page.replace(b"const data = ", b"const data = missing() || "),
                "data that is not made inert": re.sub(rb"\\u003c(?!!)", b"<", page).replace(b"\\u003e", b">"),
                "an element from a name": page.replace(as_text, as_markup)}.items():
            broken.write_bytes(wrong)
            if wrong == page or not complaints(draw(chromium, broken), report):
                bad.append(f"{what} went unnoticed")
    for what in bad:
        print("page:", what)
    return 1 if bad else 0


sys.exit(main())
