#include "tools/commands.h"

#include <iostream>

#include "fovea/core/tape.h"
#include "tools/figure_options.h"
#include "tools/ntm/figures.h"
#include "tools/setting_options.h"
#include "tools/training_run.h"

namespace fovea::tools {
namespace {

namespace fs = std::filesystem;
using ntm::EpisodeSize;
using ntm::Learner;
using ntm::Settings;

constexpr std::uint64_t evaluation_seed =
    2014;  // the same fresh sequences for every run, so that runs can be compared

// The size of the episode that the animation and figure 6 show.
EpisodeSize shown_size(const std::string& task) {
  if (task == "copy") return {20, 0};
  if (task == "repeat-copy") return {5, 4};
  if (task == "recall") return {5, 0};
  if (task == "ngrams") return {60, 0};
  return {20, 0};
}

class NtmCourse : public CourseOf<Learner> {
 public:
  NtmCourse(const Settings& settings, fs::path compare, const std::optional<Checkpoint>& resumed)
      : CourseOf(settings, resumed), compare_(std::move(compare)) {
    if (!compare_.empty()) {  // now, not when all is trained
      other_ = restored<Learner>(read_checkpoint(compare_), settings.device);
      require(other_->settings().task == settings.task, "train", "--compare ", compare_.string(), " learned ",
              other_->settings().task, ", and this run learns ", settings.task);
    }
    folder = cat("ntm-", settings.task, settings.model == "lstm" ? "-lstm" : "", "-seed", settings.seed);
    label = cat(settings.model, " ", settings.task);
    title = cat(settings.model == "ntm" ? "Neural Turing Machine: " : "LSTM baseline: ", settings.task);
    unit = "bits";
    columns = {"sequences", "train_bits", "eval_bits", "eval_wrong_bits"};
    Generator shown(evaluation_seed);
    fixed_ = learner_.task().draw(1, shown, shown_size(settings.task));
  }

  std::vector<std::optional<double>> measure(double cost, bool evaluate) override {
    std::vector<std::optional<double>> row{static_cast<double>(learner_.sequences()), cost, {}, {}};
    if (evaluate) {
      const ntm::Score score = learner_.evaluate(50, {}, evaluation_seed);
      row[2] = score.bits;
      row[3] = score.wrong_bits;
    }
    return row;
  }

  // The answer to one episode, by the number of sequences seen.
  std::optional<NamedTensor> frame() override {
    return NamedTensor{cat(learner_.sequences()), learner_.answer(fixed_)};
  }

  Facts facts() const override {
    const Settings& s = learner_.settings();
    return {{"model", s.model}, {"task", s.task}, {"seed", s.seed}, {"sequences", learner_.sequences()}};
  }

  Facts metrics() override {
    const ntm::Score fresh = learner_.evaluate(200, {}, evaluation_seed);
    Facts metrics{{"bits_per_sequence", fresh.bits}, {"wrong_bits_per_sequence", fresh.wrong_bits}};
    if (fresh.optimal_bits > 0) metrics["optimal_bits_per_sequence"] = fresh.optimal_bits;
    if (learner_.task().name() == "copy")
      for (Index L : {20, 30, 50, 120})
        metrics[cat("wrong_bits_fraction_", L)] =
            learner_.evaluate(20, {L, 0}, evaluation_seed).wrong_fraction;
    return metrics;
  }

