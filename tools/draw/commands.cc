#include "tools/commands.h"

#include <algorithm>
#include <iostream>

#include "tools/draw/figures.h"
#include "tools/figure_options.h"
#include "tools/pictures.h"
#include "tools/setting_options.h"
#include "tools/training_run.h"

namespace fovea::tools {
namespace {

namespace fs = std::filesystem;
using draw::Learner;
using draw::Score;
using draw::Settings;

constexpr std::uint64_t evaluation_seed = 2015;  // the same noise for every run, so that runs can be compared

// The settings that people choose: a picture's size comes with the task.
std::vector<Setting> choices(Settings& s) {
  return with_words(without(s.list(), {"height", "width", "channels", "classes"}), "data", picture_sets());
}

std::string data_for(const std::string& task, bool real) {
  if (task == "cifar") return "cifar10-subset";
  if (!real) return "drawn";
  return task == "mnist" ? "binarized-mnist" : "mnist";
}

// Passes over the pictures: with drawn ones, what two cores make in five minutes.
Index epochs_for(const std::string& task, bool real) {
  if (task == "cifar") return 100;
  if (task == "two-digits") return real ? 20 : 8;
  return real ? 30 : 15;
}

Facts metrics_of(const Learner& learner) {
  const Score score = learner.evaluate(0, evaluation_seed);
  if (learner.settings().classifies()) return {{"test_error_percent", 100 * score.wrong_fraction}};
  return {{"test_nats", score.nats}, {"reconstruction_nats", score.reconstruction}, {"kl_nats", score.kl}};
}

Facts facts_of(const Learner& learner) {
  const Settings& s = learner.settings();
  return {{"model", s.model},       {"task", s.task}, {"data", s.data},
          {"attention", s.looks()}, {"seed", s.seed}, {"epochs", learner.epochs()}};
}

class DrawCourse : public CourseOf<Learner> {
 public:
  DrawCourse(const Settings& settings, PictureSet pictures, const TrainOptions& options,
             const std::optional<Checkpoint>& resumed)
      : CourseOf(settings, resumed, std::move(pictures)),
        data_dir_(options.data_dir),
        scored_(options.quick ? 100 : 1000) {
    const std::string kind = settings.looks() ? "" : settings.classifies() ? "-" + settings.model : "-plain";
    folder = cat("draw-", settings.task, kind, "-seed", settings.seed);
    label = cat("draw ", settings.task);
    title = cat("DRAW: ", settings.task);
    unit = "nats";
    columns = learner_.settings().classifies()
                  ? std::vector<std::string>{"epoch", "train_nats", "test_nats", "test_error_percent"}
                  : std::vector<std::string>{"epoch",         "train_nats", "train_reconstruction_nats",
                                             "train_kl_nats", "test_nats",  "test_reconstruction_nats",
                                             "test_kl_nats"};
  }

  std::vector<std::optional<double>> measure(double cost, bool evaluate) override {
    std::vector<std::optional<double>> row{learner_.epochs(), cost};
    if (!learner_.settings().classifies()) {
      const Score trained = learner_.take_training_score();
      row.insert(row.end(), {trained.reconstruction, trained.kl});
    }
    if (evaluate) {
      const Score score = learner_.evaluate(scored_, evaluation_seed);
      row.push_back(score.nats);
      if (learner_.settings().classifies())
        row.push_back(100 * score.wrong_fraction);
      else
        row.insert(row.end(), {score.reconstruction, score.kl});
    }
    row.resize(columns.size());
    return row;
  }

  std::optional<NamedTensor> frame() override {
    if (learner_.settings().classifies()) return {};
    const std::vector<double> kl = learner_.evaluate(scored_ / 4, evaluation_seed).kl_per_step;
    return NamedTensor{cat(learner_.steps()), Tensor::from(kl, {static_cast<Index>(kl.size())})};
  }

  Facts facts() const override { return facts_of(learner_); }
  Facts metrics() override { return metrics_of(learner_); }

  void sketch(RunFolder& run) override {
    if (!learner_.settings().classifies())
      run.figure("generation", draw_generation(learner_, 8, evaluation_seed),
                 "New pictures, the write window in red: the sharper its filters, the finer the line.");
    else if (learner_.settings().looks())
      run.figure("glimpses", draw_glimpses(learner_, 4),
                 "Test pictures with the read window in green, and below each what is read.");
  }

