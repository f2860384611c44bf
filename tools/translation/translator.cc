#ifdef FOVEA_TEXT

#include "tools/translation/translator.h"

#include <algorithm>

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
  require(!data_dir.empty(), t.model.c_str(), "the sentences are those of ", t.task,
          "; give --data-dir or FOVEA_DATA, where it lies");
  return load_multi30k(data_dir, split, t.source, t.target);
}

TranslationTextOptions text_options(const TranslationTask& t) {
  const bool made = t.task != "multi30k";
  return {.source = made ? "" : t.source,
          .target = made ? "" : t.target,
          .characters = t.task == "dates",
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

std::size_t Translator::too_long(const std::vector<std::string>& sentences) const {
  const auto most = static_cast<std::size_t>(learner->task().most_length);
  return static_cast<std::size_t>(std::ranges::count_if(
      sentences, [&](const std::string& s) { return text.source_tokens(s).size() > most; }));
}

Sentences Translator::translate(const std::vector<std::string>& sentences, Index beam,
                                double length_penalty) const {
  Sentences out(sentences.size());
  std::vector<TokenIds> ids;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < sentences.size(); ++i)
    if (TokenIds own = text.source_ids(sentences[i]); !own.empty()) {
      ids.push_back(std::move(own));
      places.push_back(i);
    }
  const std::vector<Written> written = learner->translate(ids, beam, length_penalty);
  for (std::size_t k = 0; k < places.size(); ++k) out[places[k]] = text.target_words(written[k].ids);
  return out;
}

Translator load_translator(const Checkpoint& c, const Device& device) {
  if (model_of(c) == transformer::Settings::family)
    return load<transformer::Learner, transformer::Settings>(c, device);
  return load<seq2seq::Learner, seq2seq::Settings>(c, device);
}

}  // namespace fovea::tools

#endif  // FOVEA_TEXT