  void draw(RunFolder& run, const Facts& metrics, const std::vector<NamedTensor>& frames) override {
    const Settings& s = learner_.settings();
    const std::string own = s.model == "ntm" ? "NTM" : "LSTM";
    const double optimum = metrics.number("optimal_bits_per_sequence", 0.0);
    std::vector<std::pair<std::string, fs::path>> curves{{own, run.path()}};
    if (other_) curves.emplace_back(other_->settings().model == "ntm" ? "NTM" : "LSTM", compare_);
    run.figure("learning_curve", draw_learning_curves(curves, s.task, optimum),
               "Cost of a sequence in bits while it learns; dots: of 50 fresh ones.");
    if (s.task != "ngrams")
      run.figure("answers", draw_answers(learner_, evaluation_seed),
                 "Targets above outputs, for sizes as in training and beyond.");
    if (s.model == "ntm")
      run.figure("memory", draw_memory_use(learner_, shown_size(s.task), evaluation_seed),
                 "What the heads write while the input comes, what they read while it answers, and where.");
    if (learner_.task().test_sizes().size() > 1) {
      std::vector<Generalisation> models{measure_generalisation(learner_, own, evaluation_seed)};
      if (other_) models.push_back(measure_generalisation(*other_, curves[1].first, evaluation_seed));
      run.figure("generalisation", draw_generalisation(models, learner_.task()),
                 "Wrong bits on longer sequences.");
    }
    if (s.task == "ngrams") return;
    if (!frames.empty())
      run.animation("learning", animate_answers(fixed_, frames),
                    "One sequence, again and again while the model learns.");
  }

 private:
  fs::path compare_;
  std::unique_ptr<Learner> other_;  // the run to compare with
  ntm::Episode fixed_;
};

struct TrainNtm {
  TrainOptions common;
  SettingOptions given;
  std::string task = "copy", model = "ntm";
  fs::path compare;

  int operator()() {
    common.apply();
    const std::optional<Checkpoint> resumed = resumed_checkpoint(common);
    Settings s = resumed ? Settings::from_json(resumed->meta) : ntm::settings_for(task, model, common.preset);
    s.device = common.chosen_device();
    const Index sequences = s.steps * s.batch_size;
    given.apply_to(s.list());
    if (!resumed) {
      s.seed = common.seed;
      if (!given.given("steps")) s.steps = sequences / s.batch_size;  // the same number of them in any batch
      if (common.quick) s.steps = std::min<Index>(s.steps, 500);
    }
    if (compare.empty()) {
      compare = baseline(s);
      if (!compare.empty()) std::cerr << "figures will also show " << compare.string() << '\n';
    }
    NtmCourse course(s, compare, resumed);
    return train(common, course, resumed);
  }

 private:
  // The LSTM baseline of the same task and seed, where one was trained in a folder beside this run's.
  fs::path baseline(const Settings& s) const {
    const fs::path own = !common.resume.empty()    ? common.resume
                         : !common.out_dir.empty() ? common.out_dir
                                                   : fs::path("runs") / "new";
    const fs::path path = own.parent_path() / cat("ntm-", s.task, "-lstm-seed", s.seed);
    if (s.model != "ntm" || !fs::exists(path / "summary.json")) return {};
    try {
      restored<Learner>(read_checkpoint(path), Cpu{});
      return path;
    } catch (const Error&) {  // nobody asked for it
      return {};
    }
  }
};

struct EvalNtm {
  CommonOptions common;
  fs::path checkpoint;
  EpisodeSize size;
  Index sequences = 200;

  int operator()() {
    common.apply();
    const auto learner = restored<Learner>(read_checkpoint(checkpoint), common.chosen_device());
    const ntm::Score score = learner->evaluate(sequences, size, common.seed);
    Facts out{{"model", learner->settings().model},
              {"task", learner->settings().task},
              {"steps", learner->steps()},
              {"sequences", sequences},
              {"seed", common.seed},
              {"bits_per_sequence", score.bits},
              {"wrong_bits_per_sequence", score.wrong_bits},
              {"wrong_bits_fraction", score.wrong_fraction}};
    if (size.length > 0) out["length"] = size.length;
    if (size.repeats > 0) out["repeats"] = size.repeats;
    if (score.optimal_bits > 0) out["optimal_bits_per_sequence"] = score.optimal_bits;
    std::cout << to_json(out) << '\n';
    return 0;
  }
};

struct SampleNtm {
  CommonOptions common;
  fs::path checkpoint;
  FigureOptions figure{"memory.png"};
  EpisodeSize size;

