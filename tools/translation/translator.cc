#ifdef FOVEA_TEXT

#include "tools/translation/translator.h"

#include "fovea/models/data/copies.h"
#include "fovea/models/data/dates.h"
#include "fovea/models/seq2seq/learner.h"
#include "fovea/models/transformer/learner.h"
#include "tools/report/facts.h"

namespace fovea::tools {
namespace {

// Which family a checkpoint is of. Those of before there were two do not say.
std::string model_of(const Checkpoint& c) {
  const Facts settings = Facts::from_json(c.meta);
  const Facts::Value* model = settings.find("model");
  return model && std::holds_alternative<std::string>(*model) ? std::get<std::string>(*model)
                                                              : seq2seq::Settings::family;
}

template <class Learner, class Settings>
Translator load(const Checkpoint& c, const Device& device) {
  Settings s = Settings::from_json(c.meta);
  s.device = device;
  Translator t{TranslationText::from(c.extra, text_options(s)),
               std::make_unique<Learner>(s, TokenPairs(), TokenPairs(), c.extra)};
  t.learner->restore(c);
  return t;
}

}  // namespace

namespace fs = std::filesystem;

ParallelText load_sentences(const TranslationTask& t, Split split, const fs::path& data_dir) {
  const Generator random = Generator(1984).fork(static_cast<std::uint64_t>(split));
  const bool train = split == Split::train;
  if (t.task == "dates") return dates(train ? 20000 : 1000, split, random);
  if (t.task == "copy") return copies(train ? 20000 : 400, random);
  return load_multi30k(data_dir, split, t.source, t.target);
}

TranslationTextOptions text_options(const TranslationTask& t) {
  const bool made = t.task != "multi30k";
  return {.source = made ? "" : t.source,
          .target = made ? "" : t.target,
          .merges = static_cast<std::size_t>(t.merges),
          .min_count = t.min_count,
          .shared = t.shared_words};
}

TokenIds Translator::source_ids(const std::string& sentence) const {
  TokenIds ids = text.source_ids(sentence);
  const auto most = static_cast<std::size_t>(learner->task().most_length);
  require(!ids.empty(), "translate", "the sentence has no words");
  require(ids.size() <= most, "translate", "the sentence has ", ids.size(), " tokens, more than ", most,
          "; split it");
  return ids;
}

Sentences Translator::translate(const std::vector<std::string>& sentences, Index beam,
                                double length_penalty) const {
  std::vector<TokenIds> ids;
  for (const std::string& sentence : sentences) ids.push_back(source_ids(sentence));
  Sentences out;
  for (const Written& w : learner->translate(ids, beam, length_penalty))
    out.push_back(text.target_words(w.ids));
  return out;
}

Translator load_translator(const Checkpoint& c, const Device& device) {
  if (model_of(c) == transformer::Settings::family)
    return load<transformer::Learner, transformer::Settings>(c, device);
  return load<seq2seq::Learner, seq2seq::Settings>(c, device);
}

}  // namespace fovea::tools

#endif  // FOVEA_TEXT
