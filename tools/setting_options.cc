#include "tools/setting_options.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "tools/options.h"

namespace fovea::tools {
namespace {

std::string option_name(std::string name) {
  std::replace(name.begin(), name.end(), '_', '-');
  return "--" + name;
}

// Returns what is wrong with a value for a setting, or nothing; then, if asked to, sets it.
std::string read(const Setting& s, const std::string& text, bool set) {
  return std::visit(
      [&](auto* value) -> std::string {
        using T = std::remove_pointer_t<decltype(value)>;
        T read;
        if (!CLI::detail::lexical_cast(text, read))
          return "'" + text + "' is not a " + (std::is_floating_point_v<T> ? "number" : "whole number");
        if constexpr (std::is_arithmetic_v<T>)
          if (!(static_cast<double>(read) >= s.least)) return cat("it must be at least ", s.least);
        if (!s.words.empty() && std::find(s.words.begin(), s.words.end(), text) == s.words.end())
          return cat("'", text, "' is not known; there are ", CLI::detail::join(s.words, ", "));
        if (set) *value = read;
        return "";
      },
      s.value);
}

std::string kind(const Setting& s) {
  return std::visit(
      [&](auto* value) -> std::string {
        using T = std::remove_pointer_t<decltype(value)>;
        if (!s.words.empty()) return "{" + CLI::detail::join(s.words, ",") + "}";
        if (std::is_same_v<T, std::string>) return "TEXT";
        return std::is_floating_point_v<T> ? "FLOAT" : std::is_same_v<T, bool> ? "{true,false}" : "INT";
      },
      s.value);
}

}  // namespace

std::string text_of(const Setting& setting) {
  return std::visit(
      [](auto* value) -> std::string {
        using T = std::remove_pointer_t<decltype(value)>;
        if constexpr (std::is_same_v<T, bool>) return *value ? "true" : "false";
        return cat(*value);
      },
      setting.value);
}

std::string default_text(const std::vector<std::pair<std::string, std::string>>& by_task) {
  const auto count = [&](const std::string& value) {
    return std::count_if(by_task.begin(), by_task.end(), [&](const auto& t) { return t.second == value; });
  };
  const std::string* common = &by_task.front().second;
  for (const auto& [task, value] : by_task)
    if (count(value) > count(*common)) common = &value;
  std::string out = *common;
  const char* before = "; ";
  for (const auto& [task, value] : by_task)
    if (value != *common) out += cat(std::exchange(before, ", "), task, " ", value);
  return out;
}

void SettingOptions::add_to(CLI::App& command, const std::vector<Setting>& settings,
                            const Defaults& defaults) {
  CLI::Option* resume = command.get_option("--resume");
  for (const Setting& s : settings) {
    const std::string name = option_name(s.name);
    CLI::Option* option = command.get_option_no_throw(name);
    if (!option) {
      const bool is_switch = std::holds_alternative<bool*>(s.value);
      const auto take = [this, s, name, is_switch](std::string text) {
        if (is_switch && (text.empty() || text == "{}")) text = "true";  // the switch alone
        const std::string wrong = read(s, text, false);
        if (!wrong.empty()) throw CLI::ValidationError(name, wrong);
        given_[s.name] = text;
      };
      // Not by default_str(), which CLI11 takes for the value of a switch that stands alone.
      const auto by_default = defaults.find(s.name);
      std::string about = s.about;
      if (by_default != defaults.end() && !by_default->second.empty())
        about += " (default " + by_default->second + ")";
      option = command.add_option_function<std::string>(name, take, about)->type_name(kind(s));
      if (is_switch) option->expected(0, 1);
    }
    if (name == "--steps") continue;
    option->group(TrainOptions::kept);
    resume->excludes(option);
  }
}

void SettingOptions::apply_to(const std::vector<Setting>& settings) const {
  for (const Setting& s : settings)
    if (const auto given = given_.find(s.name); given != given_.end()) read(s, given->second, true);
}

}  // namespace fovea::tools
