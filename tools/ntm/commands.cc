#include "tools/commands.h"

#include <chrono>
#include <iostream>

#include "fovea/core/memory.h"
#include "fovea/core/tape.h"
#include "fovea/models/training/loop.h"
#include "fovea/models/training/metrics.h"
#include "fovea/ops/create.h"
#include "tools/ntm/figures.h"
#include "tools/report/progress.h"

namespace fovea::tools {
namespace {

namespace fs = std::filesystem;
using ntm::EpisodeSize;
using ntm::Learner;
using ntm::Settings;
using Json = nlohmann::ordered_json;

constexpr std::uint64_t evaluation_seed =
    2014;  // the same fresh sequences for every run, so that runs can be compared

std::string names_of_tasks() {
  std::string names;
  for (const std::string& name : ntm::task_names()) names += (names.empty() ? "" : ", ") + name;
  return names;
}

// A run's folder, or the checkpoint folder in it.
Checkpoint load(const fs::path& path) {
  return load_checkpoint(has_checkpoint(path / "checkpoint") ? path / "checkpoint" : path);
}

Learner restored(const Checkpoint& checkpoint) {
  Learner learner(Learner::settings_of(checkpoint));
  learner.restore(checkpoint);
  return learner;
}

// What the command line may set over the preset. An option that was not given leaves the setting as it is.
struct Overrides {
  std::optional<std::string> controller, start, heads, optimizer, schedule;
  std::optional<std::int64_t> controller_size, read_heads, write_heads, memory_rows, memory_width, lstm_size;
  std::optional<int> controller_layers;
  std::optional<double> clip_norm, clip_value;

  void add_to(CLI::App& command) {
    command.add_option("--controller", controller, "lstm or feedforward");
    command.add_option("--controller-size", controller_size, "Units of the controller")
        ->check(CLI::PositiveNumber);
    command.add_option("--controller-layers", controller_layers, "Layers of the controller")
        ->check(CLI::PositiveNumber);
    command.add_option("--read-heads", read_heads, "Heads that read")->check(CLI::PositiveNumber);
    command.add_option("--write-heads", write_heads, "Heads that write")->check(CLI::PositiveNumber);
    command.add_option("--memory-rows", memory_rows, "Rows of the memory, N")->check(CLI::PositiveNumber);
    command.add_option("--memory-width", memory_width, "Elements of a row, M")->check(CLI::PositiveNumber);
    command.add_option("--start", start, "How the memory starts: constant, learned or random");
    command.add_option("--heads", heads, "Activation of keys and adds: tanh or linear");
    command.add_option("--lstm-size", lstm_size, "Units of each of the baseline's three layers")
        ->check(CLI::PositiveNumber);
    command.add_option("--optimizer", optimizer, "adam, or rmsprop in Graves' form");
    command.add_option("--schedule", schedule, "Of the learning rate: cosine or constant");
    command.add_option("--clip-norm", clip_norm, "Clip the gradients' norm; 0: not")
        ->check(CLI::NonNegativeNumber);
    command.add_option("--clip-value", clip_value, "Clip every gradient component; 0: not")
        ->check(CLI::NonNegativeNumber);
  }

