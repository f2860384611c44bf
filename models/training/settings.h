#ifndef FOVEA_MODELS_TRAINING_SETTINGS_H_
#define FOVEA_MODELS_TRAINING_SETTINGS_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "fovea/core/device.h"
#include "fovea/core/error.h"
#include "fovea/core/shape.h"

/// Everything that decides a training run, as named numbers and words. A family's settings are a struct that
/// lists its members once; checkpoints and the command line both read that list.

namespace fovea {

/// One setting: its name, where its value lies and what it means.
struct Setting {
  const char* name;
  std::variant<std::string*, Index*, int*, double*, bool*, std::uint64_t*> value;
  const char* about;
  double least = 0;                     ///< of a number; smaller ones are refused
  std::vector<std::string> words = {};  ///< all that a word may be; empty: any
};

/// The words that a setting may be, each with what it stands for.
template <class Choice>
using Choices = std::initializer_list<std::pair<const char*, Choice>>;

/// The words alone.
template <class Choice>
std::vector<std::string> words_of(Choices<Choice> choices) {
  std::vector<std::string> words;
  for (const auto& [word, choice] : choices) words.push_back(word);
  return words;
}

/// The settings of every run.
struct TrainingSettings {
  Index steps = 1000;  ///< updates
  Index batch_size = 1;
  std::string optimizer = "adam";  ///< adam, adamw, or rmsprop in Graves' form, or sgd with momentum 0.9
  double lr = 1e-3;
  double beta2 = 0.999;             ///< of adam and adamw
  double weight_decay = 0;          ///< of adamw; of matrices, not of vectors
  std::string schedule = "cosine";  ///< cosine, cooldown, noam or constant; see make_schedule()
  Index warmup = 0;                 ///< updates over which cosine, noam and constant rise to lr
  double final_lr = 0;              ///< where cosine ends
  double clip_norm = 10;            ///< the largest norm of the gradients; 0: any
  double clip_value = 0;            ///< the largest component of the gradients; 0: any
  std::uint64_t seed = 1;
  Device device = Cpu{};  ///< where the model lies; not in the list, since a run may go on elsewhere

  /// The list.
  std::vector<Setting> list();
};

/// One line of JSON.
std::string settings_to_json(const std::vector<Setting>& settings);
/// Sets what the JSON names. Throws an Error, naming the family, for text that is not JSON, a name that is
/// not in the list, and a value of another kind or below its least.
void settings_from_json(const std::vector<Setting>& settings, const std::string& text, const char* family);

/// What a family's settings derive from: `struct Settings : FamilySettings<Settings>`, with `family`, its
/// name in messages, and own(), the list of its own members.
template <class S>
struct FamilySettings : TrainingSettings {
  /// All of them: the family's, then those of every run.
  std::vector<Setting> list() {
    std::vector<Setting> all = static_cast<S*>(this)->own();
    for (const Setting& s : TrainingSettings::list()) all.push_back(s);
    return all;
  }
  /// One line of JSON, and back. from_json throws an Error that names a field it does not know.
  std::string to_json() const { return settings_to_json(S(static_cast<const S&>(*this)).list()); }
  static S from_json(const std::string& text) {
    S s;
    settings_from_json(s.list(), text, S::family);
    return s;
  }
};

/// The row of a table whose `name` is this word. Throws as chosen() does.
template <class Rows>
const auto& row_named(const char* family, const char* what, const Rows& rows, const std::string& word) {
  std::string words;
  for (const auto& row : rows) {
    if (word == row.name) return row;
    words += cat(words.empty() ? "" : ", ", row.name);
  }
  fail(family, "'", word, "' is not a ", what, "; there are ", words);
}

/// The names of such a table's rows.
template <class Rows>
std::vector<std::string> names_of(const Rows& rows) {
  std::vector<std::string> names;
  for (const auto& row : rows) names.push_back(row.name);
  return names;
}

/// The choice that a word stands for. Throws an Error that lists the words: "'hot' is not a start; there are
/// constant, random".
template <class Choice>
Choice chosen(const char* family, const char* what, const std::string& word, Choices<Choice> choices) {
  std::string words;
  for (const auto& [name, choice] : choices) {
    if (word == name) return choice;
    words += cat(words.empty() ? "" : ", ", name);
  }
  fail(family, "'", word, "' is not a ", what, "; there are ", words);
}

}  // namespace fovea

#endif  // FOVEA_MODELS_TRAINING_SETTINGS_H_
