#ifndef FOVEA_MODELS_TRANSLATION_TASK_H_
#define FOVEA_MODELS_TRANSLATION_TASK_H_

#include <string>
#include <vector>

#include "fovea/models/training/settings.h"

namespace fovea {

/// What is translated, and how it is cut into batches: the settings that all translation models share. A
/// family's settings derive from this and from FamilySettings.
struct TranslationTask {
  std::string model;                         ///< the family, so that a checkpoint says whose it is
  std::string task = "dates";                ///< a name of translation_tasks()
  std::string source = "en", target = "de";  ///< languages; names for the caller
  Index merges = 0;                          ///< of byte-pair encoding, learned on both sides; 0: whole words
  bool shared_words = false;                 ///< one vocabulary for both sides
  Index min_count = 2;                       ///< rarer words are unknown
  Index source_words = 1, target_words = 1;  ///< of the vocabularies
  Index most_length = 100;                   ///< tokens of a sentence
  Index tokens = 0;         ///< most cells of a batch, B * max(S, T); 0: batch_size alone decides
  Index pad_to = 1;         ///< see TokenBatchesOptions
  int averages = 0;         ///< the mean of so many moments of the weights is kept; 0: none
  Index average_every = 1;  ///< updates between them; the last one ends the run

  /// The list of these.
  std::vector<Setting> translation_settings();
};

/// Brings the moments that the mean is of closer together where they would not all lie in the last 15 % of so
/// many steps: weights of long before its end are those of a worse network.
void fit_averages(TranslationTask& t, Index steps);

/// dates, copy and multi30k.
std::vector<std::string> translation_tasks();
/// What a task is, in a line.
std::string about_translation(const std::string& task);
/// Sets the task and what the sides are called. Throws where there is no such task.
void choose_translation(TranslationTask& t, const std::string& task);

}  // namespace fovea

#endif  // FOVEA_MODELS_TRANSLATION_TASK_H_
