#include "tools/commands.h"

#ifdef FOVEA_TEXT

#include <algorithm>
#include <iostream>
#include <utility>

#include "fovea/core/utf8.h"
#include "fovea/models/data/texts.h"
#include "fovea/models/gpt/learner.h"
#include "fovea/models/gpt/pretrained.h"
#include "fovea/models/text/byte_bpe.h"
#include "fovea/models/text/characters.h"
#include "tools/figures/plot.h"
#include "tools/setting_options.h"
#include "tools/training_run.h"

namespace fovea::tools {
namespace {

namespace fs = std::filesystem;
using gpt::Learner;
using gpt::Settings;

// The settings that people choose: the rest comes with the text.
std::vector<Setting> choices(Settings& s) { return without(s.list(), {"data", "characters", "vocabulary"}); }

std::string load_text(const std::string& name, const fs::path& data_dir) {
  if (name == "sample") return sample_text();
  require(!data_dir.empty(), "gpt", "this model learned ", name, "; give --data-dir, where it lies");
  return load_tinyshakespeare(data_dir);
}

gpt::Text cut(const Characters& characters, const std::string& text) {
  auto [train, validation] = cut_text(characters.encode(text));
  return {std::move(train), std::move(validation)};
}

Facts metrics_of(Learner& learner) {
  const double loss = learner.validation_loss();
  return {
      {"val_loss", loss}, {"val_perplexity", std::exp(loss)}, {"unigram_val_loss", learner.unigram_loss()}};
}

// `count` tokens after a prompt, as text. With `show` prompt and text are shown as they come, from the first
// token on: till then it may turn out that there will be none. It ends early at the token `end`.
template <class Tokenizer>
std::string write(const gpt::Gpt& model, const Tokenizer& tokenizer, const std::string& prompt, Index count,
                  const gpt::Sampling& options, std::uint64_t seed, bool show, std::int32_t end = -1) {
  Generator random(seed);
  const std::vector<std::int32_t> ids = tokenizer.encode(prompt);
  std::string text, shown = prompt;
  model.generate(Tensor::from(std::span(ids), {1, static_cast<Index>(ids.size())}), count, options, random,
                 [&](const Tensor& token) {
                   const std::int32_t id = *token.data<std::int32_t>();
                   std::string next;  // a model may have more tokens, so that their number is a round one
                   if (id != end && id < static_cast<std::int32_t>(tokenizer.size()))
                     next = tokenizer.decode({&id, 1});
                   text += next;
                   if (show) std::cout << std::exchange(shown, "") << next << std::flush;
                   return id != end && !interrupted.load();
                 });
  return text;
}

class GptCourse : public CourseOf<Learner> {
 public:
  GptCourse(const Settings& settings, gpt::Text text, const std::optional<Checkpoint>& resumed)
      : CourseOf(settings, resumed, std::move(text)) {
    folder = cat("gpt-", settings.data, "-seed", settings.seed);
    label = cat("gpt ", settings.data);
    title = cat("GPT: ", settings.data);
    unit = "nats";
    columns = {"train_loss", "val_loss"};
  }

  std::vector<std::optional<double>> measure(double cost, bool evaluate) override {
    if (!evaluate) return {cost, {}};
    return {cost, learner_.validation_loss(200)};
  }

  Facts facts() const override {
    const Settings& s = learner_.settings();
    return {{"model", "gpt"}, {"data", s.data}, {"seed", s.seed}};
  }

  Facts metrics() override { return metrics_of(learner_); }

  void save(const fs::path& path) override {
    save_pretrained(learner_.model(), path);
    Characters(learner_.settings().characters).save_tokenizer(path);
  }

  void draw(RunFolder& run, const Facts& metrics, const std::vector<NamedTensor>&) override {
    const LoggedColumn trained = read_column(run.path(), "train_loss"),
                       validated = read_column(run.path(), "val_loss");
    LinePlot plot{.title = cat("GPT on ", learner_.settings().data, ": learning"),
                  .x_label = "updates",
                  .y_label = "cost of a character (nats)",
                  .series = {{"training", trained.step, trained.value},
                             {"validation", validated.step, validated.value}},
                  .reference = ReferenceLine{metrics.number("unigram_val_loss"), "unigrams"}};
    run.figure("learning_curve", tools::draw(plot), "What the next character costs.");
    const std::string text = write(learner_.model(), Characters(learner_.settings().characters), "\n", 1000,
                                   {.temperature = 0.8}, 1, false);
    run.writing("sample", text + '\n', "What it writes", {{"temperature 0.8", text}});
  }
};

struct TrainGpt {
  TrainOptions common;
  SettingOptions given;

