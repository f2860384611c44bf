#include "tools/options.h"

#include <omp.h>

#include <csignal>

#include "fovea/core/error.h"

namespace fovea::tools {

std::atomic<bool> interrupted{false};

void CommonOptions::add_to(CLI::App& command) {
  command.add_option("--seed", seed, "Seed of all random numbers")
      ->capture_default_str()
      ->check([](const std::string& text) -> std::string {
        const bool digits = text.find_first_not_of("0123456789") == text.npos && text.size() < 20;
        return digits ? "" : "'" + text + "' is not a whole number from 0 to 10^19 - 1";
      });
  command.add_option("--device", device, "auto or cpu")
      ->capture_default_str()
      ->check([](const std::string& d) -> std::string {
        if (d == "auto" || d == "cpu") return "";
        if (d.rfind("cuda", 0) == 0) return "this build of Fovea has no CUDA; use --device cpu";
        return "'" + d + "' is not a device; there are auto and cpu";
      });
  command.add_option("--threads", threads, "Threads; 0 uses every core")
      ->capture_default_str()
      ->check(CLI::Range(0, 1024));
  command
      .add_option("--data-dir", data_dir, "Folder of real data sets; without it a built-in default is used")
      ->envname("FOVEA_DATA")
      ->check([](const std::string& folder) -> std::string {
        std::error_code error;
        if (std::filesystem::is_directory(folder, error)) return "";
        return cat("there is no folder '", folder, "'; make one with: tools/get-data SET --data-dir ",
                   folder);
      });
  command.add_flag("--quiet", quiet, "Show no progress");
}

void CommonOptions::apply() const {
  if (threads > 0) omp_set_num_threads(threads);
}

const char* const TrainOptions::kept = "Settings, which a resumed run keeps";

void TrainOptions::add_to(CLI::App& command) {
  CommonOptions::add_to(command);
  family = command.get_name();
  CLI::Option* named =
      command.add_option("--preset", preset, "A named set of settings")->capture_default_str()->group(kept);
  CLI::Option* folder = command.add_option(
      "--out-dir", out_dir, "Folder for weights, logs and figures (default: a new one in runs/)");
  command.add_option("--resume", resume, "Go on with the run in this folder; only --steps may change")
      ->check(CLI::ExistingDirectory)
      ->excludes(named)
      ->excludes(folder);
  command
      .add_option("--checkpoint-every", checkpoint_every,
                  "Updates between checkpoints (default: a tenth of the run)")
      ->check(CLI::PositiveNumber);
  command.add_flag("--quick", quick, "A run of seconds, to see that everything works");
}

void watch_interrupts() {
  struct sigaction action {};
  action.sa_handler = [](int signal) {
    if (interrupted.exchange(true)) {  // the second time: no patience left
      std::signal(signal, SIG_DFL);
      std::raise(signal);
    }
  };
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

}  // namespace fovea::tools
