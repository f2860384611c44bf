#include "tools/bert/train.h"

#ifdef FOVEA_TEXT

#include <algorithm>
#include <iostream>

#include "fovea/models/bert/learner.h"
#include "fovea/models/bert/pretrained.h"
#include "fovea/models/data/texts.h"
#include "fovea/models/text/word_piece_vocabulary.h"
#include "tools/bert/guesses.h"
#include "tools/figures/plot.h"
#include "tools/setting_options.h"
#include "tools/training_run.h"

namespace fovea::tools {
namespace {

namespace fs = std::filesystem;
using bert::Learner;
using bert::Settings;

const std::vector<std::string>& text_names() {
  static const std::vector<std::string> names = {"sample", "gutenberg", "wikitext-2"};
  return names;
}

// The settings that people choose: the rest comes with the text.
std::vector<Setting> choices(Settings& s) { return without(s.list(), {"text", "tokens"}); }

// What there is to read, cut in two: of every text the last tenth validates.
struct Halves {
  std::vector<std::string> train, validation;
};

Halves load_texts(const std::string& name, const fs::path& data_dir) {
  std::vector<std::string> texts;
  if (name == "sample") {
    texts.push_back(sample_text());
  } else {
    require(!data_dir.empty(), "bert", "the text is ", name, "; give --data-dir, where it lies");
    if (name == "gutenberg")
      for (const std::string& title : gutenberg_texts()) texts.push_back(load_gutenberg(data_dir, title));
    else
      for (const Split split : {Split::validation, Split::test})
        texts.push_back(load_wikitext2(data_dir, split));
  }
  Halves out;
  for (const std::string& text : texts) {
    const std::size_t line = text.find('\n', text.size() / 10 * 9), cut = std::min(line, text.size());
    out.train.push_back(text.substr(0, cut));
    out.validation.push_back(text.substr(cut));
  }
  return out;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += line + '\n';
  return out;
}

std::vector<std::string> learn_tokens(const Halves& texts, Index size) {
  TokenCounts counts;
  for (const std::string& text : texts.train) count_tokens(counts, bert_words(text));
  return learn_word_pieces(counts, {.size = static_cast<std::size_t>(size)});
}

WordPiece tokenizer_of(const Settings& s) { return WordPiece(word_piece_of(lines_of(s.tokens))); }

bert::Text encode(const WordPiece& tokenizer, const Halves& texts) {
  const auto all = [&](const std::vector<std::string>& parts) {
    std::vector<std::int32_t> ids;
    for (const std::string& part : parts) {
      const std::vector<std::int32_t> more = tokenizer.ids(part);
      ids.insert(ids.end(), more.begin(), more.end());
    }
    return ids;
  };
  return {all(texts.train), all(texts.validation)};
}

// A line of the validation text with some words hidden, for the picture; it has at most so many tokens.
std::string question(const Halves& texts, const WordPiece& tokenizer, Index most) {
  for (const std::string& line : lines_of(texts.validation.front())) {
    const std::vector<std::string> words = bert_words(line);
    if (words.size() < 12 || words.size() > 18) continue;
    std::string out;
    for (std::size_t i = 0; i < words.size(); ++i)
      out += (i > 0 ? " " : "") + (i % 5 == 3 ? std::string("[MASK]") : words[i]);
    if (static_cast<Index>(tokenizer.encode(out).ids.size()) <= most) return out;
  }
  return "[MASK] .";
}

Facts metrics_of(Learner& learner) {
  const Learner::Score score = learner.evaluate(), unigrams = learner.unigrams();
  Facts out{{"val_loss", score.loss},
            {"unigram_val_loss", unigrams.loss},
            {"mlm_accuracy", 100 * score.accuracy},
            {"unigram_mlm_accuracy", 100 * unigrams.accuracy}};
  if (learner.baseline()) out["left_only_mlm_accuracy"] = 100 * learner.baseline()->evaluate().accuracy;
  if (score.next_accuracy) out["next_sentence_accuracy"] = 100 * *score.next_accuracy;
  return out;
}

class BertCourse : public CourseOf<Learner> {
 public:
  BertCourse(const Settings& settings, WordPiece tokenizer, const Halves& texts,
             const std::optional<Checkpoint>& resumed)
      : CourseOf(settings, resumed, encode(tokenizer, texts)),
        tokenizer_(std::move(tokenizer)),
        question_(question(texts, tokenizer_, settings.context)) {
    folder = cat("bert-", settings.text, "-seed", settings.seed);
    label = cat("bert ", settings.text);
    title = cat("BERT: ", settings.text);
    unit = "nats";
    columns = {"train_loss", "val_loss", "mlm_accuracy"};
    if (learner_.baseline()) columns.push_back("left_only_mlm_accuracy");
  }

  std::vector<std::optional<double>> measure(double cost, bool evaluate) override {
    std::vector<std::optional<double>> row{cost};
    row.resize(columns.size());
    if (!evaluate) return row;
    constexpr Index examples = 200;
    const Learner::Score score = learner_.evaluate(examples);
    row[1] = score.loss;
    row[2] = 100 * score.accuracy;
    if (learner_.baseline()) row[3] = 100 * learner_.baseline()->evaluate(examples).accuracy;
    return row;
  }

