#include "tools/commands.h"

#ifdef FOVEA_TEXT

#include <iostream>

#include "tools/training_run.h"
#include "tools/translation/figures.h"

namespace fovea::tools {
namespace {

namespace fs = std::filesystem;

struct Translate {
  CommonOptions common;
  fs::path checkpoint, heatmap, gradients;
  std::vector<std::string> sentences;
  Index beam = 5;
  double penalty = 1;

  int operator()() {
    common.apply();
    const Translator t = load_translator(read_checkpoint(checkpoint), common.chosen_device());
    t.learner->use_averages(true);
    if (!sentences.empty()) {
      for (const auto& words : t.translate(sentences, beam, penalty)) std::cout << join_words(words) << '\n';
      draw(t);
      return 0;
    }
    int status = 0;
    std::string line;
    for (std::size_t number = 1; std::getline(std::cin, line); ++number) {
      // A line that cannot be translated leaves an empty one, so that lines go on belonging together.
      try {
        if (!split_words(line).empty()) {
          std::cout << join_words(t.translate({line}, beam, penalty)[0]);
          if (!heatmap.empty() || !gradients.empty()) sentences.push_back(line);
        }
      } catch (const Error& e) {
        std::cerr << "fovea translate: line " << number << ": " << e.what() << '\n';
        status = 1;
      }
      std::cout << '\n';
    }
    if (!sentences.empty()) draw(t);
    return status;
  }

  void draw(const Translator& t) const {
    if (!heatmap.empty()) draw_attention(t, sentences).save(heatmap);
    if (!gradients.empty()) draw_gradients(t, sentences).save(gradients);
  }
};

}  // namespace

void add_translate(Commands& commands) {
  Command translate = commands.root.add("translate", "Translate sentences, or lines from stdin");
  Translate& r = translate.calls<Translate>();
  add_checkpoint_option(translate, r.checkpoint);
  translate.option("sentence", r.sentences, "Sentences; without, one a line from stdin");
  translate.option("--heatmap", r.heatmap, "Draw where it looks while it translates greedily: .png or .svg");
  translate.option("--gradients", r.gradients, "Draw which words read bear on which written: .png or .svg");
  translate.option("--beam", r.beam, "Sentences kept at a time; 1 is greedy").with_default().between(1, 1000);
  translate.option("--length-penalty", r.penalty, "0 favours short translations").with_default();
  r.common.add_to(translate);
}

}  // namespace fovea::tools

#else

namespace fovea::tools {
void add_translate(Commands&) {}  // needs fovea::text
}  // namespace fovea::tools

#endif  // FOVEA_TEXT
