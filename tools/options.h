#ifndef FOVEA_TOOLS_OPTIONS_H_
#define FOVEA_TOOLS_OPTIONS_H_

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "fovea/core/device.h"
#include "tools/command.h"

namespace fovea::tools {

/// The long options that every command understands in the same way.
struct CommonOptions {
  std::uint64_t seed = 1;
  std::string device = "auto";
  int threads = 0;  ///< 0: all
  std::filesystem::path data_dir = {};
  bool quiet = false;
  bool tf32 = false;

  /// Adds them to a command.
  void add_to(Command command);
  /// Makes them take effect.
  void apply() const;
  /// What --device names.
  Device chosen_device() const { return device_named(device); }
};

/// A device, and how it multiplies where that is not plainly: "cuda:0, tf32".
std::string arithmetic_of(const Device& device);

/// What `fovea train` adds.
struct TrainOptions : CommonOptions {
  std::string family = {};  ///< the command's name: "ntm"
  std::string preset = "default";
  std::filesystem::path out_dir = {};  ///< empty: runs/<name>, with a number when taken
  std::filesystem::path resume = {};   ///< a run's folder to go on with
  std::int64_t checkpoint_every = 0;   ///< updates; 0: a tenth of the run
  bool quick = false;                  ///< a short run, to see that all works

  /// The heading in --help of what --resume excludes.
  static const char* const kept;

  /// `about_presets` says what the presets are; `preset` is the default.
  void add_to(Command command, const std::vector<std::string>& presets, const std::string& about_presets);
};

/// Set by Ctrl-C (and SIGTERM) once `watch_interrupts` was called: finish the step, save, end with status
/// 130. A second Ctrl-C ends at once.
extern std::atomic<bool> interrupted;
void watch_interrupts();
/// From here on the first one ends at once.
void stop_watching_interrupts();

/// The exit status of a run that Ctrl-C ended.
inline constexpr int interrupted_status = 130;

}  // namespace fovea::tools

#endif  // FOVEA_TOOLS_OPTIONS_H_
