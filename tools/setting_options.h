#ifndef FOVEA_TOOLS_SETTING_OPTIONS_H_
#define FOVEA_TOOLS_SETTING_OPTIONS_H_

#include <map>
#include <string>
#include <vector>

#include "fovea/models/training/settings.h"
#include "tools/command.h"

namespace fovea::tools {

/// What settings are when nothing is given, as --help shows it: by name.
using Defaults = std::map<std::string, std::string>;

/// One text for the values that a setting has in several tasks: "0.001", or "0.001; recall 0.0006, sort
/// 0.002" where some differ from the most common one.
std::string default_text(const std::vector<std::pair<std::string, std::string>>& by_task);

/// A setting's value: "0.001".
std::string text_of(const Setting& setting);

/// The settings but for those of these names: what people choose where the rest comes with the data.
std::vector<Setting> without(std::vector<Setting> settings, const std::vector<std::string>& names);
/// The settings, of which the one of this name takes only these words.
std::vector<Setting> with_words(std::vector<Setting> settings, const std::string& name,
                                const std::vector<std::string>& words);

/// The defaults of a family, where `settings_for(task)` gives the settings of a task.
template <class F>
Defaults defaults_of(const std::vector<std::string>& tasks, F&& settings_for) {
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> by_name;
  for (const std::string& task : tasks) {
    auto settings = settings_for(task);
    for (const Setting& s : settings.list()) by_name[s.name].emplace_back(task, text_of(s));
  }
  Defaults out;
  for (const auto& [name, by_task] : by_name) out[name] = default_text(by_task);
  return out;
}

/// The settings of a run as command-line options: memory_rows becomes --memory-rows. What was given stands
/// over what the preset says.
class SettingOptions {
 public:
  /// Adds an option for every setting whose name is not an option of the command yet. A run that goes on
  /// keeps its settings: --resume excludes all but --steps, which excludes --epochs where the command has it.
  /// Nothing is set; the values may be temporary.
  void add_to(Command command, const std::vector<Setting>& settings, const Defaults& defaults = {});
  /// Whether the command line gave it.
  bool given(const std::string& name) const { return given_.count(name) > 0; }
  /// Sets what was given.
  void apply_to(const std::vector<Setting>& settings) const;

 private:
  std::map<std::string, std::string> given_;
};

}  // namespace fovea::tools

#endif  // FOVEA_TOOLS_SETTING_OPTIONS_H_
