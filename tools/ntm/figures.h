#ifndef FOVEA_TOOLS_NTM_FIGURES_H_
#define FOVEA_TOOLS_NTM_FIGURES_H_

#include <string>
#include <vector>

#include "fovea/models/ntm/learner.h"
#include "tools/figures/canvas.h"
#include "tools/run_folder.h"

/// The figures of "Neural Turing Machines", drawn from a trained model.

namespace fovea::tools {

/// Figures 4 and 5: targets above outputs, for every test size of the task.
Canvas draw_answers(const ntm::Learner& learner, std::uint64_t seed);

/// Figure 6: inputs, adds and write weightings while it writes; outputs, reads and read weightings while it
/// answers. Many heads stand side by side.
Canvas draw_memory_use(const ntm::Learner& learner, ntm::EpisodeSize size, std::uint64_t seed);

/// Figures 3, 7, 10, 13 and 18: bits per sequence over the sequences seen, while training and, as dots, on
/// fresh sequences. Folders of runs to draw beside it.
Canvas draw_learning_curves(const std::vector<std::pair<std::string, std::filesystem::path>>& runs,
                            const std::string& task, double optimum);

/// Wrong bits per sequence over the size of the episodes, beyond those trained on; other models beside it.
struct Generalisation {
  std::string name;
  std::vector<double> size, wrong_percent;
};
Generalisation measure_generalisation(const ntm::Learner& learner, const std::string& name,
                                      std::uint64_t seed);
Canvas draw_generalisation(const std::vector<Generalisation>& models, const ntm::Task& task);

/// The animation of learning, as the bytes of a GIF: the target above the answers [scored,1,O] that the model
/// gave while it learned, each named by the number of sequences seen.
std::string animate_answers(const ntm::Episode& episode, const std::vector<NamedTensor>& answers);

}  // namespace fovea::tools

#endif  // FOVEA_TOOLS_NTM_FIGURES_H_
