// What a stored file is, by its own bytes: fixed signatures first, then, for text, its first lines.
//
// Types: elf, lua-bytecode, png, gif, jpeg, bmp, ico, webp, svg, flash, font, pdf, gzip, bzip2, xz, zstd, zip, tar,
// rar, 7z, lzma, cpio, ar, java-class, dex, wasm, sqlite, pcap, device-tree, uimage, der (a certificate or key), pem,
// openssh-key, mp3, wav, riff, and of text: script (with its interpreter), html, xml, svg, json, css, javascript, php,
// lua, perl, c, device-tree-source, text; empty (no byte), data (none of these).
//
// Misses: text in UTF-16 (data), kinds told only by their name, languages mixed with others (the first sign wins), and
// anything that shows itself only behind the first 4 KiB. Text without a sign of a language is text, not a guess.
#include "core/text.h"
#include "system/file.h"

#include <algorithm>

namespace assay::system::file_types {
namespace {

using namespace std::string_view_literals;

struct Signature {
  uint64_t offset;
  std::string_view bytes, type;
};
constexpr Signature kSignatures[] = {
    {0,
     "\x7f"
     "ELF",
     "elf"},
    {0, "\x1bLua", "lua-bytecode"},
    {0, "\x1bLJ", "lua-bytecode"},
    {0, "\x89PNG\r\n\x1a\n", "png"},
    {0, "GIF87a", "gif"},
    {0, "GIF89a", "gif"},
    {0, "\xff\xd8\xff", "jpeg"},
    {0, "\0\0\1\0"sv, "ico"},
    {0, "%PDF-", "pdf"},
    {0, "FWS", "flash"},
    {0, "CWS", "flash"},
    {0, "wOFF", "font"},
    {0, "wOF2", "font"},
    {0, "OTTO", "font"},
    {0, "\0\1\0\0\0"sv, "font"},
    {0, "\x1f\x8b\x08", "gzip"},
    {0, "BZh", "bzip2"},
    {0,
     "\xfd"
     "7zXZ\0"sv,
     "xz"},
    {0, "\x28\xb5\x2f\xfd", "zstd"},
    {0, "PK\3\4", "zip"},
    {0, "Rar!\x1a\7", "rar"},
    {0, "7z\xbc\xaf\x27\x1c", "7z"},
    {0, "]\0\0\x80\0"sv, "lzma"},
    {0, "070701", "cpio"},
    {0, "070702", "cpio"},
    {0, "!<arch>\n", "ar"},
    {0, "\xca\xfe\xba\xbe", "java-class"},
    {0, "dex\n", "dex"},
    {0, "\0asm"sv, "wasm"},
    {0, "SQLite format 3\0"sv, "sqlite"},
    {0, "\xd4\xc3\xb2\xa1", "pcap"},
    {0, "\xa1\xb2\xc3\xd4", "pcap"},
    {0, "\xd0\x0d\xfe\xed", "device-tree"},
    {0, "\x27\x05\x19\x56", "uimage"},
    {0, "ID3", "mp3"},
    {257, "ustar", "tar"},
};

struct Sign {  // of a kind of text, in lower case, anywhere in its first bytes
  std::string_view text, type;
};
constexpr Sign kOpenings[] = {
    // at the first byte that is not white space
    {"<?xml", "xml"},
    {"<?php", "php"},
    {"<!doctype html", "html"},
    {"<html", "html"},
    {"<head", "html"},
    {"<body", "html"},
    {"<script", "html"},
    {"<svg", "svg"},
    {"<!doctype", "xml"},
    {"<meta", "html"},
    {"<link", "html"},
    {"<style", "html"},
    {"<table", "html"},
    {"<div", "html"},
    {"<form", "html"},
    {"<title", "html"},
    {"@charset", "css"},
    {"@import", "css"},
    {"#include", "c"},
    {"/dts-v1/", "device-tree-source"},
    {"-----begin openssh private key", "openssh-key"},
    {"-----begin ", "pem"},
};
constexpr Sign kInside[] = {
    // the first that occurs decides, in this order
    {"<!doctype html", "html"},
    {"<html", "html"},
    {"<body", "html"},
    {"<?php", "php"},
    {"document.write", "javascript"},
    {"document.getelement", "javascript"},
    {"window.", "javascript"},
    {"function(", "javascript"},
    {"function (", "javascript"},
    {"=== ", "javascript"},
    {"module(\"luci", "lua"},
    {"local function ", "lua"},
    {"<script", "html"},
    {"<table", "html"},
    {"<div", "html"},
};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  return out;
}

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// "#!/usr/bin/env -S perl -w" -> "perl"; "#!/bin/sh -e" -> "/bin/sh".
std::string interpreter_of(std::string_view text) {
  const std::string_view line = text.substr(2, text.find_first_of("\r\n", 2) - 2);
  const std::vector<std::string_view> parts = words(line);
  if (parts.empty()) return {};
  if (base_name(parts[0]) != "env") return std::string(parts[0]);
  for (size_t i = 1; i < parts.size(); ++i)
    if (parts[i][0] != '-' && parts[i].find('=') == parts[i].npos) return std::string(parts[i]);
  return std::string(parts[0]);
}

// DER of a certificate or key: one SEQUENCE that is exactly as long as the file and starts with SEQUENCE or INTEGER.
bool is_der(Bytes b) {
  if (b.size() < 16 || b[0] != 0x30) return false;
  if (b[1] == 0x82) return 4u + (b[2] << 8 | b[3]) == b.size() && (b[4] == 0x30 || b[4] == 0x02);
  if (b[1] == 0x81) return 3u + b[2] == b.size() && (b[3] == 0x30 || b[3] == 0x02);
  return b[1] < 0x80 && 2u + b[1] == b.size() && (b[2] == 0x30 || b[2] == 0x02);
}

bool looks_like_json(std::string_view text) {
  if (text.size() < 2 || (text[0] != '{' && text[0] != '[')) return false;
  const size_t next = text.find_first_not_of(" \t\r\n", 1);
  if (next == text.npos) return false;
  if (text[0] == '[') return text[next] == '{' || text[next] == '"' || text[next] == '[' || text[next] == ']';
  if (text[next] == '}') return true;
  const size_t close = text[next] == '"' ? text.find('"', next + 1) : text.npos;
  if (close == text.npos) return false;
  const size_t colon = text.find_first_not_of(" \t\r\n", close + 1);
  return colon != text.npos && text[colon] == ':';
}

// Rules "selector { property: value; }": the first brace is followed by a property, and no parenthesis comes before.
bool looks_like_css(std::string_view text) {
  const size_t brace = text.find('{');
  if (brace == text.npos || brace == 0 || text.substr(0, brace).find_first_of("()=;") != text.npos) return false;
  const size_t property = text.find_first_not_of(" \t\r\n", brace + 1);
  if (property == text.npos) return false;
  const size_t end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-*", property);
  return end != text.npos && end > property && text.substr(end, 3).find(':') != text.npos;
}

std::string_view skip_comments(std::string_view text) {  // of C, which CSS and JavaScript share
  for (;;) {
    text = trim(text);
    if (text.starts_with("/*")) {
      const size_t end = text.find("*/");
      if (end == text.npos) return {};
      text.remove_prefix(end + 2);
    } else if (text.starts_with("//")) {
      const size_t end = text.find('\n');
      if (end == text.npos) return {};
      text.remove_prefix(end + 1);
    } else {
      return text;
    }
  }
}

std::string_view text_type(std::string_view raw) {
  if (raw.starts_with("\xef\xbb\xbf")) raw.remove_prefix(3);
  const std::string small = lower(trim(raw));
  for (const Sign& sign : kOpenings)
    if (small.starts_with(sign.text)) return sign.type;
  if (looks_like_json(trim(raw))) return "json";
  for (const std::string_view sign : {"<!doctype html", "<html", "<?php"})
    if (const size_t at = small.find(sign); at != small.npos) return sign == "<?php" ? "php" : "html";
  const std::string code = lower(skip_comments(raw));
  if (looks_like_css(code)) return "css";
  for (const std::string_view start : {"var ", "function ", "function(", "(function", "!function", "$(",
                                       "\"use strict\"", "'use strict'", "let ", "const "})
    if (code.starts_with(start)) return "javascript";
  if (code.starts_with("module(\"") || code.starts_with("local ") || code.starts_with("--[[")) return "lua";
  if (code.starts_with("package ") && code.find("use strict") != code.npos) return "perl";
  for (const Sign& sign : kInside)
    if (code.find(sign.text) != code.npos) return sign.type;
  return "text";
}

std::string_view riff_type(Bytes b) {
  if (b.starts_with("WAVE", 8)) return "wav";
  return b.starts_with("WEBP", 8) ? "webp" : "riff";
}

std::string_view binary_type(Bytes b) {
  for (const Signature& s : kSignatures)
    if (b.starts_with(s.bytes, s.offset)) return s.type;
  if (b.starts_with("RIFF")) return riff_type(b);
  // "BM" is a word too: the file size behind it must agree.
  if (b.starts_with("BM") && b.le<uint32_t>(2, "size").value_or(0) == b.size()) return "bmp";
  return is_der(b) ? "der" : "";
}

void run(Bytes content, const Marks&, Facts& out) {
  FileType fact;
  const std::string_view head = content.head(4096).text();
  if (content.empty()) {
    fact.type = "empty";
  } else if (const std::string_view type = binary_type(content); !type.empty()) {
    fact.type = type;
  } else if (!looks_like_text(head)) {
    fact.type = "data";
  } else if (head.starts_with("#!")) {
    fact.type = "script";
    fact.interpreter = interpreter_of(head);
  } else {
    fact.type = text_type(head);
  }
  fact.at.shows = fact.interpreter.empty() ? fact.type : fact.type + " for " + fact.interpreter;
  out.file_types.push_back(std::move(fact));
}

}  // namespace

extern const FileAnalysis kFileTypes;
const FileAnalysis kFileTypes = {"file_types", 1, run};

}  // namespace assay::system::file_types
