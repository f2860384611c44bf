#include <algorithm>

#include "fovea/models/ntm/learner.h"

namespace fovea::ntm {
namespace {

// What learned fastest and most reliably of what was tried; README.md says what else was.
struct DefaultRow {
  const char* task;
  Index sequences;
  const char* controller;
  Index size, heads;
  const char* start;
  double focus, lr;
  const char* schedule;
};
constexpr DefaultRow best[] = {{"copy", 60000, "lstm", 100, 1, "constant", 8, 1e-3, "cosine"},
                               {"repeat-copy", 100000, "lstm", 100, 1, "random", 8, 3e-3, "cooldown"},
                               {"recall", 150000, "feedforward", 256, 4, "random", 8, 6e-4, "cosine"},
                               {"ngrams", 100000, "lstm", 100, 1, "constant", 8, 1e-3, "cooldown"},
                               {"sort", 300000, "lstm", 100, 5, "random", 8, 2e-3, "cooldown"}};

// Tables 1 to 3 of the paper: heads and controller of the LSTM-controller NTM, its learning rate; then the
// baseline's layer size and learning rate.
struct PaperRow {
  Index heads, controller_size;
  int controller_layers;
  double lr;
  Index lstm_size;
  double lstm_lr;
};
constexpr PaperRow paper[] = {{1, 100, 1, 1e-4, 256, 3e-5},
                              {1, 100, 1, 1e-4, 512, 3e-5},
                              {1, 100, 1, 1e-4, 256, 1e-4},
                              {1, 100, 1, 3e-5, 128, 1e-4},
                              {5, 100, 2, 3e-5, 128, 3e-5}};

}  // namespace

Settings settings_for(const std::string& task, const std::string& model, const std::string& preset) {
  make_task(task);  // throws for an unknown one
  const bool from_paper = chosen<bool>("ntm", "preset", preset, {{"default", false}, {"paper", true}});
  Settings s;
  s.task = task;
  s.model = model;
  std::size_t at = 0;
  while (task != best[at].task) ++at;
  const DefaultRow& row = best[at];
  const PaperRow& published = paper[at];
  s.lstm_size = std::min<Index>(published.lstm_size, 256);
  if (from_paper) {
    s.controller_size = published.controller_size;
    s.controller_layers = published.controller_layers;
    s.read_heads = s.write_heads = published.heads;
    s.lstm_size = published.lstm_size;
    s.lr = model == "lstm" ? published.lstm_lr : published.lr;
    s.optimizer = "rmsprop";
    s.clip_norm = 0;
    s.clip_value = 10;
    s.start = "learned";
    s.heads = "linear";
    s.schedule = "constant";
    s.steps = 1000000;
    return s;
  }
  if (model == "lstm") s.batch_size = 16;  // one sequence alone streams all weights through the cache
  s.steps = row.sequences / s.batch_size;
  if (model == "lstm") return s;
  s.controller = row.controller;
  s.controller_size = row.size;
  s.read_heads = s.write_heads = row.heads;
  s.start = row.start;
  s.focus = row.focus;
  s.lr = row.lr;
  s.schedule = row.schedule;
  return s;
}

}  // namespace fovea::ntm
