#ifndef FOVEA_TOOLS_COMMANDS_H_
#define FOVEA_TOOLS_COMMANDS_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tools/command.h"

namespace fovea::tools {

/// The tree of `fovea` commands while it is put together. A model family adds a leaf under each verb that it
/// understands: `fovea train ntm`.
struct Commands {
  Command root, train, eval, sample, tape;

  /// What `fovea list` shows of a family.
  struct Family {
    std::string name, about;
    std::vector<std::pair<std::string, std::string>> tasks;
  };
  std::vector<Family> families = {};

  void add_family(const std::string& name, const std::string& about, const std::vector<std::string>& tasks,
                  const std::function<std::string(const std::string& task)>& about_task) {
    Family& family = families.emplace_back(Family{name, about, {}});
    for (const std::string& task : tasks) family.tasks.emplace_back(task, about_task(task));
  }
};

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
