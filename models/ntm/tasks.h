#ifndef FOVEA_MODELS_NTM_TASKS_H_
#define FOVEA_MODELS_NTM_TASKS_H_

#include <memory>
#include <string>
#include <vector>

#include "fovea/core/generator.h"
#include "fovea/core/tensor.h"

/// The five algorithmic tasks of "Neural Turing Machines" (Graves, Wayne, Danihelka 2014, section 4).
/// Episodes make themselves; nothing is read from disk.

namespace fovea::ntm {

/// A batch of episodes of one length. Time comes first, because a step of a recurrence takes one row of it.
struct Episode {
  Tensor input;      ///< [T,B,I]
  Tensor target;     ///< [T,B,O], elements 0 or 1
  Index scored;      ///< the loss counts the last `scored` steps
  Index written;     ///< the steps before the answer starts: what figures show as the write phase
  std::string what;  ///< its size in words, as "L=20"
};

/// The size of an episode. What `length` and `repeats` count depends on the task; 0 means "draw as in
/// training".
struct EpisodeSize {
  Index length = 0;
  Index repeats = 0;
};

/// Makes episodes of one task.
class Task {
 public:
  virtual ~Task() = default;
  virtual std::string name() const = 0;
  virtual std::string about() const = 0;  ///< one line for people
  virtual Index inputs() const = 0;       ///< I
  virtual Index outputs() const = 0;      ///< O
  /// `batch` episodes of one size. Throws when the task cannot have the size asked for.
  virtual Episode draw(Index batch, Generator& random, EpisodeSize size = {}) const = 0;
  /// Sizes that show how a trained model generalises: the paper's.
  virtual std::vector<EpisodeSize> test_sizes() const = 0;
  /// The largest size that is drawn in training.
  virtual EpisodeSize largest_trained() const = 0;
  /// Bits that the best possible predictor pays for each sequence of an episode; only dynamic N-grams knows
  /// it.
  virtual std::vector<double> optimal_bits(const Episode&) const { return {}; }
};

/// copy, repeat-copy, recall, ngrams or sort. Throws for any other name, listing these.
std::unique_ptr<Task> make_task(const std::string& name);

/// The names that make_task knows, in the paper's order.
const std::vector<std::string>& task_names();

}  // namespace fovea::ntm

#endif  // FOVEA_MODELS_NTM_TASKS_H_
