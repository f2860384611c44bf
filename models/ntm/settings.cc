#include <nlohmann/json.hpp>

#include "fovea/models/ntm/learner.h"

namespace fovea::ntm {
namespace {

// Every field with its name, for reading and writing alike.
template <class S, class F>
void each_field(S& s, F&& f) {
  f("task", s.task);
  f("model", s.model);
  f("controller", s.controller);
  f("controller_size", s.controller_size);
  f("controller_layers", s.controller_layers);
  f("read_heads", s.read_heads);
  f("write_heads", s.write_heads);
  f("memory_rows", s.memory_rows);
  f("memory_width", s.memory_width);
  f("start", s.start);
  f("heads", s.heads);
  f("lstm_size", s.lstm_size);
  f("batch_size", s.batch_size);
  f("optimizer", s.optimizer);
  f("lr", s.lr);
  f("schedule", s.schedule);
  f("clip_norm", s.clip_norm);
  f("clip_value", s.clip_value);
  f("seed", s.seed);
  f("steps", s.steps);
}

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

std::string Settings::to_json() const {
  nlohmann::ordered_json json;
  each_field(*this, [&](const char* name, const auto& value) { json[name] = value; });
  return json.dump();
}

Settings Settings::from_json(const std::string& text) {
  Settings s;
  try {
    auto json = nlohmann::json::parse(text);
    each_field(s, [&](const char* name, auto& value) {
      if (json.contains(name)) json.at(name).get_to(value);
      json.erase(name);
    });
    require(json.empty(), "ntm", "settings have an unknown field ", json.empty() ? "" : json.begin().key());
  } catch (const nlohmann::json::exception& e) {
    fail("ntm", "settings cannot be read: ", e.what());
  }
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