  int operator()() {
    common.apply();
    const std::optional<Checkpoint> resumed = resumed_checkpoint(common);
    Settings s = resumed ? Settings::from_json(resumed->meta) : gpt::settings_for(common.preset);
    s.device = common.chosen_device();
    given.apply_to(choices(s));
    if (!resumed) {
      s.seed = common.seed;
      s.data = common.data_dir.empty() ? "sample" : "tinyshakespeare";
    }
    const std::string text = load_text(s.data, common.data_dir);
    const Characters characters(resumed ? s.characters : text);
    if (!resumed) {
      std::string all;
      for (std::size_t i = 0; i < characters.size(); ++i) {
        const auto id = static_cast<std::int32_t>(i);
        all += characters.decode({&id, 1});
      }
      s.characters = all;
      s.vocabulary = static_cast<Index>(characters.size());
      if (common.quick) s.steps = std::min<Index>(s.steps, 40);
    }
    GptCourse course(s, cut(characters, text), resumed);
    return train(common, course, resumed);
  }
};

struct EvalGpt {
  CommonOptions common;
  fs::path checkpoint;

  int operator()() {
    common.apply();
    const Checkpoint c = read_checkpoint(checkpoint);
    const Settings s = Settings::from_json(c.meta);
    const auto learner = restored<Learner>(c, common.chosen_device(),
                                           cut(Characters(s.characters), load_text(s.data, common.data_dir)));
    Facts out{{"model", "gpt"}, {"data", s.data}, {"steps", learner->steps()}};
    out.update(metrics_of(*learner));
    std::cout << to_json(out) << '\n';
    return 0;
  }
};

struct Generate {
  CommonOptions common;
  fs::path checkpoint, folder;
  std::string prompt = "\n";
  Index count = 500;
  gpt::Sampling options;

  int operator()() {
    common.apply();
    watch_interrupts();
    require(checkpoint.empty() != folder.empty(), "generate",
            "give --checkpoint, a run, or --model, a folder");
    require(!prompt.empty(), "generate", "the prompt is empty; leave --prompt out to begin with a new line");
    require_utf8(prompt, "generate", "the prompt");
    if (folder.empty() && !holds_run(checkpoint) && fs::exists(checkpoint / "config.json"))
      folder = std::exchange(checkpoint, "");
    if (folder.empty()) {
      const auto learner = restored<Learner>(read_checkpoint(checkpoint), common.chosen_device());
      go_on(learner->model(), Characters(learner->settings().characters));
    } else {
      gpt::Gpt model = gpt::load_pretrained(folder);
      move_to(model, common.chosen_device());
      if (const auto characters = Characters::load_tokenizer(folder)) {
        go_on(model, *characters);
      } else {
        const ByteBpe tokenizer = ByteBpe::load(folder);
        go_on(model, tokenizer, tokenizer.added("<|endoftext|>"));
      }
    }
    std::cout << std::endl;
    return interrupted ? interrupted_status : 0;
  }

  template <class Tokenizer>
  void go_on(const gpt::Gpt& model, const Tokenizer& tokenizer, std::int32_t end = -1) const {
    const auto tokens = static_cast<Index>(tokenizer.size());
    require(tokens <= model.options.vocabulary, "generate", folder.string(), ": the tokenizer has ", tokens,
            " tokens, but the model only ", model.options.vocabulary);
    write(model, tokenizer, prompt, count, options, common.seed, true, end);
  }
};

}  // namespace

void add_gpt(Commands& commands) {
  const std::string about = "GPT, a character language model (Radford et al. 2018, nanoGPT)";
  Command train = commands.train.add("gpt", about);
  TrainGpt& t = train.calls<TrainGpt>();
  t.common.preset = "cpu";
  t.common.add_to(train, {"cpu", "gpu"}, "cpu: 0.8 million parameters, minutes; gpu: 10.6 million");
  Settings settings;
  t.given.add_to(train, choices(settings), defaults_of({t.common.preset}, gpt::settings_for));

  Command eval = commands.eval.add("gpt", "Cost of a character of the validation text");
  EvalGpt& e = eval.calls<EvalGpt>();
  add_checkpoint_option(eval, e.checkpoint);
  e.common.add_to(eval);

  Command generate = commands.root.add("generate", "Let a GPT write");
  Generate& g = generate.calls<Generate>();
  Option run = add_checkpoint_option(generate, g.checkpoint).required(false);
  generate.option("--model", g.folder, "The same for the folder of a GPT-2 in Hugging Face's layout")
      .folder()
      .excludes(run);
  generate.option("--prompt", g.prompt, "What it goes on from");
  generate.option("--count", g.count, "How many tokens; of a model of train gpt characters")
      .with_default()
      .positive();
  generate.option("--temperature", g.options.temperature, "0 takes the likeliest every time")
      .with_default()
      .non_negative();
  generate.option("--top-k", g.options.top_k, "Choose among the k likeliest; 0: all")
      .with_default()
      .non_negative();
  generate.option("--top-p", g.options.top_p, "Choose among the likeliest that have this share together")
      .with_default()
      .between(0.0, 1.0);
  g.common.add_to(generate);

  commands.families.push_back(
      {"gpt", about, {{"characters", "a novel; with --data-dir Shakespeare's plays"}}});
}

}  // namespace fovea::tools

#else

namespace fovea::tools {
void add_gpt(Commands&) {}  // built without utf8proc
}  // namespace fovea::tools

#endif
