#include "tools/commands.h"

#ifdef FOVEA_TEXT

#include <iostream>

#include "tools/figure_options.h"
#include "tools/translation/course.h"

namespace fovea::tools {
namespace {

namespace fs = std::filesystem;

struct Translate {
  CommonOptions common;
  fs::path checkpoint, heatmap, gradients;
  std::vector<std::string> sentences;
  Index beam = 5;
  double penalty = 1;
  bool last_weights = false;

  int operator()() {
    common.apply();
    for (const fs::path& file : {heatmap, gradients})
      if (!file.empty()) check_figure(file);
    const Translator t = load_translator(read_checkpoint(checkpoint), common.chosen_device());
    require(heatmap.empty() || t.learner->attends(), "translate",
            "a network without attention looks nowhere, so that --heatmap has nothing to draw");
    t.learner->use_averages(!last_weights);
    for (std::size_t i = 0; i < sentences.size(); ++i) translate(t, sentences[i], cat("sentence ", i + 1));
    std::string line;
    for (std::size_t number = 1; sentences.empty() && std::cout && std::getline(std::cin, line); ++number)
      if (split_words(line).empty())
        std::cout << '\n';
      else
        translate(t, line, cat("line ", number));
    std::cout.flush();
    require(std::cout.good(), "translate", "cannot write to the standard output");
    if (!heatmap.empty() && !done.empty()) draw_attention(t, done).save(heatmap);
    if (!gradients.empty() && !done.empty()) draw_gradients(t, done).save(gradients);
    return status;
  }

 private:
  int status = 0;
  std::vector<Translation> done;  // for the figures
  bool left_out = false;

  void keep(const std::string& sentence, Written written, const auto& say) {
    constexpr std::size_t most = 8;  // that a figure can show
    if (done.size() < most)
      done.push_back({sentence, std::move(written)});
    else if (!std::exchange(left_out, true))
      say(cat("figures show the first ", most, " sentences, so neither this one nor what follows"));
  }

  // A sentence that cannot be translated leaves an empty line, so that lines go on belonging together.
  void translate(const Translator& t, const std::string& sentence, const std::string& place) {
    const auto say = [&](const auto& what) {
      std::cerr << "fovea translate: " << place << ": " << what << '\n';
    };
    try {
      const TokenIds ids = t.source_ids(sentence);
      const std::vector<std::string> unknown = t.text.unknown(sentence);
      if (!unknown.empty() && !common.quiet) say("not in the vocabulary: " + listed(unknown));
      Written written = t.learner->translate({ids}, beam, penalty)[0];
      std::cout << join_words(t.text.target_words(written.ids));
      if (!heatmap.empty() || !gradients.empty()) keep(sentence, std::move(written), say);
    } catch (const Error& e) {
      say(e.what());
      status = 1;
    }
    std::cout << '\n';
  }
};

}  // namespace

void add_translate(Commands& commands) {
  Command translate = commands.root.add("translate", "Translate sentences, or lines from stdin");
  Translate& r = translate.calls<Translate>();
  add_checkpoint_option(translate, r.checkpoint);
  translate.option("sentence", r.sentences, "Sentences; without, one a line from stdin");
  translate.option("--heatmap", r.heatmap, "Draw where it looks while it writes: .png or .svg");
  translate.option("--gradients", r.gradients, "Draw which words read bear on which written: .png or .svg");
  translate.option("--beam", r.beam, "Sentences kept at a time; 1 is greedy").with_default().between(1, 1000);
  translate.option("--length-penalty", r.penalty, "0 favours short translations").with_default();
  add_last_weights_option(translate, r.last_weights);
  r.common.add_to(translate);
}

}  // namespace fovea::tools

#else

namespace fovea::tools {
void add_translate(Commands&) {}  // needs fovea::text
}  // namespace fovea::tools

#endif  // FOVEA_TEXT
