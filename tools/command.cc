#include "tools/command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>

#include "fovea/core/nearest.h"
#include "tools/help.h"

namespace fovea::tools {

// ---- Options

Option Option::with_default() {
  option_->capture_default_str();
  return *this;
}

Option Option::with_default(const std::string& text) {
  option_->default_str(text);
  return *this;
}

Option Option::group(const std::string& heading) {
  option_->group(heading);
  return *this;
}

Option Option::kind(const std::string& word) {
  option_->type_name(word);
  return *this;
}

Option Option::or_alone() {
  option_->expected(0, 1);
  return *this;
}

Option Option::required(bool yes) {
  option_->required(yes);
  return *this;
}

Option Option::excludes(Option other) {
  option_->excludes(other.option_);
  return *this;
}

Option Option::environment(const std::string& variable) {
  option_->envname(variable);
  return *this;
}

Option Option::one_of(const std::vector<std::string>& words) {
  option_->check(CLI::IsMember(words));
  return *this;
}

// CLI11's own checks name the largest number there is, in 309 digits.
Option Option::positive() {
  return check([](const std::string& text) {
    return std::strtod(text.c_str(), nullptr) > 0 ? "" : text + " is not above 0";
  });
}

Option Option::non_negative() {
  return check([](const std::string& text) {
    return std::strtod(text.c_str(), nullptr) >= 0 ? "" : text + " is below 0";
  });
}

Option Option::between(int low, int high) {
  option_->check(CLI::Range(low, high));
  return *this;
}

Option Option::between(double low, double high) {
  option_->check(CLI::Range(low, high));
  return *this;
}

Option Option::folder() {
  option_->check(CLI::ExistingDirectory);
  return *this;
}

Option Option::check(ValueCheck wrong) {
  option_->check(std::move(wrong));
  return *this;
}

// ---- Commands

Command Command::add(const std::string& name, const std::string& about) {
  app_->require_subcommand(1);
  CLI::App* below = app_->add_subcommand(name, about);
  below->footer("");  // it would inherit the program's
  return {below, status_};
}

std::string Command::name() const { return app_->get_name(); }

template <class T>
Option Command::option(const std::string& name, T& value, const std::string& about) {
  return Option(app_->add_option(name, value, about));
}

#define FOVEA_OPTION(...) \
  template Option Command::option(const std::string&, __VA_ARGS__&, const std::string&)
FOVEA_OPTION(std::string);
FOVEA_OPTION(std::filesystem::path);
FOVEA_OPTION(int);
FOVEA_OPTION(std::int64_t);
FOVEA_OPTION(std::uint64_t);
FOVEA_OPTION(double);
FOVEA_OPTION(std::optional<std::int64_t>);
FOVEA_OPTION(std::vector<std::string>);
FOVEA_OPTION(std::vector<std::filesystem::path>);
#undef FOVEA_OPTION

Option Command::checked_option(const std::string& name, const ValueCheck& take, const std::string& about) {
  const auto checked = [name, take](const std::string& text) {
    if (const std::string wrong = take(text); !wrong.empty()) throw CLI::ValidationError(name, wrong);
  };
  return Option(app_->add_option_function<std::string>(name, checked, about));
}

Option Command::flag(const std::string& name, bool& value, const std::string& about) {
  return Option(app_->add_flag(name, value, about));
}

Option Command::find(const std::string& name) const { return Option(app_->get_option(name)); }

bool Command::has(const std::string& name) const { return app_->get_option_no_throw(name) != nullptr; }

void Command::on_call(std::function<int()> action) {
  app_->callback([action = std::move(action), status = status_] { *status = action(); });
}

// ---- The program

namespace {

std::vector<CLI::App*> commands_below(CLI::App* command) {
  return command->get_subcommands([](CLI::App*) { return true; });
}

// The innermost command that was named.
CLI::App* deepest(CLI::App* app) {
  while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
  return app;
}

// What the user may have meant by a word that the command does not know.
std::string suggestion(CLI::App* command, std::string word) {
  word = word.substr(0, word.find('='));
  std::vector<std::string> names;
  if (word.rfind("-", 0) == 0)
    for (const CLI::Option* o : command->get_options())
      for (const std::string& name : o->get_lnames()) names.push_back("--" + name);
  else
    for (const CLI::App* s : commands_below(command)) names.push_back(s->get_name());
  const std::string* best = nearest(word, names);
  if (best && edit_distance(word, *best) <= std::max<std::size_t>(2, word.size() / 3))
    return "; did you mean " + *best + "?";
  return names.empty() ? "" : "; there are " + listed(names);
}

int usage_error(CLI::App& app, const CLI::ParseError& error) {
  CLI::App* command = deepest(&app);
  std::string message = error.what();
  const auto extras = command->remaining();
  if (!extras.empty()) {
    message = "'" + extras.front() + "' is not known here" + suggestion(command, extras.front());
  } else if (dynamic_cast<const CLI::RequiredError*>(&error)) {
    const auto below = commands_below(command);
    if (!below.empty()) {
      message = "say which:";
      for (const CLI::App* s : below) message += " " + s->get_name();
    }
  }
  std::string name = command->get_name();
  for (CLI::App* parent = command->get_parent(); parent; parent = parent->get_parent())
    name = parent->get_name() + " " + name;
  std::cerr << name << ": " << message << "\nTry '" << name << " --help'.\n";
  return 2;
}

}  // namespace

Program::Program(const std::string& name, const std::string& about, const std::string& version,
                 const std::string& start)
    : app_(std::make_unique<CLI::App>(about, name)) {
  app_->formatter(std::make_shared<HelpFormatter>());
  app_->set_version_flag("--version", version);
  app_->footer(start);
}

Program::~Program() = default;

int Program::run(int argc, char** argv) {
  if (argc == 1) {
    std::cout << app_->help();
    return 0;
  }
  try {
    app_->parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app_->exit(e);  // --help, --version
    return usage_error(*app_, e);
  }
  return status_;
}

// ---- Texts

template <class T>
bool read_value(const std::string& text, T& value) {
  return CLI::detail::lexical_cast(text, value);
}

template bool read_value(const std::string&, std::string&);
template bool read_value(const std::string&, bool&);
template bool read_value(const std::string&, int&);
template bool read_value(const std::string&, std::int64_t&);
template bool read_value(const std::string&, std::uint64_t&);
template bool read_value(const std::string&, double&);

std::string listed(const std::vector<std::string>& names, const std::string& separator) {
  return CLI::detail::join(names, separator);
}

}  // namespace fovea::tools
