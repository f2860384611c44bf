#ifdef FOVEA_TEXT

#include "tools/translation/course.h"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <set>

#include "tools/figure_options.h"

namespace fovea::tools {
namespace {

namespace fs = std::filesystem;

constexpr Index beam_size = 5;
constexpr double length_penalty = 1;

double exact_percent(const Sentences& translations, const Sentences& references) {
  std::size_t same = 0;
  for (std::size_t i = 0; i < references.size(); ++i) same += translations[i] == references[i];
  return 100 * static_cast<double>(same) / static_cast<double>(references.size());
}

Facts facts_of(const TranslationTask& t) {
  return {{"task", t.task}, {"source", t.source}, {"target", t.target}};
}

}  // namespace

TestSet::TestSet(ParallelText sentences, const TranslationText& words, const TranslationTextOptions& options,
                 std::size_t most)
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

void check_languages(const TranslationTask& task, const SettingOptions& given) {
  for (const char* name : {"source", "target"})
    require(!given.given(name) || task.task == "multi30k", task.model.c_str(), "the sentences of ", task.task,
            " make themselves and have no --", name,
            "; for languages give --data-dir or FOVEA_DATA, where multi30k lies");
  require(task.source != task.target || task.task != "multi30k", task.model.c_str(),
          "--source and --target are both ", task.source);
}

void check_lengths(const TranslationTask& task, PairsLeft training, PairsLeft validation, bool quiet) {
  for (const auto& [count, purpose] : {std::pair{training, "learn from"}, {validation, "validate with"}})
    require(count.left > 0, task.model.c_str(), "each of the ", count.all, " pairs to ", purpose,
            " has a sentence of more than ", task.most_length, " tokens; raise --most-length");
  if (quiet || (training.left == training.all && validation.left == validation.all)) return;
  std::cerr << training.all - training.left << " of " << training.all << " pairs to learn from and "
            << validation.all - validation.left << " of " << validation.all
            << " to validate with have a sentence of more than " << task.most_length
            << " tokens and are left out; BLEU is of all sentences, read whole\n";
}

Facts score(const Translator& t, const TestSet& test, Sentences* greedy, bool averages) {
  const double loss = t.learner->validate();
  const Sentences plain = t.translate(test.text.source, 1, 0);
  t.learner->use_averages(averages);
  const Sentences beam = t.translate(test.text.source, beam_size, length_penalty);
  t.learner->use_averages(false);
  const Bleu bleu = bleu_of(plain, test.references), bleu_beam = bleu_of(beam, test.references);
  if (greedy) *greedy = plain;
  return {{"bleu", bleu.score()},
          {"bleu_beam", bleu_beam.score()},
          {"bleu_parts", bleu.text()},
          {"bleu_beam_parts", bleu_beam.text()},
          {"exact_percent", exact_percent(plain, test.references)},
          {"exact_beam_percent", exact_percent(beam, test.references)},
          {"averaged", averages ? t.learner->averaged() : 0},
          {"reference_tokens", bleu.reference_length()},
          {"val_loss", loss},
          {"val_perplexity", std::exp(loss)}};
}

TranslationCourse::TranslationCourse(Translator translator, const ParallelText& validation,
                                     const TrainOptions& options, Facts facts, const std::string& kind)
    : translator_(std::move(translator)),
      facts_(std::move(facts)),
      kind_(kind),
      watched_(validation, translator_.text, text_options(translator_.learner->task()), 200),
      test_(load_sentences(translator_.learner->task(), Split::test, options.data_dir), translator_.text,
            text_options(translator_.learner->task()), options.quick ? 100 : 0) {
  const TranslationTask& t = translator_.learner->task();
  folder = cat(t.model, "-", t.task, "-", t.source, "-", t.target);
  label = cat(t.model, " ", kind);
  title = cat(t.model, ": ", t.task, ", ", kind);
  unit = "nats";
  columns = {"epoch", "train_loss", "val_loss", "val_perplexity", "val_bleu"};
  frames = 1;
  evaluations = 10;
}

std::vector<std::optional<double>> TranslationCourse::measure(double cost, bool evaluate) {
  std::vector<std::optional<double>> row{translator_.learner->epochs(), cost};
  if (evaluate) {
    const double loss = translator_.learner->validate();
    const Bleu bleu = bleu_of(translator_.translate(watched_.text.source, 1, 0), watched_.references);
    row.insert(row.end(), {loss, std::exp(loss), bleu.score()});
  }
  row.resize(columns.size());
  return row;
}

Facts TranslationCourse::facts() const {
  Facts facts = facts_;
  facts.update(facts_of(translator_.learner->task()));
  facts["epochs"] = translator_.learner->epochs();
  return facts;
}

Facts TranslationCourse::metrics() { return score(translator_, test_, &translations_); }

std::vector<Translation> TranslationCourse::examples(std::size_t most) const {
  std::vector<Translation> out;
  for (const std::string& s : test_.text.source)
    if (out.size() < most && translator_.too_long({s}) == 0)
      out.push_back({s, translator_.learner->translate({translator_.source_ids(s)})[0]});
  return out;
}

void TranslationCourse::sketch(RunFolder& run) {
  const std::vector<Translation> shown = examples(4);
  if (shown.empty()) return;
  const auto first = [&](std::ptrdiff_t n) {
    return std::vector(shown.begin(), shown.begin() + std::min(n, std::ssize(shown)));
  };
  const auto& [source, written] = shown.front();
  const auto heads = translator_.learner->look(translator_.source_ids(source), written).size();
  if (heads > 0)
    run.figure(
        "attention", draw_attention(translator_, first(heads > 1 ? 1 : 4)),
        cat("Where it looks: a row for every word it writes, a column for every word of the test sentence",
            heads > 1 ? "; the heads of the last layer" : "",
            translator_.learner->middles(translator_.source_ids(source), written).empty()
                ? "."
                : "; dots in the middle of its window."));
  run.figure("gradients", draw_gradients(translator_, first(2)),
             "How much the words that it reads bear on those that it writes: the length of the gradient of a "
             "word's log-probability by the vector of a word, each row scaled to its greatest.");
}

void TranslationCourse::draw(RunFolder& run, const Facts&, const std::vector<NamedTensor>&) {
  sketch(run);
  run.figure("learning_curve", draw_losses(run.path(), training_loss_),
             "Every word is predicted from the true ones before.");
  run.figure("bleu_by_length", draw_bleu_by_length({{kind_, translations_}}, test_.references, test_.lengths),
             "Greedy translations of the test set.");
  std::string all;
  RunFolder::Texts examples;
  for (std::size_t i = 0; i < translations_.size(); ++i) {
    const std::string written = join_words(translations_[i]);
    all += written + '\n';
    if (i < 8)
      examples.emplace_back(test_.text.source[i], cat(written, "\n(", join_words(test_.references[i]), ")"));
  }
  run.writing("translations", all, "What it writes, greedily, and what people wrote", std::move(examples));
}

namespace {

// What the figure calls the runs: of the names of each, from short to long, the first that tells all apart.
void name_apart(std::vector<Scored>& scored, const std::vector<std::vector<std::string>>& names) {
  for (std::size_t length = 0; length < names.front().size(); ++length) {
    std::set<std::string> different;
    for (std::size_t run = 0; run < scored.size(); ++run)
      different.insert(scored[run].name = names[run][length]);
    if (different.size() == scored.size()) return;
  }
}

}  // namespace

int EvalTranslation::operator()() {
  common.apply();
  if (!figure.empty()) check_figure(figure);
  std::vector<Scored> scored;
  std::optional<TestSet> test;
  std::string task;
  std::vector<Facts> all;
  std::vector<std::vector<std::string>> names;
  for (const fs::path& path : checkpoints) {
    const Checkpoint checkpoint = read_checkpoint(path);
    const Translator t = load_translator(checkpoint, common.chosen_device());
    const TranslationTask& own = t.learner->task();
    test.emplace(load_sentences(own, Split::test, common.data_dir), t.text, text_options(own));
    const std::string name = cat(own.task, " ", own.source, " ", own.target);
    if (task.empty()) task = name;
    require(task == name, "eval", path.string(), " learned ", name, ", the first ", task,
            "; score one task at a time");
    Facts out{{"model", own.model}};
    const Facts settings = Facts::from_json(t.learner->settings_json());
    std::string kind = own.model, net = own.model;
    if (const auto* attention = settings.find("attention")) {
      out.update({{"net", *settings.find("net")}, {"attention", *attention}});
      kind = cat("attention ", std::get<std::string>(*attention));
      net = std::get<std::string>(*settings.find("net"));
    }
    out.update(facts_of(own));
    out["seed"] = *settings.find("seed");
    out["steps"] = t.learner->steps();
    scored.emplace_back();
    const std::string seed = std::visit([](const auto& v) { return cat(v); }, out["seed"]);
    const std::string longer = net == kind ? kind : cat(net, ", ", kind);
    names.push_back({kind, longer, cat(longer, ", seed ", seed), path.string()});
    const ParallelText validation = load_sentences(own, Split::validation, common.data_dir);
    TokenPairs pairs = t.text.pairs(validation, own.most_length);
    check_lengths(own, {1, 1}, {validation.size(), pairs.source.size()}, true);
    t.learner->validate_with(std::move(pairs));
    out.update(score(t, *test, &scored.back().translations, !last_weights));
    all.push_back(std::move(out));
    if (const std::size_t count = t.too_long(test->text.source); count > 0 && !common.quiet)
      std::cerr << path.string() << ": " << count << " of " << test->text.size()
                << " test sentences have more than the " << own.most_length
                << " tokens that it learned from; they are read whole\n";
  }
  name_apart(scored, names);
  if (!figure.empty()) draw_bleu_by_length(scored, test->references, test->lengths).save(figure);
  std::cout << to_json(all) << '\n';
  return 0;
}

void EvalTranslation::add_to(Command command) {
  command.option("--checkpoint", checkpoints, "Folders of runs").required().folder();
  command.option("--figure", figure, "Draw BLEU by length of all of them: .png or .svg");
  add_last_weights_option(command, last_weights);
  common.add_to(command);
}

}  // namespace fovea::tools

#endif  // FOVEA_TEXT
