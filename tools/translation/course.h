#ifndef FOVEA_TOOLS_TRANSLATION_COURSE_H_
#define FOVEA_TOOLS_TRANSLATION_COURSE_H_

#include <optional>

#include "tools/setting_options.h"
#include "tools/training_run.h"
#include "tools/translation/figures.h"
#include "tools/translation/translator.h"

/// What training and scoring have in common for all families that translate.

namespace fovea::tools {

/// The sentences that translations are scored on.
struct TestSet {
  ParallelText text;
  Sentences references;
  std::vector<std::size_t> lengths;  ///< of the sources, in words

  /// All sentences, or the first `most`.
  TestSet(ParallelText sentences, const TranslationText& words, const TranslationTextOptions& options,
          std::size_t most = 0);
};

/// Throws for languages that were given but that the task does not have, or that are the same.
void check_languages(const TranslationTask& task, const SettingOptions& given);

/// Throws where all pairs are longer than a task's sentences may be, so that none is left to learn from or to
/// validate with. Says on stderr, unless `quiet`, how many have been left out of `all`.
struct PairsLeft {
  std::size_t all, left;
};
void check_lengths(const TranslationTask& task, PairsLeft training, PairsLeft validation, bool quiet);

/// What the validation and the test set say of a network: greedily with the weights as they are, and with a
/// beam of 5 with their mean where it is kept and `averages`. `greedy` keeps the translations.
Facts score(const Translator& translator, const TestSet& test, Sentences* greedy = nullptr,
            bool averages = true);

/// Learning to translate.
class TranslationCourse : public Course {
 public:
  /// `facts`: what the family says of its network, for summary.json; `kind`: the same in a word or two.
  TranslationCourse(Translator translator, const ParallelText& validation, const TrainOptions& options,
                    Facts facts, const std::string& kind);

  Learner& learner() override { return *translator_.learner; }
  Index steps() const override { return steps_; }
  void set_steps(Index steps) { steps_ = steps; }
  std::vector<std::optional<double>> measure(double cost, bool evaluate) override;
  Facts facts() const override;
  Facts metrics() override;
  void sketch(RunFolder& run) override;
  void draw(RunFolder& run, const Facts& metrics, const std::vector<NamedTensor>& frames) override;

 protected:
  const Translator& translator() const { return translator_; }
  /// Greedy translations of the first `most` test sentences that are no longer than those it learns from, for
  /// figures.
  std::vector<Translation> examples(std::size_t most) const;

  const char* training_loss_ = "training";  ///< what the learning curve calls it

 private:
  Index steps_ = 0;
  Translator translator_;
  Facts facts_;
  std::string kind_;
  TestSet watched_, test_;
  Sentences translations_;
};

/// The settings that people choose: the rest comes with the task.
template <class Settings>
std::vector<Setting> translation_choices(Settings& s) {
  return without(s.list(), {"source_words", "target_words", "model"});
}

/// Adds the switch that leaves the mean of the weights aside.
inline void add_last_weights_option(Command command, bool& value) {
  command.flag("--last-weights", value, "Use the weights that training ended with, not their mean");
}

/// `fovea eval` of checkpoints of any family.
struct EvalTranslation {
  CommonOptions common;
  std::vector<std::filesystem::path> checkpoints;
  std::filesystem::path figure;
  bool last_weights = false;

  int operator()();
  void add_to(Command command);
};

}  // namespace fovea::tools

#endif  // FOVEA_TOOLS_TRANSLATION_COURSE_H_
