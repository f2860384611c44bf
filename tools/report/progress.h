#ifndef FOVEA_TOOLS_REPORT_PROGRESS_H_
#define FOVEA_TOOLS_REPORT_PROGRESS_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fovea::tools {

/// How progress is shown.
struct ProgressOptions {
  bool quiet = false;       ///< show nothing
  std::uint64_t start = 0;  ///< what was done before, after a resume: it does not count for the rate
  int descriptor = 2;       ///< where to write: stderr
  /// A bar that is redrawn, or plain lines. By default a bar on a terminal, unless TERM is "dumb" or CI is
  /// set.
  std::optional<bool> bar = {};
  /// Colour in the bar. By default yes, unless NO_COLOR is set.
  std::optional<bool> color = {};
  std::chrono::milliseconds bar_interval{100};    ///< the shortest time between two bars
  std::chrono::milliseconds line_interval{5000};  ///< the shortest time between two plain lines
};

/// Progress of a long task on stderr: `train  42% ━━━━━───── 4,200/10,000  315/s  ETA 18s  loss 0.31` on a
/// terminal, now and then a plain line elsewhere. Never throws for what happens to stderr: where it is
/// closed, nothing is shown. One thread at a time. update() is cheap enough to be called every step.
class Progress {
 public:
  /// Starts the clock. `total` 0 means unknown: no percentage and no ETA.
  Progress(std::string_view label, std::uint64_t total, const ProgressOptions& options = {});
  /// Finishes, if that was not done.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `done` of the total are done; `metric` is shown behind: "loss 0.31".
  void update(std::uint64_t done, std::string_view metric = {});
  /// Names what happens now besides steps: "drawing figures". The next update() takes it away.
  void stage(std::string_view text);
  /// Writes the last state as a line that stays; every later call does nothing.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;

  void measure(Clock::time_point now);
  std::string line(std::size_t columns) const;
  void draw();
  void print_line(Clock::time_point now);
  void put(const std::string& text);

  ProgressOptions options_;
  std::string label_, metric_, stage_;
  std::uint64_t total_, done_, measured_done_;
  Clock::time_point started_, shown_, staged_, measured_;
  double rate_ = 0;  // steps a second, averaged over about ten seconds
  bool bar_ = false, color_ = false, unicode_ = false, silent_ = false, line_open_ = false;
};

/// Text for a number of seconds: "8s", "3m05s", "2h07m", "4d03h".
std::string duration_text(double seconds);

}  // namespace fovea::tools

#endif
