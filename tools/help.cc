#include "tools/help.h"

#include <algorithm>
#include <sstream>

namespace fovea::tools {
namespace {

constexpr std::size_t width = 80, left = 26;

// Two columns; the right one starts on a line of its own where the left is too long, and is wrapped.
std::string in_columns(const std::string& name, const std::string& about) {
  std::string out = "  " + name;
  std::size_t at = out.size();
  const auto next_line = [&] {
    out += "\n" + std::string(left, ' ');
    at = left;
  };
  if (at + 2 > left)
    next_line();
  else
    out += std::string(left - at, ' '), at = left;
  std::istringstream words(about);
  for (std::string word; words >> word;) {
    if (at > left && at + 1 + word.size() > width) next_line();
    if (at > left) out += ' ', ++at;
    out += word;
    at += word.size();
  }
  return out + "\n";
}

}  // namespace

HelpFormatter::HelpFormatter() { column_width(left); }

std::string HelpFormatter::make_option(const CLI::Option* option, bool positional) const {
  return in_columns(make_option_name(option, positional) + make_option_opts(option),
                    make_option_desc(option));
}

std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  if (option->get_type_size() == 0) return "";  // a flag
  // CLI11 gives "TEXT:{cnn,fcn}", "TEXT:DIR", "INT:POSITIVE".
  std::string kind = option->get_type_name();
  if (const auto set = kind.find('{'); set != kind.npos) {
    kind = kind.substr(set + 1, kind.find('}') - set - 1);
    std::replace(kind.begin(), kind.end(), ',', '|');
    if (kind.size() > width - left) kind = "NAME";  // make_option_desc() has them
  } else if (kind.find(":DIR") != kind.npos) {
    kind = "DIR";
  } else {
    kind = kind.substr(0, kind.find(':'));
  }
  if (kind.empty()) return "";
  if (option->get_expected_min() == 0) kind = "[" + kind + "]";
  return " " + kind + (option->get_expected_max() > 1 ? " ..." : "");
}

std::string HelpFormatter::make_option_desc(const CLI::Option* option) const {
  std::string about = option->get_description();
  const std::string kind = option->get_type_name();
  if (const auto set = kind.find('{'); set != kind.npos && kind.find('}') - set > width - left) {
    std::string words = ":";
    for (const std::string& word : CLI::detail::split(kind.substr(set + 1, kind.find('}') - set - 1), ','))
      words += " " + word;
    about.insert(std::min(about.find(" (default"), about.size()), words);
  }
  if (option->get_required()) about += " (required)";
  if (!option->get_envname().empty()) about += " (or set " + option->get_envname() + ")";
  if (!option->get_default_str().empty()) about += " (default " + option->get_default_str() + ")";
  return about;
}

std::string HelpFormatter::make_help(const CLI::App* command, std::string name,
                                     CLI::AppFormatMode mode) const {
  return CLI::detail::find_and_replace(CLI::Formatter::make_help(command, name, mode), "\n\n\n", "\n\n");
}

std::string HelpFormatter::make_subcommand(const CLI::App* command) const {
  return in_columns(command->get_name(), command->get_description());
}

}  // namespace fovea::tools
