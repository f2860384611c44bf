#ifndef FOVEA_TOOLS_COMMAND_H_
#define FOVEA_TOOLS_COMMAND_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

/// What commands need of CLI11. Its own header takes six seconds to compile, so that only command.cc and
/// help.cc include it.

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace fovea::tools {

/// What is wrong with a text; empty: nothing.
using ValueCheck = std::function<std::string(const std::string& text)>;

/// An option of a command: a handle, which the program owns. A command line that breaks what is said of it
/// ends with a message and status 2.
class Option {
 public:
  /// --help shows the value that the variable has now as the default; or this text.
  Option with_default();
  Option with_default(const std::string& text);
  /// The heading that --help shows it under.
  Option group(const std::string& heading);
  /// What --help says that it takes: "INT", "{yes,no}".
  Option kind(const std::string& word);
  /// It may also stand without a value.
  Option or_alone();

  Option required(bool yes = true);
  Option excludes(Option other);
  /// A variable of the environment that stands in for it.
  Option environment(const std::string& variable);

  Option one_of(const std::vector<std::string>& words);
  Option positive();
  Option non_negative();
  Option between(int low, int high);
  Option between(double low, double high);
  /// A folder that exists.
  Option folder();
  Option check(ValueCheck wrong);

 private:
  friend class Command;
  explicit Option(CLI::Option* option) : option_(option) {}
  CLI::Option* option_;
};

/// A command, or the program itself: a handle, too.
class Command {
 public:
  /// A command below this one, which then has to be called with one of them.
  Command add(const std::string& name, const std::string& about);
  std::string name() const;

  /// An option, "--seed", or an argument, "text", whose value goes into `value`. T is std::string, a path, a
  /// number or an optional one, or a vector of strings or paths, which takes several.
  template <class T>
  Option option(const std::string& name, T& value, const std::string& about);
  /// One whose value goes to a function, which keeps it or says what is wrong with it.
  Option checked_option(const std::string& name, const ValueCheck& take, const std::string& about);
  Option flag(const std::string& name, bool& value, const std::string& about);

  /// An option that was added; `has` says whether there is one.
  Option find(const std::string& name) const;
  bool has(const std::string& name) const;

  /// What it does: the result is the exit status.
  void on_call(std::function<int()> action);
  /// The same for an object, which lives as long as the program: options read into its members.
  template <class Action>
  Action& calls() {
    auto action = std::make_shared<Action>();
    on_call([action] { return (*action)(); });
    return *action;
  }

 private:
  friend class Program;
  Command(CLI::App* app, int* status) : app_(app), status_(status) {}
  CLI::App* app_;
  int* status_;  // of the program
};

/// The command line.
class Program {
 public:
  /// `start` is what --help ends with.
  Program(const std::string& name, const std::string& about, const std::string& version,
          const std::string& start);
  ~Program();

  Command root() { return {app_.get(), &status_}; }
  /// Does what the words say. Returns the exit status: 2 for words that it does not understand, after a
  /// message that says what was perhaps meant. Without any it prints its help.
  int run(int argc, char** argv);

 private:
  std::unique_ptr<CLI::App> app_;
  int status_ = 0;
};

/// Reads a text as an option with such a value is read: std::string, bool, a number. False: it is none.
template <class T>
bool read_value(const std::string& text, T& value);

/// "copy, recall".
std::string listed(const std::vector<std::string>& names, const std::string& separator = ", ");

}  // namespace fovea::tools

#endif  // FOVEA_TOOLS_COMMAND_H_
