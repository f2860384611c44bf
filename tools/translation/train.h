#ifndef FOVEA_TOOLS_TRANSLATION_TRAIN_H_
#define FOVEA_TOOLS_TRANSLATION_TRAIN_H_

#include "tools/commands.h"
#include "tools/setting_options.h"
#include "tools/translation/course.h"

namespace fovea::tools {

/// `fovea train` of a family that translates. A family says: Settings, Learner and Course; settings(task,
/// preset, given), which may depend on options given; epochs(settings), what a run takes unless it is told, 0
/// where that is the preset's number of updates; complete(defaults), which --help shows; facts(settings) and
/// kind(settings), see TranslationCourse.
template <class Family>
struct TrainTranslation {
  TrainOptions common;
  SettingOptions given;
  std::string task;
  std::optional<Index> epochs;

  int operator()() {
    using Settings = typename Family::Settings;
    common.apply();
    const std::optional<Checkpoint> resumed = resumed_checkpoint(common);
    if (task.empty()) task = common.data_dir.empty() ? "dates" : "multi30k";
    Settings s = resumed ? Settings::from_json(resumed->meta) : Family::settings(task, common.preset, given);
    if (!resumed) s.seed = common.seed;
    s.device = common.chosen_device();
    if (!resumed && !is_cpu(s.device)) s.pad_to = 8;  // few shapes, so that updates are replayed
    given.apply_to(translation_choices(s));
    check_languages(s, given);
    const ParallelText train_text = load_sentences(s, Split::train, common.data_dir),
                       validation = load_sentences(s, Split::validation, common.data_dir);
    TranslationText text = resumed ? TranslationText::from(resumed->extra, text_options(s))
                                   : TranslationText::learn(train_text, text_options(s));
    TokenPairs pairs = text.pairs(train_text, s.most_length),
               validation_pairs = text.pairs(validation, s.most_length);
    check_lengths(s, {train_text.size(), pairs.source.size()},
                  {validation.size(), validation_pairs.source.size()}, common.quiet);
    if (!resumed) {
      s.source_words = static_cast<Index>(text.source().size());
      s.target_words = static_cast<Index>(text.target().size());
      const Index passes = epochs.value_or(given.given("steps") ? 0 : Family::epochs(s));
      if (passes > 0)
        s.steps =
            passes * TokenBatches(pairs, batch_options(s, s.batch_size), Generator()).batches_in_epoch();
      if (common.quick) s.steps = std::min<Index>(s.steps, 40);
      if (!given.given("average_every")) fit_averages(s, s.steps);
    }
    std::vector<NamedTensor> words = text.state();
    auto learner = std::make_unique<typename Family::Learner>(s, std::move(pairs),
                                                              std::move(validation_pairs), std::move(words));
    if (resumed) learner->restore(*resumed);
    typename Family::Course course({std::move(text), std::move(learner)}, validation, common,
                                   Family::facts(s), Family::kind(s));
    course.folder += cat("-", Family::kind(s), "-seed", s.seed);
    course.set_steps(s.steps);
    return train(common, course, resumed);
  }

  void add_to(Command command, const std::vector<std::string>& presets, const std::string& about_presets) {
    command
        .option("--task", task, listed(translation_tasks()) + " (default: dates; with --data-dir multi30k)")
        .one_of(translation_tasks());
    command.option("--epochs", epochs, Family::about_epochs).positive();
    common.add_to(command, presets, about_presets);
    typename Family::Settings settings;
    Defaults defaults = defaults_of(translation_tasks(), [&](const std::string& task) {
      return Family::settings(task, common.preset, {});
    });
    if (Family::epochs(settings) > 0) defaults["steps"] = "as --epochs says";
    Family::complete(defaults);
    given.add_to(command, translation_choices(settings), defaults);
  }
};

}  // namespace fovea::tools

#endif  // FOVEA_TOOLS_TRANSLATION_TRAIN_H_