  void apply_to(Settings& s) const {
    const auto set = [](auto& to, const auto& from) {
      if (from) to = *from;
    };
    set(s.controller, controller);
    set(s.controller_size, controller_size);
    set(s.controller_layers, controller_layers);
    set(s.read_heads, read_heads);
    set(s.write_heads, write_heads);
    set(s.memory_rows, memory_rows);
    set(s.memory_width, memory_width);
    set(s.start, start);
    set(s.heads, heads);
    set(s.lstm_size, lstm_size);
    set(s.optimizer, optimizer);
    set(s.schedule, schedule);
    set(s.clip_norm, clip_norm);
    set(s.clip_value, clip_value);
  }
};

// The size of the episode that the animation and figure 6 show.
EpisodeSize shown_size(const std::string& task) {
  if (task == "copy") return {20, 0};
  if (task == "repeat-copy") return {5, 4};
  if (task == "recall") return {5, 0};
  if (task == "ngrams") return {60, 0};
  return {20, 0};
}

Json metrics_of(const Learner& learner) {
  const ntm::Score fresh = learner.evaluate(200, {}, evaluation_seed);
  Json metrics{{"bits_per_sequence", fresh.bits}, {"wrong_bits_per_sequence", fresh.wrong_bits}};
  if (fresh.optimal_bits > 0) metrics["optimal_bits_per_sequence"] = fresh.optimal_bits;
  if (learner.task().name() == "copy")
    for (Index L : {20, 30, 50, 120})
      metrics[cat("wrong_bits_fraction_", L)] = learner.evaluate(20, {L, 0}, evaluation_seed).wrong_fraction;
  return metrics;
}

class Training {
 public:
  Training(TrainOptions options, Settings settings, fs::path compare)
      : options_(std::move(options)), compare_(std::move(compare)) {
    std::optional<std::int64_t> resumed_at;
    if (!options_.resume.empty()) {
      const Checkpoint checkpoint = load(options_.resume);
      const std::optional<std::int64_t> steps = options_.steps;
      settings = Learner::settings_of(checkpoint);
      if (steps) settings.steps = *steps;
      learner_ = std::make_unique<Learner>(settings);
      learner_->restore(checkpoint);
      for (const NamedTensor& t : checkpoint.extra)
        if (t.name == "seconds")
          seconds_before_ = t.tensor.item<double>();
        else
          answers_.push_back({t.name, clone(t.tensor)});
      resumed_at = learner_->steps();
    } else {
      learner_ = std::make_unique<Learner>(settings);
    }
    const std::string name =
        cat("ntm-", settings.task, settings.model == "lstm" ? "-lstm" : "", "-seed", settings.seed);
    folder_ = std::make_unique<RunFolder>(
        RunFolder::choose(options_, name),
        std::vector<std::string>{"sequences", "train_bits", "eval_bits", "eval_wrong_bits", "seconds"},
        resumed_at);
  }

  int run() {
    watch_interrupts();
    const Settings& s = learner_->settings();
    Generator shown(evaluation_seed);
    const ntm::Episode fixed = learner_->task().draw(1, shown, shown_size(s.task));
    Progress progress(cat("ntm ", s.task), static_cast<std::uint64_t>(s.steps),
                      {.quiet = options_.quiet, .start = static_cast<std::uint64_t>(learner_->steps())});
    constexpr Index logs = 200, evaluations = 20, frames = 40;
    Loop loop;
    loop.steps = s.steps;
    loop.log_every = std::max<Index>(1, s.steps / logs);
    loop.checkpoint_every =
        options_.checkpoint_every > 0 ? options_.checkpoint_every : std::max<Index>(1, s.steps / 10);
    loop.stop = &interrupted;
    loop.step = [&] { return learner_->step(); };
    DecayingMean shown_cost;
    const Index frame_every = std::max<Index>(1, s.steps / frames);
    loop.after = [&](Index step, double cost) {
      shown_cost.add(cost);
      progress.update(static_cast<std::uint64_t>(step), cat("bits ", number(shown_cost.value())));
      if (step % frame_every == 0) answers_.push_back({cat(learner_->sequences()), learner_->answer(fixed)});
    };
    loop.log = [&](Index step, double cost) {
      std::vector<std::optional<double>> row{
          static_cast<double>(learner_->sequences()), cost, {}, {}, seconds()};
      if (step % std::max<Index>(1, s.steps / evaluations) < loop.log_every) {
        const ntm::Score score = learner_->evaluate(50, {}, evaluation_seed);
        row[2] = score.bits;
        row[3] = score.wrong_bits;
      }
      folder_->log(step, row);
    };
    loop.save = [&](Index) { save(); };
    const Index done = loop.run(learner_->steps());
    if (done < s.steps) {
      progress.finish();
      std::cerr << "stopped after " << done << " of " << s.steps
                << " updates; go on with\n  fovea train ntm --resume " << folder_->path().string() << '\n';
      return interrupted_status;
    }
    progress.stage("scoring");
    finish(fixed, progress);
    return 0;
  }

 private:
  static std::string number(double x) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3g", x);
    return text;
  }

  double seconds() const {
    return seconds_before_ +
           std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
  }

  void save() {
    Checkpoint c = learner_->checkpoint();
    c.extra = answers_;
    c.extra.push_back({"seconds", full({1}, seconds(), DType::f64)});
    save_checkpoint(folder_->checkpoint(), c);
  }