  Facts facts() const override {
    const Settings& s = learner_.settings();
    return {{"model", "bert"}, {"text", s.text}, {"vocabulary", s.vocabulary}, {"seed", s.seed}};
  }

  Facts metrics() override { return metrics_of(learner_); }

  void save(const fs::path& path) override {
    save_pretrained(learner_.model(), path, learner_.next());
    save_word_pieces(path / "vocab.txt", tokenizer_.tokens());
  }

  void draw(RunFolder& run, const Facts& metrics, const std::vector<NamedTensor>&) override {
    const auto series = [&](const char* name, const char* column) {
      const LoggedColumn logged = read_column(run.path(), column);
      return Series{name, logged.step, logged.value};
    };
    const std::string text = learner_.settings().text;
    run.figure("learning_curve",
               tools::draw({.title = cat("BERT on ", text, ": learning"),
                            .x_label = "updates",
                            .y_label = "cost of a hidden token (nats)",
                            .series = {series("training", "train_loss"), series("validation", "val_loss")},
                            .reference = ReferenceLine{metrics.number("unigram_val_loss"), "unigrams"}}),
               "What a hidden token costs. On the dashed line is who knows only how often each one comes.");
    LinePlot accuracy{
        .title = cat("BERT on ", text, ": hidden tokens that are guessed"),
        .x_label = "updates",
        .y_label = "right at the first guess (%)",
        .series = {series("both sides", "mlm_accuracy")},
        .reference = ReferenceLine{metrics.number("unigram_mlm_accuracy"), "the most frequent token"},
        .markers = true};
    if (learner_.baseline()) accuracy.series.push_back(series("left only", "left_only_mlm_accuracy"));
    run.figure("accuracy", tools::draw(accuracy), "On hidden tokens of the validation text.");
    run.figure("guesses", draw_guesses(question_, guess_masked(learner_.model(), tokenizer_, question_, 5)),
               "A line of the validation text.");
  }

 private:
  WordPiece tokenizer_;
  std::string question_;
};

struct TrainBert {
  TrainOptions common;
  SettingOptions given;
  std::string text;

  int operator()() {
    common.apply();
    const std::optional<Checkpoint> resumed = resumed_checkpoint(common);
    Settings s = resumed ? Settings::from_json(resumed->meta) : bert::settings_for(common.preset);
    s.device = common.chosen_device();
    given.apply_to(choices(s));
    if (!resumed) {
      s.seed = common.seed;
      s.text = !text.empty() ? text : common.data_dir.empty() ? "sample" : "gutenberg";
      if (common.quick) s.steps = std::min<Index>(s.steps, 40);
    }
    const Halves texts = load_texts(s.text, common.data_dir);
    if (!resumed) {
      const std::vector<std::string> tokens = learn_tokens(texts, s.vocabulary);
      s.tokens = joined(tokens);
      s.vocabulary = static_cast<Index>(tokens.size());
    }
    BertCourse course(s, tokenizer_of(s), texts, resumed);
    return train(common, course, resumed);
  }
};

struct EvalBert {
  CommonOptions common;
  fs::path checkpoint;

  int operator()() {
    common.apply();
    const Checkpoint c = read_checkpoint(checkpoint);
    const Settings s = Settings::from_json(c.meta);
    const auto learner = restored<Learner>(c, common.chosen_device(),
                                           encode(tokenizer_of(s), load_texts(s.text, common.data_dir)));
    Facts out{{"model", "bert"}, {"text", s.text}, {"steps", learner->steps()}};
    out.update(metrics_of(*learner));
    std::cout << to_json(out) << '\n';
    return 0;
  }
};

}  // namespace

void add_bert_training(Commands& commands) {
  const std::string about = "BERT, a language model that sees both sides (Devlin et al. 2018)";
  Command train = commands.train.add("bert", about);
  TrainBert& t = train.calls<TrainBert>();
  train
      .option("--text", t.text,
              listed(text_names()) + " (default: sample, a novel; with --data-dir gutenberg)")
      .one_of(text_names());
  t.common.preset = "small";
  t.common.add_to(train, {"small", "medium", "base"},
                  "small: minutes on two cores; medium; base: the paper's sizes");
  Settings settings;
  t.given.add_to(train, choices(settings), defaults_of({t.common.preset}, bert::settings_for));
  train.find("--resume").excludes(train.find("--text"));

  Command eval = commands.eval.add("bert", "How many hidden tokens it guesses");
  EvalBert& e = eval.calls<EvalBert>();
  add_checkpoint_option(eval, e.checkpoint);
  e.common.add_to(eval);

  commands.families.push_back(
      {"bert",
       about,
       {{"texts", "a novel; with --data-dir gutenberg or wikitext-2, to guess hidden tokens of"}}});
}

}  // namespace fovea::tools

#endif  // FOVEA_TEXT
