#include "fovea/models/translation/task.h"

#include <algorithm>

namespace fovea {
namespace {

struct TaskRow {
  const char *name, *source, *target, *about;
};
constexpr TaskRow tasks[] = {
    {"dates", "figures", "words", "dates in figures to dates in words, which make themselves"},
    {"copy", "symbols", "symbols", "ten symbols, to be written again"},
    {"multi30k", "en", "de", "captions of pictures, en, de and fr (needs --data-dir)"}};

}  // namespace

std::vector<Setting> TranslationTask::translation_settings() {
  return {
      {"model", &model, "The family of models"},
      {"task", &task, "What to learn"},
      {"source", &source, "The language to translate from: en, de, fr"},
      {"target", &target, "The language to translate into"},
      {"merges", &merges, "Of byte-pair encoding, learned on both sides; 0: whole words"},
      {"shared_words", &shared_words, "One vocabulary for both sides"},
      {"min_count", &min_count, "Words that occur less often are unknown", 1},
      {"source_words", &source_words, "Of the vocabulary", 1},
      {"target_words", &target_words, "Of the vocabulary", 1},
      {"most_length", &most_length, "Tokens of a sentence; longer ones are left out of training", 1},
      {"tokens", &tokens, "Most tokens of a batch on a side, padding included; 0: any"},
      {"pad_to", &pad_to, "Pad lengths to multiples: few shapes of batches, which a GPU replays (there: 8)",
       1},
      {"averages", &averages, "Keep the mean of the weights at so many moments at the end; 0: none"},
      {"average_every", &average_every, "Updates between these moments, by default fewer in a short run", 1}};
}

std::vector<std::string> translation_tasks() { return names_of(tasks); }

std::string about_translation(const std::string& task) {
  return row_named("translate", "task", tasks, task).about;
}

void fit_averages(TranslationTask& t, Index steps) {
  if (t.averages > 0)
    t.average_every = std::clamp<Index>(steps * 15 / (100 * t.averages), 1, t.average_every);
}

void choose_translation(TranslationTask& t, const std::string& task) {
  const TaskRow& row = row_named("translate", "task", tasks, task);
  t.task = row.name;
  t.source = row.source;
  t.target = row.target;
}

}  // namespace fovea
