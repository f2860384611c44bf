#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>

#include "fovea/core/nearest.h"
#include "fovea/ops/blas.h"
#include "tools/commands.h"
#include "tools/help.h"

namespace fovea::tools {
namespace {

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
    for (const CLI::App* s : command->get_subcommands([](CLI::App*) { return true; }))
      names.push_back(s->get_name());
  const std::string* best = nearest(word, names);
  if (best && edit_distance(word, *best) <= std::max<std::size_t>(2, word.size() / 3))
    return "; did you mean " + *best + "?";
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  return all.empty() ? "" : "; there are " + all;
}

int usage_error(CLI::App& app, const CLI::ParseError& error) {
  CLI::App* command = deepest(&app);
  std::string message = error.what();
  const auto extras = command->remaining();
  if (!extras.empty()) {
    message = "'" + extras.front() + "' is not known here" + suggestion(command, extras.front());
  } else if (dynamic_cast<const CLI::RequiredError*>(&error)) {
    const auto below = command->get_subcommands([](CLI::App*) { return true; });
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

// A thread of libgomp's that waits for work spins for milliseconds by default. On a machine that is busy with
// something else that holds up everybody, Fovea too. The library reads the setting when it is loaded, so the
// program starts again.
void spin_less(char** argv) {
  if (std::getenv("GOMP_SPINCOUNT") || std::getenv("OMP_WAIT_POLICY")) return;
  setenv("GOMP_SPINCOUNT", "20000", 1);
  execv("/proc/self/exe", argv);  // where that fails, the program just goes on
}

int run(int argc, char** argv) {
  CLI::App app("Fovea: the models that taught machines where to look, trained from scratch.", "fovea");
  app.formatter(std::make_shared<HelpFormatter>());
  app.set_version_flag("--version", "fovea " FOVEA_VERSION);
  const auto verb = [&](const char* name, const char* about) {
    CLI::App* command = app.add_subcommand(name, about);
    command->require_subcommand(1);
    return command;
  };
  Commands commands{app, *verb("train", "Train a model and draw its figures"),
                    *verb("eval", "Score a trained model, as JSON"),
                    *verb("sample", "Show what a trained model does"),
                    *verb("tape", "Print what a training step records, op by op")};
  add_ntm(commands);
  add_stn(commands);
  add_draw(commands);
  add_gpt(commands);
  add_seq2seq(commands);
  add_transformer(commands);
  add_translate(commands);
  add_bert(commands);
  add_general(commands);
  app.footer(
      "Start with:\n"
      "  fovea train ntm              a Neural Turing Machine learns to copy, in minutes\n"
      "  fovea train ntm --help       everything that can be set\n"
      "  fovea list                   models and tasks");
  if (argc == 1) {
    std::cout << app.help();
    return 0;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);  // --help, --version
    return usage_error(app, e);
  }
  return commands.status;
}

}  // namespace
}  // namespace fovea::tools

int main(int argc, char** argv) {
  try {
    fovea::tools::spin_less(argv);
    fovea::use_best_blas_kernels();
    return fovea::tools::run(argc, argv);
  } catch (const std::exception& e) {
    std::fflush(stdout);
    std::cerr << "fovea: " << e.what() << '\n';
    return 1;
  }
}
