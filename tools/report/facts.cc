#include "tools/report/facts.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "fovea/core/error.h"

namespace fovea::tools {
namespace {

using Json = nlohmann::ordered_json;

constexpr int indent = 2;

Facts::Value value_of(const Json& json) {
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_unsigned()) return json.get<std::uint64_t>();
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_number()) return json.get<double>();
  return json.get<std::string>();
}

Json object_of(const Facts& facts) {
  Json object = Json::object();
  for (const auto& [name, value] : facts) std::visit([&, &n = name](const auto& v) { object[n] = v; }, value);
  return object;
}

}  // namespace

Facts::Facts(std::initializer_list<Fact> facts) : facts_(facts) {}

Facts Facts::from_json(const std::string& text) {
  Facts facts;
  try {
    const Json json = Json::parse(text);
    require(json.is_object(), "facts", "these are no JSON object: ", text.substr(0, 60));
    for (const auto& [name, value] : json.items()) facts[name] = value_of(value);
  } catch (const Json::exception& e) {
    fail("facts", "no plain values in JSON: ", e.what());
  }
  return facts;
}

Facts::Value& Facts::operator[](const std::string& name) {
  const auto fact = std::ranges::find(facts_, name, &Fact::name);
  return fact == facts_.end() ? facts_.emplace_back(Fact{name, {}}).value : fact->value;
}

void Facts::update(const Facts& other) {
  for (const auto& [name, value] : other) (*this)[name] = value;
}

const Facts::Value* Facts::find(const std::string& name) const {
  const auto fact = std::ranges::find(facts_, name, &Fact::name);
  return fact == facts_.end() ? nullptr : &fact->value;
}

double Facts::number(const std::string& name, std::optional<double> otherwise) const {
  const Value* value = find(name);
  require(value || otherwise, "facts", "there is no ", name);
  return value ? std::get<double>(*value) : *otherwise;
}

std::string to_json(const Facts& facts, bool one_line) {
  return object_of(facts).dump(one_line ? -1 : indent);
}

std::string to_json(const Facts& facts, const std::string& name, const Facts& below) {
  Json object = object_of(facts);
  object[name] = object_of(below);
  return object.dump(indent);
}

std::string to_json(const std::vector<Facts>& all) {
  if (all.size() == 1) return to_json(all.front());
  Json array = Json::array();
  for (const Facts& facts : all) array.push_back(object_of(facts));
  return array.dump(indent);
}

}  // namespace fovea::tools
