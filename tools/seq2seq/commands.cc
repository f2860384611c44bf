#include "tools/commands.h"

#ifdef FOVEA_TEXT

#include <cmath>
#include <iostream>

#include "tools/seq2seq/figures.h"
#include "tools/setting_options.h"
#include "tools/training_run.h"

namespace fovea::tools {
namespace {

namespace fs = std::filesystem;
using seq2seq::Learner;
using seq2seq::Settings;
using Json = nlohmann::ordered_json;

constexpr Index beam_size = 5;
constexpr double length_penalty = 1;

// The settings that people choose: the rest comes with the task.
std::vector<Setting> choices(Settings& s) {
  std::vector<Setting> list = s.list();
  std::erase_if(list, [](const Setting& setting) {
    const std::string name = setting.name;
    return name == "source_words" || name == "target_words";
  });
  return list;
}

Json facts_of(const Learner& learner) {
  const Settings& s = learner.settings();
  return {{"model", "seq2seq"}, {"net", s.net},       {"attention", s.attention},
          {"task", s.task},     {"source", s.source}, {"target", s.target},
          {"seed", s.seed}};
}

// The sentences that translations are scored on.
struct TestSet {
  ParallelText text;
  Sentences references;
  std::vector<std::size_t> lengths;  // of the sources, in words

  TestSet(ParallelText sentences, const TranslationText& words, const TranslationTextOptions& options,
          std::size_t most = 0)
      : text(std::move(sentences)) {
    if (most > 0 && text.size() > most) {
      text.source.resize(most);
      text.target.resize(most);
    }
    for (const std::string& s : text.target) references.push_back(words.reference(s));
    std::optional<WordTokenizer> tokenizer;
    if (!options.source.empty()) tokenizer.emplace(WordTokenizerOptions{.language = options.source});
    for (const std::string& s : text.source)
      lengths.push_back(tokenizer ? (*tokenizer)(s).size() : split_words(s).size());
  }
};

double exact_percent(const Sentences& translations, const Sentences& references) {
  std::size_t same = 0;
  for (std::size_t i = 0; i < references.size(); ++i) same += translations[i] == references[i];
  return 100 * static_cast<double>(same) / static_cast<double>(references.size());
}

// What a test set says of a network; `greedy` keeps its translations.
Json score(const Translator& t, const TestSet& test, Sentences* greedy = nullptr) {
  const Sentences plain = t.translate(test.text.source, 1, 0),
                  beam = t.translate(test.text.source, beam_size, length_penalty);
  const Bleu bleu = bleu_of(plain, test.references), bleu_beam = bleu_of(beam, test.references);
  if (greedy) *greedy = plain;
  return {{"bleu", bleu.score()},
          {"bleu_beam", bleu_beam.score()},
          {"bleu_parts", bleu.text()},
          {"bleu_beam_parts", bleu_beam.text()},
          {"exact_percent", exact_percent(plain, test.references)},
          {"reference_tokens", bleu.reference_length()}};
}

class Seq2SeqCourse : public Course {
 public:
  Seq2SeqCourse(const Settings& settings, TranslationText text, const ParallelText& train,
                const ParallelText& validation, const TrainOptions& options,
                const std::optional<Checkpoint>& resumed)
      : translator_{std::move(text), nullptr},
        watched_(validation, translator_.text, text_options(settings), 200),
        test_(load_sentences(settings, Split::test, options.data_dir), translator_.text,
              text_options(settings), options.quick ? 100 : 0) {
    const TranslationText& words = translator_.text;
    translator_.learner =
        std::make_unique<Learner>(settings, words.pairs(train, settings.most_length),
                                  words.pairs(validation, settings.most_length), words.state());
    if (resumed) translator_.learner->restore(*resumed);
    folder = cat("seq2seq-", settings.task, "-", settings.source, "-", settings.target, "-", settings.net,
                 "-", settings.attention, "-seed", settings.seed);
    label = cat("seq2seq ", settings.attention);
    title =
        cat("Sequence to sequence: ", settings.task, ", ", settings.net, ", attention ", settings.attention);
    unit = "nats";
    columns = {"epoch", "train_loss", "val_loss", "val_perplexity", "val_bleu"};
    frames = 1;
    evaluations = 10;
  }

