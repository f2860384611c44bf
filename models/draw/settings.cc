#include <nlohmann/json.hpp>

#include "fovea/models/draw/learner.h"

namespace fovea::draw {
namespace {

// Every field with its name, for reading and writing alike.
template <class S, class F>
void each_field(S& s, F&& f) {
  f("task", s.task);
  f("model", s.model);
  f("height", s.height);
  f("width", s.width);
  f("channels", s.channels);
  f("classes", s.classes);
  f("glimpses", s.glimpses);
  f("latent", s.latent);
  f("hidden", s.hidden);
  f("attention", s.attention);
  f("read_size", s.read_size);
  f("write_size", s.write_size);
  f("learned_start", s.learned_start);
  f("pixels", s.pixels);
  f("batch_size", s.batch_size);
  f("lr", s.lr);
  f("schedule", s.schedule);
  f("clip_norm", s.clip_norm);
  f("seed", s.seed);
  f("steps", s.steps);
}

// The pictures of each task, then table 3 of the paper: glimpses, LSTM, latents, read and write N. Steps are
// updates of 100 pictures.
struct PaperRow {
  const char* task;
  Index side, channels;
  Index glimpses, hidden, latent, read_size, write_size;
  Index steps;
};
constexpr PaperRow paper[] = {{"mnist", 28, 1, 64, 256, 100, 2, 5, 50000},
                              {"svhn", 54, 3, 32, 800, 100, 12, 12, 100000},
                              {"cifar", 32, 3, 64, 400, 200, 5, 5, 100000},
                              {"cluttered", 100, 1, 8, 256, 0, 12, 0, 50000}};

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
    require(json.empty(), "draw", "settings have an unknown field ", json.empty() ? "" : json.begin().key());
  } catch (const nlohmann::json::exception& e) {
    fail("draw", "settings cannot be read: ", e.what());
  }
  return s;
}

std::vector<std::string> task_names() {
  std::vector<std::string> names;
  for (const PaperRow& row : paper) names.push_back(row.task);
  return names;
}

Settings settings_for(const std::string& task, const std::string& preset) {
  require(preset == "default" || preset == "paper", "draw", "'", preset,
          "' is not a preset; there are default and paper");
  std::string names;
  for (const PaperRow& row : paper) {
    names += cat(names.empty() ? "" : ", ", row.task);
    if (task != row.task) continue;
    Settings s;
    s.task = task;
    s.height = s.width = row.side;
    s.channels = row.channels;
    if (task == "cluttered") s.model = "classifier";
    if (row.channels > 1) s.pixels = "grey";
    if (preset == "paper" || task == "cluttered") {
      s.glimpses = row.glimpses;
      s.hidden = row.hidden;
      s.latent = row.latent;
      s.read_size = row.read_size;
      s.write_size = row.write_size;
    }
    if (preset == "paper") {
      s.lr = 3e-4;
      s.steps = row.steps;
    }
    return s;
  }
  fail("draw", "'", task, "' is not a task; there are ", names);
}

}  // namespace fovea::draw
