#ifndef FOVEA_TOOLS_TRAINING_RUN_H_
#define FOVEA_TOOLS_TRAINING_RUN_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fovea/models/training/learner.h"
#include "tools/run_folder.h"

namespace fovea::tools {

/// What a family says of its training: names, numbers and pictures. Everything else about a run is
/// train()'s.
class Course {
 public:
  virtual ~Course() = default;

  std::string folder;                ///< of the run, when none is given: "ntm-copy-seed1"
  std::string label;                 ///< beside the progress bar: "ntm copy"
  std::string title;                 ///< of the report
  std::string unit;                  ///< what the cost is called: "bits"
  std::vector<std::string> columns;  ///< of metrics.csv, after step and before seconds
  Index frames = 40;                 ///< calls of frame() in a run
  Index evaluations = 20;            ///< calls of measure() with `evaluate`

  virtual Learner& learner() = 0;
  virtual Index steps() const = 0;

  /// The columns now; `cost` is the mean since the last call. Those that cost time only with `evaluate`.
  virtual std::vector<std::optional<double>> measure(double cost, bool evaluate) = 0;
  /// Keeps what an animation of the learning is made of; checkpoints keep it too.
  virtual std::optional<NamedTensor> frame() { return {}; }
  /// Facts for summary.json besides steps, seconds and so on: model, task, seed.
  virtual Facts facts() const = 0;
  /// The results, when all is done.
  virtual Facts metrics() = 0;
  /// Writes the trained model, model.safetensors and what else it takes to use it, into the run's folder.
  virtual void save(const std::filesystem::path& folder) {
    learner().save_weights(folder / "model.safetensors");
  }
  /// Draws what shows already how far it is, after every checkpoint.
  virtual void sketch(RunFolder&) {}
  /// Draws the figures.
  virtual void draw(RunFolder& folder, const Facts& metrics, const std::vector<NamedTensor>& frames) = 0;
};

/// A course of one learner: L is a family's, made of its settings and `rest`, or taken up where `resumed`
/// left off.
template <class L>
class CourseOf : public Course {
 public:
  template <class Settings, class... Rest>
  CourseOf(const Settings& settings, const std::optional<Checkpoint>& resumed, Rest&&... rest)
      : learner_(settings, std::forward<Rest>(rest)...) {
    if (resumed) learner_.restore(*resumed);
  }

  L& learner() override { return learner_; }
  Index steps() const override { return learner_.settings().steps; }

 protected:
  L learner_;
};

/// Runs a course from start, or from the checkpoint that was read from `options.resume`, to the report:
/// progress, logs, checkpoints, Ctrl-C. Returns the exit status.
int train(const TrainOptions& options, Course& course, const std::optional<Checkpoint>& resumed);

/// The learner that a checkpoint holds, on a device; L is a family's, made of its settings() and `rest`.
template <class L, class... Rest>
std::unique_ptr<L> restored(const Checkpoint& checkpoint, const Device& device, Rest&&... rest) {
  using Settings = std::decay_t<decltype(std::declval<L&>().settings())>;
  Settings settings = Settings::from_json(checkpoint.meta);
  settings.device = device;
  auto learner = std::make_unique<L>(settings, std::forward<Rest>(rest)...);
  learner->restore(checkpoint);
  return learner;
}

/// A run's checkpoint: `path` is its folder, or the checkpoint folder in it.
Checkpoint read_checkpoint(const std::filesystem::path& path);
/// Whether there is one.
bool holds_run(const std::filesystem::path& path);
/// The checkpoint of the run to go on with, when there is one.
std::optional<Checkpoint> resumed_checkpoint(const TrainOptions& options);
/// Adds the option that names a trained model.
Option add_checkpoint_option(Command command, std::filesystem::path& path);

}  // namespace fovea::tools

#endif  // FOVEA_TOOLS_TRAINING_RUN_H_
