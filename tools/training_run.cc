#include "tools/training_run.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <iostream>

#include "fovea/core/memory.h"
#include "fovea/models/training/loop.h"
#include "fovea/models/training/metrics.h"
#include "fovea/ops/create.h"
#include "tools/report/progress.h"

namespace fovea::tools {
namespace {

namespace fs = std::filesystem;

std::string number(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", x);
  return text;
}

std::size_t peak_bytes(const Device& device) {
  return std::visit([](auto d) { return memory_stats(d).peak; }, device);
}

class TrainingRun {
 public:
  TrainingRun(const TrainOptions& options, Course& course, const std::optional<Checkpoint>& resumed)
      : options_(options), course_(course), folder_(open(resumed)) {
    if (!resumed) return;
    for (const NamedTensor& t : resumed->extra)
      if (t.name == "seconds")
        seconds_before_ = t.tensor.item<double>();
      else if (t.name.starts_with(frame_prefix))
        frames_.push_back({t.name.substr(std::strlen(frame_prefix)), clone(t.tensor)});
    // The file has them in the order of the alphabet, where 10 comes before 9.
    std::ranges::sort(frames_, {}, [](const NamedTensor& f) { return std::pair(f.name.size(), f.name); });
  }

  int run() {
    watch_interrupts();
    Learner& learner = course_.learner();
    const Index steps = course_.steps();
    require(learner.steps() <= steps, "train", "the run has made ", learner.steps(), " updates, more than ",
            steps, "; give more --steps to go on");
    Progress progress(course_.label, static_cast<std::uint64_t>(steps),
                      {.quiet = options_.quiet, .start = static_cast<std::uint64_t>(learner.steps())});
    const auto every = [&](Index times) { return std::max<Index>(1, steps / times); };
    constexpr Index logs = 200;
    Loop loop;
    loop.steps = steps;
    loop.log_every = every(logs);
    loop.checkpoint_every = options_.checkpoint_every > 0 ? options_.checkpoint_every : every(10);
    loop.stop = &interrupted;
    loop.step = [&] { return learner.step(); };
    DecayingMean shown;
    loop.after = [&](Index step, double cost) {
      shown.add(cost);
      progress.update(static_cast<std::uint64_t>(step), cat(course_.unit, " ", number(shown.value())));
      if (step % every(course_.frames) == 0)
        if (auto frame = course_.frame()) frames_.push_back(std::move(*frame));
    };
    loop.log = [&](Index step, double cost) {
      auto row = course_.measure(cost, step % every(course_.evaluations) < loop.log_every);
      row.push_back(seconds());
      folder_.log(step, row);
    };
    loop.save = [&](Index step) {
      save();
      if (step < steps && figures_available()) course_.sketch(folder_);
    };
    if (learner.steps() == steps)
      std::cerr << "all " << steps << " updates have been made; this makes the report anew\n";
    const Index done = loop.run(learner.steps());
    if (done < steps) {
      progress.finish();
      std::cerr << "stopped after " << done << " of " << steps << " updates; go on with\n  fovea train "
                << options_.family << " --resume " << folder_.path().string()
                << (options_.data_dir.empty() ? "" : cat(" --data-dir ", options_.data_dir.string())) << '\n';
      return interrupted_status;
    }
    finish(progress);
    return 0;
  }

 private:
  static constexpr const char* frame_prefix = "frame ";

  RunFolder open(const std::optional<Checkpoint>& resumed) const {
    std::vector<std::string> columns = course_.columns;
    columns.push_back("seconds");
    return RunFolder(RunFolder::choose(options_, course_.folder), columns,
                     resumed ? std::optional(resumed->step) : std::nullopt);
  }

  double seconds() const {
    return seconds_before_ +
           std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
  }

  void save() {
    Checkpoint c = course_.learner().checkpoint();
    for (const NamedTensor& f : frames_) c.extra.push_back({frame_prefix + f.name, f.tensor});
    c.extra.push_back({"seconds", full({1}, seconds(), DType::f64)});
    save_checkpoint(folder_.checkpoint(), c);
  }

  void finish(Progress& progress) {
    stop_watching_interrupts();  // all is saved, and --resume makes the report
    const double trained = seconds();
    progress.stage("scoring");
    course_.save(folder_.path());
    Facts run = course_.facts();
    run.update({{"steps", course_.learner().steps()},
                {"seconds", std::round(trained * 10) / 10},
                {"device", arithmetic_of(course_.learner().device())},
                {"parameters", course_.learner().parameters()},
                {"peak_bytes", peak_bytes(course_.learner().device())}});
    const Facts metrics = course_.metrics();
    folder_.summary(run, metrics);
    if (figures_available()) {
      progress.stage("drawing figures");
      course_.draw(folder_, metrics, frames_);
    }
    progress.finish();
    folder_.report(course_.title, run, metrics, Facts::from_json(course_.learner().settings_json()));
    std::cout << to_json(run, "metrics", metrics) << '\n';
    std::cerr << "figures, weights and report: " << folder_.path().string() << "/report.html\n";
  }

  const TrainOptions& options_;
  Course& course_;
  RunFolder folder_;
  std::vector<NamedTensor> frames_;
  double seconds_before_ = 0;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

}  // namespace

int train(const TrainOptions& options, Course& course, const std::optional<Checkpoint>& resumed) {
  return TrainingRun(options, course, resumed).run();
}

Checkpoint read_checkpoint(const fs::path& path) {
  return load_checkpoint(has_checkpoint(path / "checkpoint") ? path / "checkpoint" : path);
}

bool holds_run(const fs::path& path) { return has_checkpoint(path / "checkpoint") || has_checkpoint(path); }

std::optional<Checkpoint> resumed_checkpoint(const TrainOptions& options) {
  if (options.resume.empty()) return {};
  return read_checkpoint(options.resume);
}

Option add_checkpoint_option(Command command, fs::path& path) {
  return command.option("--checkpoint", path, "Folder of a run, or its checkpoint folder")
      .required()
      .folder();
}

}  // namespace fovea::tools
