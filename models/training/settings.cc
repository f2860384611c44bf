#include "fovea/models/training/settings.h"

#include <nlohmann/json.hpp>

namespace fovea {

std::vector<Setting> TrainingSettings::list() {
  return {{"steps", &steps, "Updates to make in all", 1},
          {"batch_size", &batch_size, "Examples in a batch", 1},
          {"optimizer", &optimizer, "adam, adamw, rmsprop in Graves' form, or sgd with momentum 0.9"},
          {"lr", &lr, "Learning rate", 1e-12},
          {"beta2", &beta2, "Of adam and adamw: how long squares of gradients count"},
          {"weight_decay", &weight_decay, "Of adamw, for matrices"},
          {"schedule", &schedule, "Of the learning rate: cosine, cooldown or constant"},
          {"warmup", &warmup, "Updates over which cosine and constant rise to the learning rate"},
          {"final_lr", &final_lr, "Learning rate where cosine ends"},
          {"clip_norm", &clip_norm, "Clip the gradients' norm; 0: not"},
          {"clip_value", &clip_value, "Clip every gradient component; 0: not"},
          {"seed", &seed, "Seed of all random numbers"}};
}

std::string settings_to_json(const std::vector<Setting>& settings) {
  nlohmann::ordered_json json;
  for (const Setting& s : settings) std::visit([&](auto* value) { json[s.name] = *value; }, s.value);
  return json.dump();
}

void settings_from_json(const std::vector<Setting>& settings, const std::string& text, const char* family) {
  try {
    auto json = nlohmann::json::parse(text);
    for (const Setting& s : settings) {
      if (!json.contains(s.name)) continue;
      if (json.at(s.name).is_number())
        require(json.at(s.name).get<double>() >= s.least, family, s.name, " is ", json.at(s.name).dump(),
                "; it must be at least ", s.least);
      std::visit([&](auto* value) { json.at(s.name).get_to(*value); }, s.value);
      json.erase(s.name);
    }
    require(json.empty(), family, "settings have an unknown field ", json.empty() ? "" : json.begin().key(),
            "; are they another model's?");
  } catch (const nlohmann::json::exception& e) {
    fail(family, "settings cannot be read: ", e.what());
  }
}

}  // namespace fovea