  int operator()() {
    common.apply();
    const auto learner = restored<Learner>(read_checkpoint(checkpoint), common.chosen_device());
    Generator random(common.seed);
    const ntm::Episode e = learner->task().draw(1, random, size);
    const Tensor y = learner->answer(e);
    const Index T = e.target.size(0);
    std::cout << learner->task().name() << ", " << e.what
              << ": each column is a step; # is 1, . is 0, ? is unsure\n";
    for (const bool target : {true, false}) {
      std::cout << (target ? "target\n" : "output\n");
      for (Index d = 0; d < y.size(2); ++d) {
        for (Index t = 0; t < e.scored; ++t) {
          const double p = target ? e.target.at({T - e.scored + t, 0, d}) : y.at({t, 0, d});
          std::cout << (p > 0.9 ? '#' : p < 0.1 ? '.' : '?');
        }
        std::cout << '\n';
      }
    }
    if (figure.wanted())
      figure.save(draw_memory_use(*learner, size.length > 0 ? size : shown_size(learner->settings().task),
                                  common.seed));
    return 0;
  }
};

struct TapeNtm {
  bool dot = false;
  std::string task = "copy";

  int operator()() const {
    const auto kind = ntm::make_task(task);
    Generator random(1);
    const ntm::Ntm model({.inputs = kind->inputs(), .outputs = kind->outputs()}, random);
    const ntm::Episode e = kind->draw(1, random, {2, 1});
    Tape tape;
    const Tensor loss = Learner::cost(model.forward(e.input, e.scored), e);
    if (dot)
      tape.graphviz(std::cout);
    else
      tape.print(std::cout);
    return 0;
  }
};

void add_size(Command command, EpisodeSize& size) {
  command.option("--length", size.length, "Vectors (items, bits) in a sequence; 0: drawn as in training")
      .non_negative();
  command.option("--repeats", size.repeats, "Repeats, for repeat-copy; 0: drawn as in training")
      .non_negative();
}

}  // namespace

void add_ntm(Commands& commands) {
  const std::string about = "Neural Turing Machine (Graves, Wayne, Danihelka 2014)";
  Command train = commands.train.add("ntm", about);
  TrainNtm& t = train.calls<TrainNtm>();
  train.option("--task", t.task, "What to learn").with_default().one_of(ntm::task_names());
  train.option("--model", t.model, "lstm is the paper's baseline").with_default().one_of({"ntm", "lstm"});
  t.common.add_to(train, {"default", "paper"}, "paper: the paper's settings");
  Defaults defaults =
      defaults_of(ntm::task_names(), [](auto& task) { return ntm::settings_for(task, "ntm", "default"); });
  defaults["steps"] += ", divided by the batch size";
  Settings baseline = ntm::settings_for("copy", "lstm", "default");
  for (const Setting& s : baseline.list())  // where the baseline differs for every task
    for (const char* name : {"batch_size", "lr", "schedule"})
      if (s.name == std::string(name)) defaults[name] += "; --model lstm " + text_of(s);
  t.given.add_to(train, Settings().list(), defaults);
  train
      .option("--compare", t.compare,
              "Folder of another run to draw beside this one (default: the LSTM baseline of this task "
              "and seed, when it lies beside this run)")
      .folder();

  Command eval = commands.eval.add("ntm", "Bits and wrong bits on fresh sequences");
  EvalNtm& e = eval.calls<EvalNtm>();
  add_checkpoint_option(eval, e.checkpoint);
  add_size(eval, e.size);
  eval.option("--sequences", e.sequences, "How many").with_default().positive();
  e.common.add_to(eval);

  Command sample = commands.sample.add("ntm", "One sequence and the answer to it");
  SampleNtm& s = sample.calls<SampleNtm>();
  add_checkpoint_option(sample, s.checkpoint);
  add_size(sample, s.size);
  s.figure.add_to(sample, "Also draw the use of the memory into this file, .png or .svg");
  s.common.add_to(sample);

  Command tape = commands.tape.add("ntm", "One training step of a Neural Turing Machine");
  TapeNtm& p = tape.calls<TapeNtm>();
  tape.option("--task", p.task, "What to learn").with_default().one_of(ntm::task_names());
  tape.flag("--dot", p.dot, "In Graphviz's language");

  commands.add_family("ntm", about, ntm::task_names(),
                      [](auto& task) { return ntm::make_task(task)->about(); });
}

}  // namespace fovea::tools