  void draw(RunFolder& run, const Facts&, const std::vector<NamedTensor>& frames) override {
    sketch(run);
    if (learner_.settings().classifies()) {
      if (learner_.settings().looks())
        run.animation("looking", animate_glimpses(learner_), "Where it looks, step by step.");
      run.figure("error", draw_error(run.path(), learner_), cat("On ", scored_, " test pictures."));
      return;
    }
    run.animation("drawing", animate_generation(learner_, evaluation_seed + 1), "New pictures.");
    run.figure("reconstructions", draw_reconstructions(learner_, 4, evaluation_seed),
               "Read windows in green, write windows in red.");
    run.figure("nearest", draw_nearest(learner_, evaluation_seed),
               "Were they learned by heart, the pictures below would be the same.");
    run.figure("learning_curve", draw_bound(run.path(), learner_),
               cat("The bound on -ln p(x); tested on ", scored_, " test pictures."));
    if (!frames.empty())
      run.figure("kl", draw_kl(frames, learner_.batches_per_epoch()),
                 "Where in a drawing the picture is decided.");
    if (learner_.settings().attention) {
      Tensor photo = load_photo(data_dir_);
      if (!photo.defined() && learner_.settings().channels == 1)
        photo = to_unit(learner_.test_pictures(every_index(1)).images);
      if (photo.defined())
        run.figure("filterbank", draw_filterbank(photo),
                   "Above: where nine filters stand. Below: three windows of 12 x 12 filters, what is read "
                   "through them, and that written back.");
    }
  }

 private:
  fs::path data_dir_;
  Index scored_;  // test pictures that are scored while it learns
};

struct TrainDraw {
  TrainOptions common;
  SettingOptions given;
  std::string task = "mnist";
  std::optional<Index> epochs;

  int operator()() {
    common.apply();
    const std::optional<Checkpoint> resumed = resumed_checkpoint(common);
    Settings s = resumed ? Settings::from_json(resumed->meta) : draw::settings_for(task, common.preset);
    s.device = common.chosen_device();
    const bool real = !common.data_dir.empty();
    if (!resumed) {
      s.seed = common.seed;
      s.data = data_for(task, real);
    }
    given.apply_to(choices(s));
    PictureSet pictures = load_pictures(s.data, common.data_dir);
    if (!resumed) {
      if (epochs || (common.preset == "default" && !given.given("steps")))
        s.steps = epochs.value_or(epochs_for(task, real)) *
                  ((pictures.train.size() + s.batch_size - 1) / s.batch_size);
      if (common.quick) s.steps = std::min<Index>(s.steps, 40);
    }
    DrawCourse course(s, std::move(pictures), common, resumed);
    return train(common, course, resumed);
  }
};

struct EvalDraw {
  CommonOptions common;
  fs::path checkpoint;

  int operator()() {
    common.apply();
    const Checkpoint c = read_checkpoint(checkpoint);
    const Settings s = Settings::from_json(c.meta);
    const auto learner = restored<Learner>(c, common.chosen_device(), load_pictures(s.data, common.data_dir));
    Facts out = facts_of(*learner);
    out["steps"] = learner->steps();
    out.update(metrics_of(*learner));
    std::cout << to_json(out) << '\n';
    return 0;
  }
};

struct SampleDraw {
  CommonOptions common;
  fs::path checkpoint;
  FigureOptions figure{"draw.png"};
  Index count = 8;

  int operator()() {
    common.apply();
    const Checkpoint c = read_checkpoint(checkpoint);
    const Settings s = Settings::from_json(c.meta);
    const auto learner = restored<Learner>(
        c, common.chosen_device(), s.classifies() ? load_pictures(s.data, common.data_dir) : PictureSet());
    figure.save(s.classifies() ? draw_glimpses(*learner, count)
                               : draw_generation(*learner, count, common.seed));
    return 0;
  }
};

}  // namespace

void add_draw(Commands& commands) {
  const std::string about = "DRAW (Gregor, Danihelka, Graves, Rezende, Wierstra 2015)";
  Command train = commands.train.add("draw", about);
  TrainDraw& t = train.calls<TrainDraw>();
  train.option("--task", t.task, "What to learn").with_default().one_of(draw::task_names());
  train.option("--epochs", t.epochs, "Passes over the pictures (default: some minutes; with --data-dir 30)")
      .positive();
  t.common.add_to(train, {"default", "paper"}, "paper: the paper's sizes");
  Settings settings;
  Defaults defaults =
      defaults_of(draw::task_names(), [](auto& task) { return draw::settings_for(task, "default"); });
  defaults["steps"] = "as --epochs says";
  defaults["data"] = "drawn; with --data-dir real ones that suit the task";
  t.given.add_to(train, choices(settings), defaults);

  Command eval = commands.eval.add("draw", "The bound, or the classifier's error, on the test set");
  EvalDraw& e = eval.calls<EvalDraw>();
  add_checkpoint_option(eval, e.checkpoint);
  e.common.add_to(eval);

  Command sample = commands.sample.add("draw", "New pictures; of a classifier, where it looks");
  SampleDraw& s = sample.calls<SampleDraw>();
  add_checkpoint_option(sample, s.checkpoint);
  s.figure.add_to(sample);
  sample.option("--count", s.count, "How many pictures").with_default().between(1, 100);
  s.common.add_to(sample);

  commands.add_family("draw", about, draw::task_names(), draw::about);
}

}  // namespace fovea::tools
