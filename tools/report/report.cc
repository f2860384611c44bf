#include "tools/report/report.h"

#include <algorithm>
#include <cstdint>
#include <stdexcept>

#include "tools/figures/file.h"

namespace fovea::tools {
namespace {

constexpr std::string_view style = R"(
:root { color-scheme: light dark; --ink: #20242a; --muted: #646b75; --rule: #dfe2e6; --page: #ffffff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e7eb; --muted: #9aa2ad; --rule: #363c45; --page: #171a1f; } }
body { margin: 0 auto; padding: 2.5rem 1.25rem; max-width: 60rem; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.75rem; line-height: 1.25; }
h2 { margin: 2.5rem 0 .75rem; padding-bottom: .3rem; border-bottom: 1px solid var(--rule); font-size: 1.2rem; }
table { border-collapse: collapse; font-size: .95rem; }
th, td { padding: .3rem 0; border-bottom: 1px solid var(--rule); text-align: left; vertical-align: top; }
th { padding-right: 2rem; color: var(--muted); font-weight: normal; }
td { font-variant-numeric: tabular-nums; overflow-wrap: anywhere; white-space: pre-line; }
figure { margin: 1.5rem 0 2rem; }
img { max-width: 100%; height: auto; border-radius: 6px; background: #fff; }
figcaption { margin-top: .4rem; color: var(--muted); font-size: .9rem; }
)";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string_view media_type(std::string_view bytes) {
  if (bytes.starts_with("\x89PNG\r\n\x1a\n")) return "image/png";
  if (bytes.starts_with("GIF8")) return "image/gif";
  if (bytes.starts_with("<?xml") || bytes.starts_with("<svg")) return "image/svg+xml";
  return {};
}

}  // namespace

Report::Report(std::string title) : title_(std::move(title)) { body_ = "<h1>" + escaped(title_) + "</h1>\n"; }

void Report::section(std::string_view heading) { body_ += "<h2>" + escaped(heading) + "</h2>\n"; }

void Report::table(const std::vector<std::pair<std::string, std::string>>& rows) {
  body_ += "<table>\n";
  for (const auto& [name, value] : rows) {
    body_ += "<tr><th scope=\"row\">" + escaped(name) + "</th><td>" + escaped(value) + "</td></tr>\n";
  }
  body_ += "</table>\n";
}

void Report::figure(std::string_view bytes, std::string_view caption) {
  const std::string_view type = media_type(bytes);
  if (type.empty()) {
    throw std::invalid_argument("report figure \"" + std::string(caption) +
                                "\" is not a PNG, GIF or SVG file");
  }
  const std::string text = escaped(caption);
  body_ += "<figure><img alt=\"" + text + "\" src=\"data:" + std::string(type) + ";base64," + base64(bytes) +
           "\"><figcaption>" + text + "</figcaption></figure>\n";
}

void Report::figure_file(const std::filesystem::path& file, std::string_view caption) {
  const std::string bytes = read_file(file);
  if (media_type(bytes).empty()) {
    throw std::runtime_error("cannot show " + file.string() +
                             " in a report: it is not a PNG, GIF or SVG file");
  }
  figure(bytes, caption);
}

std::string Report::html() const {
  return "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
         escaped(title_) + "</title>\n<style>" + std::string(style) + "</style>\n</head>\n<body>\n" + body_ +
         "</body>\n</html>\n";
}

void Report::save(const std::filesystem::path& file) const { write_file(file, html()); }

std::string base64(std::string_view bytes) {
  static constexpr char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (k < n ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) out += k <= n ? alphabet[group >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

}  // namespace fovea::tools
