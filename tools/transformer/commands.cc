#include "tools/commands.h"

#ifdef FOVEA_TEXT

#include "fovea/models/transformer/learner.h"
#include "tools/transformer/figures.h"
#include "tools/translation/train.h"

namespace fovea::tools {
namespace {

// Adds the figures that are the Transformer's alone.
class TransformerCourse : public TranslationCourse {
 public:
  using TranslationCourse::TranslationCourse;

  void draw(RunFolder& run, const Facts& metrics, const std::vector<NamedTensor>& frames) override {
    auto& own = static_cast<transformer::Learner&>(learner());
    if (own.settings().label_smoothing > 0) training_loss_ = "training, labels smoothed";
    TranslationCourse::draw(run, metrics, frames);
    for (const auto& [sentence, written] : examples(1)) {
      std::vector<std::string> words = translator().text.source_tokens(sentence);
      words.push_back("</s>");
      const auto layers = own.self_attention(translator().source_ids(sentence));
      run.figure(
          "self_attention", draw_self_attention(words, layers.back()),
          "Where the words of a test sentence look at each other: the heads of the encoder's last layer.");
    }
    run.figure("learning_rate", draw_learning_rate(own.settings()), "The schedule of this run.");
    run.figure("positions", draw_positions(50, own.settings().width), "What is added to the words' vectors.");
  }
};

struct TransformerFamily {
  using Settings = transformer::Settings;
  using Learner = transformer::Learner;
  using Course = TransformerCourse;
  static constexpr auto about_epochs = "Passes over the sentences, in place of --steps";

  static Settings settings(const std::string& task, const std::string& preset, const SettingOptions&) {
    return transformer::settings_for(task, preset);
  }
  static void complete(Defaults&) {}
  static Index epochs(const Settings&) { return 0; }
  static Facts facts(const Settings& s) {
    return {{"model", "transformer"}, {"layers", s.layers},         {"width", s.width},
            {"heads", s.heads},       {"norm_first", s.norm_first}, {"seed", s.seed}};
  }
  static std::string kind(const Settings& s) {
    return cat("width", s.width, s.norm_first ? "-norm-first" : "");
  }
};

}  // namespace

void add_transformer(Commands& commands) {
  const std::string about = "The Transformer, translating (Vaswani et al. 2017)";
  Command train = commands.train.add("transformer", about);
  TrainTranslation<TransformerFamily>& t = train.calls<TrainTranslation<TransformerFamily>>();
  t.common.preset = "";
  t.add_to(train, transformer::preset_names(),
           "toy: 0.2 million parameters, the default for made sentences; tiny: 2.6 million, the default for "
           "multi30k; base: the paper's");

  Command eval = commands.eval.add("transformer", "BLEU on the test set, greedily and with a beam");
  eval.calls<EvalTranslation>().add_to(eval);

  commands.add_family("transformer", about, translation_tasks(), about_translation);
}

}  // namespace fovea::tools

#else

namespace fovea::tools {
void add_transformer(Commands&) {}  // needs fovea::text
}  // namespace fovea::tools

#endif  // FOVEA_TEXT