  fovea::Learner& learner() override { return own(); }
  Index steps() const override { return translator_.learner->settings().steps; }

  std::vector<std::optional<double>> measure(double cost, bool evaluate) override {
    std::vector<std::optional<double>> row{own().epochs(), cost};
    if (evaluate) {
      const double loss = own().validate();
      const Bleu bleu = bleu_of(translator_.translate(watched_.text.source, 1, 0), watched_.references);
      row.insert(row.end(), {loss, std::exp(loss), bleu.score()});
    }
    row.resize(columns.size());
    return row;
  }

  Json facts() const override {
    Json facts = facts_of(*translator_.learner);
    facts["epochs"] = translator_.learner->epochs();
    return facts;
  }
  Json metrics() override {
    const double loss = own().validate();
    Json metrics = score(translator_, test_, &translations_);
    metrics.update({{"val_loss", loss}, {"val_perplexity", std::exp(loss)}});
    return metrics;
  }

  void sketch(RunFolder& run) override {
    if (own().settings().attention == "none") return;
    const auto& source = test_.text.source;
    run.figure(
        "attention",
        draw_attention(translator_, {source.begin(), source.begin() + std::min<long>(4, std::ssize(source))}),
        "Where it looks: a row for every word it writes, a column for every word of the test sentence.");
  }

  void draw(RunFolder& run, const Json&, const std::vector<NamedTensor>&) override {
    sketch(run);
    run.figure("learning_curve", draw_losses(run.path()),
               "Every word is predicted from the true ones before.");
    run.figure("bleu_by_length",
               draw_bleu_by_length({{cat("attention ", own().settings().attention), translations_}},
                                   test_.references, test_.lengths),
               "Greedy translations of the test set.");
  }

 private:
  Learner& own() const { return *translator_.learner; }

  Translator translator_;
  TestSet watched_, test_;
  Sentences translations_;
};

struct TrainSeq2Seq {
  TrainOptions common;
  SettingOptions given;
  std::string task;
  std::optional<Index> epochs;

  int operator()() {
    common.apply();
    const std::optional<Checkpoint> resumed = resumed_checkpoint(common);
    if (task.empty()) task = common.data_dir.empty() ? "dates" : "multi30k";
    Settings s = resumed ? Settings::from_json(resumed->meta) : seq2seq::settings_for(task);
    if (!resumed) s.seed = common.seed;
    given.apply_to(choices(s));
    const ParallelText train_text = load_sentences(s, Split::train, common.data_dir),
                       validation = load_sentences(s, Split::validation, common.data_dir);
    TranslationText text = resumed ? TranslationText::from(resumed->extra, text_options(s))
                                   : TranslationText::learn(train_text, text_options(s));
    if (!resumed) {
      s.source_words = static_cast<Index>(text.source().size());
      s.target_words = static_cast<Index>(text.target().size());
      if (epochs || !given.given("steps")) {
        const auto pairs = static_cast<Index>(train_text.size());
        s.steps = epochs.value_or(s.task == "dates" ? 4 : 10) * ((pairs + s.batch_size - 1) / s.batch_size);
      }
      if (common.quick) s.steps = std::min<Index>(s.steps, 40);
    }
    Seq2SeqCourse course(s, std::move(text), train_text, validation, common, resumed);
    return train(common, course, resumed);
  }
};

struct EvalSeq2Seq {
  CommonOptions common;
  std::vector<fs::path> checkpoints;
  fs::path figure;

