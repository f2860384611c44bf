#include "tools/commands.h"

#ifdef FOVEA_TEXT

#include "fovea/models/seq2seq/learner.h"
#include "tools/translation/train.h"

namespace fovea::tools {
namespace {

struct Seq2SeqFamily {
  using Settings = seq2seq::Settings;
  using Learner = seq2seq::Learner;
  using Course = TranslationCourse;
  static constexpr auto about_epochs = "Passes over the sentences (default 10; of made ones 4)";

  static Settings settings(const std::string& task, const std::string&) {
    return seq2seq::settings_for(task);
  }
  static Index epochs(const std::string& task) { return task == "multi30k" ? 10 : 4; }
  static Facts facts(const Settings& s) {
    return {{"model", "seq2seq"}, {"net", s.net}, {"attention", s.attention}, {"seed", s.seed}};
  }
  static std::string kind(const Settings& s) { return cat(s.net, "-", s.attention); }
};

}  // namespace

void add_seq2seq(Commands& commands) {
  const std::string about = "Sequence to sequence with attention (Bahdanau et al. 2015, Luong et al. 2015)";
  Command train = commands.train.add("seq2seq", about);
  train.calls<TrainTranslation<Seq2SeqFamily>>().add_to(train, {"default"}, "there is only this one");

  Command eval = commands.eval.add("seq2seq", "BLEU on the test set, greedily and with a beam");
  eval.calls<EvalTranslation>().add_to(eval);

  commands.add_family("seq2seq", about, translation_tasks(), about_translation);
}

}  // namespace fovea::tools

#else

namespace fovea::tools {
void add_seq2seq(Commands&) {}  // needs fovea::text
}  // namespace fovea::tools

#endif  // FOVEA_TEXT
