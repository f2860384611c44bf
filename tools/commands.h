#ifndef FOVEA_TOOLS_COMMANDS_H_
#define FOVEA_TOOLS_COMMANDS_H_

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

namespace fovea::tools {

/// The tree of `fovea` commands while it is put together. A model family adds a leaf under each verb that it
/// understands: `fovea train ntm`. A leaf's callback does the work and may set `status`.
struct Commands {
  CLI::App& app;
  CLI::App& train;
  CLI::App& eval;
  CLI::App& sample;
  CLI::App& tape;
  int status = 0;

  /// What `fovea list` shows of a family.
  struct Family {
    std::string name, about;
    std::vector<std::pair<std::string, std::string>> tasks;
  };
  std::vector<Family> families = {};
};

/// "copy, recall": for the help of an option.
inline std::string listed(const std::vector<std::string>& names) { return CLI::detail::join(names, ", "); }

/// Gives a command an object that lives as long as it and runs when it is called.
template <class Action>
std::shared_ptr<Action> on_call(CLI::App* command, Commands& commands) {
  auto action = std::make_shared<Action>();
  command->callback([action, &commands] { commands.status = (*action)(); });
  return action;
}

/// The families, one function each.
void add_ntm(Commands& commands);
void add_stn(Commands& commands);
void add_draw(Commands& commands);
void add_gpt(Commands& commands);
void add_seq2seq(Commands& commands);
void add_transformer(Commands& commands);
/// Of both of these: `fovea translate`.
void add_translate(Commands& commands);
void add_bert(Commands& commands);

/// Commands that belong to no model: list, bench, gradcheck, info.
void add_general(Commands& commands);

}  // namespace fovea::tools

#endif  // FOVEA_TOOLS_COMMANDS_H_
