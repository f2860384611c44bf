#include "tools/commands.h"

#include <algorithm>
#include <iostream>
#include <memory>

#include "tools/figure_options.h"
#include "tools/pictures.h"
#include "tools/setting_options.h"
#include "tools/stn/figures.h"
#include "tools/training_run.h"

namespace fovea::tools {
namespace {

namespace fs = std::filesystem;
using stn::Learner;
using stn::Settings;

// The settings that people choose.
std::vector<Setting> choices(Settings& s) {
  return with_words(s.list(), "data", {"drawn", "mnist", "fashion-mnist"});
}

std::unique_ptr<Learner> learner_of(const fs::path& checkpoint, const CommonOptions& common) {
  const Checkpoint c = read_checkpoint(checkpoint);
  return restored<Learner>(c, common.chosen_device(),
                           load_pictures(Settings::from_json(c.meta).data, common.data_dir));
}

class StnCourse : public CourseOf<Learner> {
 public:
  StnCourse(const Settings& settings, PictureSet digits, const std::optional<Checkpoint>& resumed)
      : CourseOf(settings, resumed, std::move(digits)) {
    folder = cat("stn-", settings.task, "-", settings.placement == "none" ? "none" : settings.kind, "-",
                 settings.net, "-seed", settings.seed);
    label = cat("stn ", settings.task);
    title = cat("Spatial Transformer: ", settings.task);
    unit = "cost";
    errors_ = {"test_error_percent", "baseline_test_error_percent", "fullres_test_error_percent"};
    errors_.resize(learner_.models().size());
    columns = {"epoch", "train_cost"};
    columns.insert(columns.end(), errors_.begin(), errors_.end());
    evaluations = 40;
  }

  std::vector<std::optional<double>> measure(double cost, bool evaluate) override {
    std::vector<std::optional<double>> row{epochs(), cost};
    row.resize(columns.size());
    if (evaluate) {
      const auto errors = learner_.evaluate(1000).error_percent;
      std::copy(errors.begin(), errors.end(), row.begin() + 2);
    }
    return row;
  }

  std::optional<NamedTensor> frame() override {
    if (learner_.models().front().transformers.empty()) return {};
    return NamedTensor{cat(learner_.steps()), outlines(learner_, 8)};
  }

  Facts facts() const override {
    const Settings& s = learner_.settings();
    return {{"model", "stn"},           {"task", s.task}, {"data", s.data}, {"kind", s.kind},
            {"placement", s.placement}, {"net", s.net},   {"seed", s.seed}, {"epochs", epochs()}};
  }

  Facts metrics() override {
    score_ = learner_.evaluate();
    Facts metrics;
    for (std::size_t i = 0; i < errors_.size(); ++i) metrics[errors_[i]] = score_.error_percent[i];
    return metrics;
  }

  void draw(RunFolder& run, const Facts&, const std::vector<NamedTensor>& frames) override {
    run.figure(
        "looks", draw_looks(learner_),
        "From above: pictures; the part that the transformer looks at; what it gives to the classifier.");
    run.figure("errors", draw_errors(run.path(), errors_, learner_.batches_per_epoch()),
               "Errors on the first 1000 test pictures.");
    run.figure("confusion", draw_confusion(score_.confusion), "What is taken for what.");
    if (!frames.empty())
      run.animation("learning", animate_outlines(learner_, frames), "Where it looks while it learns.");
  }

 private:
  double epochs() const {
    return static_cast<double>(learner_.steps()) / static_cast<double>(learner_.batches_per_epoch());
  }

  std::vector<std::string> errors_;
  Learner::Score score_;
};

struct TrainStn {
  TrainOptions common;
  SettingOptions given;
  std::string task = "cluttered", net = "cnn";
  std::optional<Index> epochs;

  int operator()() {
    common.apply();
    const std::optional<Checkpoint> resumed = resumed_checkpoint(common);
    Settings s = resumed ? Settings::from_json(resumed->meta) : stn::settings_for(task, net, common.preset);
    s.device = common.chosen_device();
    if (!resumed) s.data = common.data_dir.empty() ? "drawn" : "mnist";
    given.apply_to(choices(s));
    PictureSet digits = load_pictures(s.data, common.data_dir);
    if (!resumed) {
      s.seed = common.seed;
      const bool by_epochs = epochs || (common.preset == "default" && !given.given("steps"));
      const Index number = epochs.value_or(common.data_dir.empty() ? 12 : 40);
      if (by_epochs) s.steps = number * ((digits.train.size() + s.batch_size - 1) / s.batch_size);
      if (common.quick) s.steps = std::min<Index>(s.steps, 40);
    }
    StnCourse course(s, std::move(digits), resumed);
    return train(common, course, resumed);
  }
};

struct EvalStn {
  CommonOptions common;
  fs::path checkpoint;

  int operator()() {
    common.apply();
    const auto learner = learner_of(checkpoint, common);
    const auto score = learner->evaluate();
    Facts out{{"model", "stn"},
              {"task", learner->settings().task},
              {"data", learner->settings().data},
              {"steps", learner->steps()},
              {"test_error_percent", score.error_percent[0]}};
    std::cout << to_json(out) << '\n';
    return 0;
  }
};

struct SampleStn {
  CommonOptions common;
  fs::path checkpoint;
  FigureOptions figure{"looks.png"};

  int operator()() {
    common.apply();
    const auto learner = learner_of(checkpoint, common);
    figure.save(draw_looks(*learner));
    return 0;
  }
};

}  // namespace

void add_stn(Commands& commands) {
  const std::string about = "Spatial Transformer Networks (Jaderberg et al. 2015)";
  Command train = commands.train.add("stn", about);
  TrainStn& t = train.calls<TrainStn>();
  train.option("--task", t.task, "What to learn").with_default().one_of(stn::task_names());
  train.option("--net", t.net, "fcn is fully connected").with_default().one_of({"cnn", "fcn"});
  train.option("--epochs", t.epochs, "Passes over the digits (default: 12; with --data-dir 40)").positive();
  t.common.add_to(train, {"default", "paper"}, "paper: the paper's optimizer");
  Defaults defaults =
      defaults_of(stn::task_names(), [](auto& task) { return stn::settings_for(task, "cnn", "default"); });
  defaults["steps"] = "as --epochs says";
  defaults["data"] = "drawn; with --data-dir mnist";
  Settings settings;
  t.given.add_to(train, choices(settings), defaults);

  Command eval = commands.eval.add("stn", "Test error");
  EvalStn& e = eval.calls<EvalStn>();
  add_checkpoint_option(eval, e.checkpoint);
  e.common.add_to(eval);

  Command sample = commands.sample.add("stn", "Draws what the transformer looks at");
  SampleStn& s = sample.calls<SampleStn>();
  add_checkpoint_option(sample, s.checkpoint);
  s.figure.add_to(sample);
  s.common.add_to(sample);

  commands.add_family("stn", about, stn::task_names(), stn::about);
}

}  // namespace fovea::tools
