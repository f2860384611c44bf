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
        if (!read_value(text, read))
          return cat("'", text, "' is ",
                     std::is_same_v<T, bool>       ? "neither true nor false"
                     : std::is_floating_point_v<T> ? "not a number"
                                                   : "not a whole number");
        if constexpr (std::is_arithmetic_v<T>)
          if (!(static_cast<double>(read) >= s.least)) return cat("it must be at least ", s.least);
        if (!s.words.empty() && std::find(s.words.begin(), s.words.end(), text) == s.words.end())
          return cat("'", text, "' is not known; there are ", listed(s.words));
        if (set) *value = read;
        return "";
      },
      s.value);
}

std::string kind(const Setting& s) {
  return std::visit(
      [&](auto* value) -> std::string {
        using T = std::remove_pointer_t<decltype(value)>;
        if (!s.words.empty()) return "{" + listed(s.words, ",") + "}";
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

std::vector<Setting> without(std::vector<Setting> settings, const std::vector<std::string>& names) {
  std::erase_if(settings, [&](const Setting& s) { return std::ranges::count(names, s.name) > 0; });
  return settings;
}

std::vector<Setting> with_words(std::vector<Setting> settings, const std::string& name,
                                const std::vector<std::string>& words) {
  for (Setting& s : settings)
    if (s.name == name) s.words = words;
  return settings;
}

void SettingOptions::add_to(Command command, const std::vector<Setting>& settings, const Defaults& defaults) {
  Option resume = command.find("--resume");
  for (const Setting& s : settings) {
    const std::string name = option_name(s.name);
    if (!command.has(name)) {
      const bool is_switch = std::holds_alternative<bool*>(s.value);
      const auto take = [this, s, is_switch](std::string text) {
        if (is_switch && (text.empty() || text == "{}")) text = "true";  // the switch alone
        const std::string wrong = read(s, text, false);
        if (wrong.empty()) given_[s.name] = text;
        return wrong;
      };
      // Not by with_default(), which CLI11 takes for the value of a switch that stands alone.
      const auto by_default = defaults.find(s.name);
      std::string about = s.about;
      if (by_default != defaults.end() && !by_default->second.empty())
        about += " (default " + by_default->second + ")";
      Option option = command.checked_option(name, take, about).kind(kind(s));
      if (is_switch) option.or_alone();
    }
    if (name != "--steps") resume.excludes(command.find(name).group(TrainOptions::kept));
  }
  if (command.has("--epochs")) {
    resume.excludes(command.find("--epochs"));
    command.find("--steps").excludes(command.find("--epochs"));
  }
}

void SettingOptions::apply_to(const std::vector<Setting>& settings) const {
  for (const Setting& s : settings)
    if (const auto given = given_.find(s.name); given != given_.end()) read(s, given->second, true);
}

}  // namespace fovea::tools
