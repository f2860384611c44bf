#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>

#include "fovea/ops/blas.h"
#include "tools/commands.h"

namespace fovea::tools {
namespace {

// A thread of libgomp's that waits for work spins for milliseconds by default. On a machine that is busy with
// something else that holds up everybody, Fovea too. The library reads the setting when it is loaded, so the
// program starts again.
void spin_less(char** argv) {
  if (std::getenv("GOMP_SPINCOUNT") || std::getenv("OMP_WAIT_POLICY")) return;
  setenv("GOMP_SPINCOUNT", "20000", 1);
  execv("/proc/self/exe", argv);  // where that fails, the program just goes on
}

int run(int argc, char** argv) {
  Program program("fovea", "Fovea: the models that taught machines where to look, trained from scratch.",
                  "fovea " FOVEA_VERSION,
                  "Start with:\n"
                  "  fovea train ntm              a Neural Turing Machine learns to copy, in minutes\n"
                  "  fovea train ntm --help       everything that can be set\n"
                  "  fovea list                   models and tasks");
  Command root = program.root();
  Commands commands{root, root.add("train", "Train a model and draw its figures"),
                    root.add("eval", "Score a trained model, as JSON"),
                    root.add("sample", "Show what a trained model does"),
                    root.add("tape", "Print what a training step records, op by op")};
  add_ntm(commands);
  add_stn(commands);
  add_draw(commands);
  add_gpt(commands);
  add_seq2seq(commands);
  add_transformer(commands);
  add_translate(commands);
  add_bert(commands);
  add_general(commands);
  return program.run(argc, argv);
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