  void finish(const ntm::Episode& fixed, Progress& progress) {
    const Settings& s = learner_->settings();
    const double trained = seconds();
    learner_->save_weights(folder_->path() / "model.safetensors");
    Json summary{{"model", s.model},
                 {"task", s.task},
                 {"seed", s.seed},
                 {"steps", learner_->steps()},
                 {"sequences", learner_->sequences()},
                 {"seconds", std::round(trained * 10) / 10},
                 {"device", "cpu"},
                 {"parameters", learner_->parameters()},
                 {"peak_bytes", memory_stats().peak},
                 {"metrics", metrics_of(*learner_)}};
    folder_->summary(summary);
    if (figures_available()) {
      progress.stage("drawing figures");
      draw_all(fixed, summary["metrics"]);
    }
    progress.finish();
    folder_->report(cat("Neural Turing Machine: ", s.task), summary, Json::parse(s.to_json()));
    std::cout << summary.dump(2) << '\n';
    std::cerr << "figures, weights and report: " << folder_->path().string() << "/report.html\n";
  }

  void draw_all(const ntm::Episode& fixed, const Json& metrics) {
    const Settings& s = learner_->settings();
    const std::string own = s.model == "ntm" ? "NTM" : "LSTM";
    const double optimum = metrics.value("optimal_bits_per_sequence", 0.0);
    std::vector<std::pair<std::string, fs::path>> curves{{own, folder_->path()}};
    std::unique_ptr<Learner> other;
    if (!compare_.empty()) {
      other = std::make_unique<Learner>(restored(load(compare_)));
      curves.emplace_back(other->settings().model == "ntm" ? "NTM" : "LSTM", compare_);
    }
    folder_->figure("learning_curve", draw_learning_curves(curves, s.task, optimum),
                    "Cost of a sequence in bits while it learns.");
    if (s.task != "ngrams")
      folder_->figure("answers", draw_answers(*learner_, evaluation_seed),
                      "Targets above outputs, for sizes as in training and beyond.");
    if (s.model == "ntm")
      folder_->figure("memory", draw_memory_use(*learner_, shown_size(s.task), evaluation_seed),
                      "Left: while it reads the input. Right: while it answers.");
    if (learner_->task().test_sizes().size() > 1) {
      std::vector<Generalisation> models{measure_generalisation(*learner_, own, evaluation_seed)};
      if (other) models.push_back(measure_generalisation(*other, curves[1].first, evaluation_seed));
      folder_->figure("generalisation", draw_generalisation(models, s.task),
                      "Wrong bits on longer sequences.");
    }
    if (s.task == "ngrams") return;
    if (!answers_.empty())
      folder_->animation("learning", animate_answers(fixed, answers_),
                         "One sequence, again and again while the model learns.");
  }

  TrainOptions options_;
  fs::path compare_;
  std::unique_ptr<Learner> learner_;
  std::unique_ptr<RunFolder> folder_;
  std::vector<NamedTensor> answers_;  // to the fixed episode, by the number of sequences seen
  double seconds_before_ = 0;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

struct TrainNtm {
  TrainOptions common;
  Overrides overrides;
  std::string task = "copy", model = "ntm";
  fs::path compare;

  int operator()() {
    common.apply();
    require(model == "ntm" || model == "lstm", "train", "'", model,
            "' is not a model of ntm; there are ntm and lstm");
    Settings s = ntm::settings_for(task, model, common.preset);
    overrides.apply_to(s);
    s.seed = common.seed;
    if (common.batch_size) {
      s.steps = s.steps * s.batch_size / *common.batch_size;  // the same number of sequences
      s.batch_size = *common.batch_size;
    }
    if (common.lr) s.lr = *common.lr;
    if (common.quick) s.steps = std::min<Index>(s.steps, 500);
    if (common.steps) s.steps = *common.steps;
    return Training(common, s, compare).run();
  }
};

struct EvalNtm {
  CommonOptions common;
  fs::path checkpoint;
  EpisodeSize size;
  Index sequences = 200;

