#ifndef FOVEA_TOOLS_SETTING_OPTIONS_H_
#define FOVEA_TOOLS_SETTING_OPTIONS_H_

#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <vector>

#include "fovea/models/training/settings.h"

namespace fovea::tools {

/// The settings of a run as command-line options: memory_rows becomes --memory-rows. What was given stands
/// over what the preset says.
class SettingOptions {
 public:
  /// Adds an option for every setting whose name is not an option of the command yet. A run that goes on
  /// keeps its settings: --resume excludes all but --steps. Nothing is set; the values may be temporary.
  void add_to(CLI::App& command, const std::vector<Setting>& settings);
  /// Whether the command line gave it.
  bool given(const std::string& name) const { return given_.count(name) > 0; }
  /// Sets what was given.
  void apply_to(const std::vector<Setting>& settings) const;

 private:
  std::map<std::string, std::string> given_;
};

}  // namespace fovea::tools

#endif  // FOVEA_TOOLS_SETTING_OPTIONS_H_
