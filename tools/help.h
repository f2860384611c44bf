#ifndef FOVEA_TOOLS_HELP_H_
#define FOVEA_TOOLS_HELP_H_

#include <CLI/CLI.hpp>
#include <string>

namespace fovea::tools {

/// How --help looks: 80 columns; an option with the words or the kind of value that it takes, then what it
/// means and its default. What excludes what is left to the messages.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter();
  std::string make_option(const CLI::Option* option, bool positional) const override;
  std::string make_option_opts(const CLI::Option* option) const override;
  std::string make_option_desc(const CLI::Option* option) const override;
  std::string make_help(const CLI::App* command, std::string name, CLI::AppFormatMode mode) const override;
  std::string make_subcommand(const CLI::App* command) const override;
};

}  // namespace fovea::tools

#endif  // FOVEA_TOOLS_HELP_H_
