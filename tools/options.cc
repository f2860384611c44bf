#include "tools/options.h"

#include <omp.h>
#include <unistd.h>

#include <csignal>

#include "fovea/core/error.h"
#include "fovea/ops/blas.h"

namespace fovea::tools {

std::atomic<bool> interrupted{false};

void CommonOptions::add_to(Command command) {
  command.option("--seed", seed, "Seed of all random numbers")
      .with_default()
      .check([](const std::string& text) -> std::string {
        const bool digits = text.find_first_not_of("0123456789") == text.npos && text.size() < 20;
        return digits ? "" : "'" + text + "' is not a whole number from 0 to 10^19 - 1";
      });
  command.option("--device", device, "cpu, cuda, cuda:1 (the second GPU), or auto: a GPU if there is one")
      .environment("FOVEA_DEVICE")
      .with_default()
      .check([](const std::string& d) -> std::string {
#ifndef FOVEA_CUDA
        if (d.rfind("cuda", 0) == 0) return "this build of Fovea has no CUDA; use --device cpu";
#endif
        try {
          device_named(d);
          return "";
        } catch (const Error& e) {
          const std::string message = e.what();
          return message.substr(message.find(' ') + 1);  // without "[device]"
        }
      });
  command.flag("--tf32", tf32,
               "On a GPU, let products and convolutions round factors of f32 to 10 bits, for tensor cores: "
               "faster");
  command.option("--threads", threads, "Threads; 0 uses every core").with_default().between(0, 1024);
  command.option("--data-dir", data_dir, "Folder of real data sets; without it a built-in default is used")
      .environment("FOVEA_DATA")
      .check([](const std::string& folder) -> std::string {
        std::error_code error;
        if (std::filesystem::is_directory(folder, error)) return "";
        return cat("there is no folder '", folder, "'; make one with: tools/get-data SET --data-dir ",
                   folder);
      });
  command.flag("--quiet", quiet, "Show no progress");
}

void CommonOptions::apply() const {
  if (threads > 0) omp_set_num_threads(threads);
  allow_tf32(tf32);
}

std::string arithmetic_of(const Device& device) { return cat(device, tf32_allowed() ? ", tf32" : ""); }

const char* const TrainOptions::kept = "Settings, which a resumed run keeps";

void TrainOptions::add_to(Command command, const std::vector<std::string>& presets,
                          const std::string& about_presets) {
  CommonOptions::add_to(command);
  family = command.name();
  Option named = command.option("--preset", preset, about_presets).with_default().one_of(presets).group(kept);
  Option folder = command.option("--out-dir", out_dir,
                                 "Folder for weights, logs and figures (default: a new one in runs/)");
  command.option("--resume", resume, "Go on with the run in this folder; only --steps may change")
      .folder()
      .excludes(named)
      .excludes(folder);
  command
      .option("--checkpoint-every", checkpoint_every,
              "Updates between checkpoints (default: a tenth of the run)")
      .positive();
  command.flag("--quick", quick, "A run of seconds, to see that everything works");
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

void stop_watching_interrupts() {
  for (const int signal : {SIGINT, SIGTERM})
    std::signal(signal, [](int received) {
      constexpr char said[] = "\nstopped; all updates are saved, and --resume makes scores and figures\n";
      [[maybe_unused]] const auto written = write(STDERR_FILENO, said, sizeof said - 1);
      std::signal(received, SIG_DFL);
      std::raise(received);
    });
}

}  // namespace fovea::tools
