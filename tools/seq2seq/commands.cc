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
  static constexpr auto about_epochs =
      "Passes over the sentences (default 10; of made ones 4, luong or local-p 8)";

  static Settings settings(const std::string& task, const std::string&, const SettingOptions& given) {
    Settings chosen;
    given.apply_to(chosen.list());
    return seq2seq::settings_for(task, chosen.net, chosen.attention);
  }
  static void complete(Defaults& defaults) {
    Defaults luong = defaults_of(
        translation_tasks(), [](const std::string& task) { return seq2seq::settings_for(task, "luong"); });
    defaults["lr"] += "; luong or local-p " + luong["lr"];
  }
  static Index epochs(const Settings& s) {
    if (s.task == "multi30k") return 10;
    return seq2seq::learns_slowly(s) ? 8 : 4;
  }
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
