#ifndef FOVEA_MODELS_TRAINING_CHECKPOINT_H_
#define FOVEA_MODELS_TRAINING_CHECKPOINT_H_

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "fovea/core/generator.h"
#include "fovea/core/named_tensor.h"
#include "fovea/core/shape.h"

namespace fovea {

/// All it takes to go on with a run bit for bit:
///
///     save_checkpoint(folder, {.step = step,
///                              .model = named_tensors(model),
///                              .optimizer = optimizer.state(),
///                              .generators = {{"data", random.state()}}});
///     ...
///     const Checkpoint c = load_checkpoint(folder);
///     load_tensors(model, c.model);
///     optimizer.load_state(c.optimizer);
///     random.set_state(c.generators.at("data"));
struct Checkpoint {
  Index step = 0;
  std::vector<NamedTensor> model = {};
  std::vector<NamedTensor> optimizer = {};
  std::vector<NamedTensor> extra = {};  ///< whatever else a run remembers: averages, the order of its data
  std::map<std::string, Generator::State> generators = {};
  std::string meta = "{}";  ///< JSON of the run's own: its settings, its metrics so far
};

/// The file in a checkpoint's folder: one, so that it is replaced as a whole or not at all. It is
/// safetensors, with names "model.hidden.weight", "optimizer.hidden.weight/exp_avg", "extra. ..." and the
/// rest in its metadata.
inline constexpr const char* checkpoint_file = "checkpoint.safetensors";

/// Writes a checkpoint into a folder, which is made when missing. The checkpoint that was there stays whole
/// until the new one is complete on the disk: a crash or a full disk loses nothing. Errors name the path.
void save_checkpoint(const std::filesystem::path& folder, const Checkpoint& checkpoint);

/// Reads it back. The tensors lie in the mapped file: copy them into model and optimizer.
Checkpoint load_checkpoint(const std::filesystem::path& folder);

/// Whether the folder holds a checkpoint.
bool has_checkpoint(const std::filesystem::path& folder);

}  // namespace fovea

#endif  // FOVEA_MODELS_TRAINING_CHECKPOINT_H_
