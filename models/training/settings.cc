#include "fovea/models/training/settings.h"

#include <nlohmann/json.hpp>

namespace fovea {

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