  int operator()() {
    common.apply();
    std::vector<Scored> scored;
    std::optional<TestSet> test;
    std::string task;
    Json all = Json::array();
    for (const fs::path& path : checkpoints) {
      const Translator t = load_translator(read_checkpoint(path));
      const Settings& s = t.learner->settings();
      test.emplace(load_sentences(s, Split::test, common.data_dir), t.text, text_options(s));
      Json out = facts_of(*t.learner);
      const std::string own = cat(s.task, " ", s.source, " ", s.target);
      if (task.empty()) task = own;
      require(task == own, "eval", path.string(), " learned ", own, ", the first ", task,
              "; score one task at a time");
      out["steps"] = t.learner->steps();
      scored.push_back({cat("attention ", s.attention), {}});
      out.update(score(t, *test, &scored.back().translations));
      all.push_back(std::move(out));
    }
    if (!figure.empty()) draw_bleu_by_length(scored, test->references, test->lengths).save(figure);
    std::cout << (all.size() == 1 ? all[0] : all).dump(2) << '\n';
    return 0;
  }
};

struct Translate {
  CommonOptions common;
  fs::path checkpoint, heatmap;
  std::vector<std::string> sentences;
  Index beam = beam_size;
  double penalty = length_penalty;

  int operator()() {
    common.apply();
    const Translator t = load_translator(read_checkpoint(checkpoint));
    if (!sentences.empty()) {
      for (const auto& words : t.translate(sentences, beam, penalty)) std::cout << join_words(words) << '\n';
      if (!heatmap.empty()) draw_attention(t, sentences).save(heatmap);
      return 0;
    }
    int status = 0;
    std::string line;
    for (std::size_t number = 1; std::getline(std::cin, line); ++number) {
      // A line that cannot be translated leaves an empty one, so that lines go on belonging together.
      try {
        if (!split_words(line).empty()) std::cout << join_words(t.translate({line}, beam, penalty)[0]);
        if (!heatmap.empty()) sentences.push_back(line);
      } catch (const Error& e) {
        std::cerr << "fovea translate: line " << number << ": " << e.what() << '\n';
        status = 1;
      }
      std::cout << '\n';
    }
    if (!heatmap.empty() && !sentences.empty()) draw_attention(t, sentences).save(heatmap);
    return status;
  }
};

}  // namespace

void add_seq2seq(Commands& commands) {
  const std::string about = "Sequence to sequence with attention (Bahdanau et al. 2015, Luong et al. 2015)";
  CLI::App* train = commands.train.add_subcommand("seq2seq", about);
  auto t = on_call<TrainSeq2Seq>(train, commands);
  train
      ->add_option("--task", t->task,
                   listed(seq2seq::task_names()) + " (default: dates; with --data-dir multi30k)")
      ->check(CLI::IsMember(seq2seq::task_names()));
  train->add_option("--epochs", t->epochs, "Passes over the sentences (default 10; dates 4)")
      ->check(CLI::PositiveNumber);
  t->common.add_to(*train);
  train->get_option("--preset")->description("default")->check(CLI::IsMember({"default"}));
  Settings settings;
  t->given.add_to(*train, choices(settings));
  train->get_option("--resume")->excludes(train->get_option("--epochs"));

  CLI::App* eval = commands.eval.add_subcommand("seq2seq", "BLEU on the test set, greedily and with a beam");
  auto e = on_call<EvalSeq2Seq>(eval, commands);
  eval->add_option("--checkpoint", e->checkpoints, "Folders of runs")
      ->required()
      ->check(CLI::ExistingDirectory);
  eval->add_option("--figure", e->figure, "Draw BLEU by length of all of them: .png or .svg");
  e->common.add_to(*eval);

  CLI::App* translate = commands.app.add_subcommand("translate", "Translate sentences, or lines from stdin");
  auto r = on_call<Translate>(translate, commands);
  add_checkpoint_option(translate, r->checkpoint);
  translate->add_option("sentence", r->sentences, "Sentences; without, one a line from stdin");
  translate->add_option("--heatmap", r->heatmap,
                        "Draw where it looks while it translates greedily: .png or .svg");
  translate->add_option("--beam", r->beam, "Sentences kept at a time; 1 is greedy")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  translate->add_option("--length-penalty", r->penalty, "0 favours short translations")
      ->capture_default_str();
  r->common.add_to(*translate);

  Commands::Family family{"seq2seq", about, {}};
  for (const std::string& name : seq2seq::task_names()) family.tasks.emplace_back(name, seq2seq::about(name));
  commands.families.push_back(std::move(family));
}

}  // namespace fovea::tools

#else

namespace fovea::tools {
void add_seq2seq(Commands&) {}  // needs fovea::text
}  // namespace fovea::tools

#endif  // FOVEA_TEXT