  int operator()() {
    common.apply();
    const Learner learner = restored(load(checkpoint));
    const ntm::Score score = learner.evaluate(sequences, size, common.seed);
    Json out{{"model", learner.settings().model},
             {"task", learner.settings().task},
             {"steps", learner.steps()},
             {"sequences", sequences},
             {"seed", common.seed},
             {"bits_per_sequence", score.bits},
             {"wrong_bits_per_sequence", score.wrong_bits},
             {"wrong_bits_fraction", score.wrong_fraction}};
    if (size.length > 0) out["length"] = size.length;
    if (size.repeats > 0) out["repeats"] = size.repeats;
    if (score.optimal_bits > 0) out["optimal_bits_per_sequence"] = score.optimal_bits;
    std::cout << out.dump(2) << '\n';
    return 0;
  }
};

struct SampleNtm {
  CommonOptions common;
  fs::path checkpoint, figure;
  EpisodeSize size;

  int operator()() {
    common.apply();
    const Learner learner = restored(load(checkpoint));
    Generator random(common.seed);
    const ntm::Episode e = learner.task().draw(1, random, size);
    const Tensor y = learner.answer(e);
    const Index T = e.target.size(0);
    std::cout << learner.task().name() << ", " << e.what
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
    if (!figure.empty())
      draw_memory_use(learner, size.length > 0 ? size : shown_size(learner.settings().task), common.seed)
          .save(figure);
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

// Gives a command an object that lives as long as it and runs when it is called.
template <class Action>
std::shared_ptr<Action> on_call(CLI::App* command, Commands& commands) {
  auto action = std::make_shared<Action>();
  command->callback([action, &commands] { commands.status = (*action)(); });
  return action;
}

CLI::Option* add_checkpoint(CLI::App* command, fs::path& path) {
  return command->add_option("--checkpoint", path, "Folder of a run, or its checkpoint folder")
      ->required()
      ->check(CLI::ExistingDirectory);
}

void add_size(CLI::App* command, EpisodeSize& size) {
  command->add_option("--length", size.length, "Vectors (items, bits) in a sequence; 0: drawn as in training")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--repeats", size.repeats, "Repeats, for repeat-copy; 0: drawn as in training")
      ->check(CLI::NonNegativeNumber);
}

}  // namespace

void add_ntm(Commands& commands) {
  const auto known_task = CLI::IsMember(ntm::task_names());

  CLI::App* train =
      commands.train.add_subcommand("ntm", "Neural Turing Machine (Graves, Wayne, Danihelka 2014)");
  auto t = on_call<TrainNtm>(train, commands);
  train->add_option("--task", t->task, names_of_tasks())->capture_default_str()->check(known_task);
  train->add_option("--model", t->model, "ntm, or lstm: the paper's baseline")->capture_default_str();
  t->common.add_to(*train);
  train->get_option("--preset")
      ->description("default, or paper: the paper's settings")
      ->check(CLI::IsMember({"default", "paper"}));
  t->overrides.add_to(*train);
  train->add_option("--compare", t->compare, "Folder of another run to draw beside this one")
      ->check(CLI::ExistingDirectory);

  CLI::App* eval = commands.eval.add_subcommand("ntm", "Bits and wrong bits on fresh sequences");
  auto e = on_call<EvalNtm>(eval, commands);
  add_checkpoint(eval, e->checkpoint);
  add_size(eval, e->size);
  eval->add_option("--sequences", e->sequences, "How many")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  e->common.add_to(*eval);

  CLI::App* sample = commands.sample.add_subcommand("ntm", "One sequence and the answer to it");
  auto s = on_call<SampleNtm>(sample, commands);
  add_checkpoint(sample, s->checkpoint);
  add_size(sample, s->size);
  sample->add_option("--figure", s->figure, "Also draw the use of the memory into this file (.png or .svg)");
  s->common.add_to(*sample);

  CLI::App* tape = commands.tape.add_subcommand("ntm", "One training step of a Neural Turing Machine");
  auto p = on_call<TapeNtm>(tape, commands);
  tape->add_option("--task", p->task, names_of_tasks())->capture_default_str()->check(known_task);
  tape->add_flag("--dot", p->dot, "In Graphviz's language");

  Commands::Family family{"ntm", "Neural Turing Machine (Graves, Wayne, Danihelka 2014)", {}};
  for (const std::string& name : ntm::task_names())
    family.tasks.emplace_back(name, ntm::make_task(name)->about());
  commands.families.push_back(std::move(family));
}

}  // namespace fovea::tools
