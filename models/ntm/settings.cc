#include "fovea/models/ntm/learner.h"

namespace fovea::ntm {
namespace {

// Tables 1 to 3 of the paper: heads and controller of the LSTM-controller NTM, its learning rate; then the
// baseline's layer size and learning rate.
struct PaperRow {
  const char* task;
  Index sequences;  // of the default preset
  Index heads, controller_size;
  int controller_layers;
  double lr;
  Index lstm_size;
  double lstm_lr;
};
constexpr PaperRow paper[] = {{"copy", 60000, 1, 100, 1, 1e-4, 256, 3e-5},
                              {"repeat-copy", 100000, 1, 100, 1, 1e-4, 512, 3e-5},
                              {"recall", 150000, 1, 100, 1, 1e-4, 256, 1e-4},
                              {"ngrams", 100000, 1, 100, 1, 3e-5, 128, 1e-4},
                              {"sort", 300000, 5, 100, 2, 3e-5, 128, 3e-5}};

}  // namespace

std::vector<Setting> Settings::list() {
  std::vector<Setting> all{{"task", &task, "What to learn"},
                           {"model", &model, "ntm, or lstm: the paper's baseline"},
                           {"controller", &controller, "lstm or feedforward"},
                           {"controller_size", &controller_size, "Units of the controller", 1},
                           {"controller_layers", &controller_layers, "Layers of the controller", 1},
                           {"read_heads", &read_heads, "Heads that read", 1},
                           {"write_heads", &write_heads, "Heads that write", 1},
                           {"memory_rows", &memory_rows, "Rows of the memory, N", 1},
                           {"memory_width", &memory_width, "Elements of a row, M", 1},
                           {"start", &start, "How the memory starts: constant, learned or random"},
                           {"focus", &focus, "Logit of row 0 in the weightings that heads start with"},
                           {"heads", &heads, "Activation of keys and adds: tanh or linear"},
                           {"lstm_size", &lstm_size, "Units of each of the baseline's three layers", 1}};
  for (const Setting& s : TrainingSettings::list()) all.push_back(s);
  return all;
}

std::string Settings::to_json() const { return settings_to_json(Settings(*this).list()); }

Settings Settings::from_json(const std::string& text) {
  Settings s;
  settings_from_json(s.list(), text, "ntm");
  return s;
}

Settings settings_for(const std::string& task, const std::string& model, const std::string& preset) {
  make_task(task);  // throws for an unknown one
  require(preset == "default" || preset == "paper", "ntm", "'", preset,
          "' is not a preset; there are default and paper");
  Settings s;
  s.task = task;
  s.model = model;
  const PaperRow* row = paper;
  while (task != row->task) ++row;
  s.controller_size = row->controller_size;
  s.controller_layers = row->controller_layers;
  s.read_heads = s.write_heads = row->heads;
  s.lstm_size = row->lstm_size;
  if (preset == "paper") {
    s.lr = model == "lstm" ? row->lstm_lr : row->lr;
    s.optimizer = "rmsprop";
    s.clip_norm = 0;
    s.clip_value = 10;
    s.start = "learned";
    s.heads = "linear";
    s.schedule = "constant";
    s.steps = 1000000;
  } else {
    s.steps = row->sequences / s.batch_size;
    // With an LSTM controller recall stays on a plateau of some 10 bits for 60,000 sequences and more.
    if (task == "recall") s.controller = "feedforward";
  }
  return s;
}

}  // namespace fovea::ntm
