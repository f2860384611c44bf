#ifdef FOVEA_TEXT

#include "tools/seq2seq/translator.h"

#include "fovea/models/data/dates.h"

namespace fovea::tools {

namespace fs = std::filesystem;

ParallelText load_sentences(const seq2seq::Settings& s, Split split, const fs::path& data_dir) {
  if (s.task != "dates") return load_multi30k(data_dir, split, s.source, s.target);
  return dates(split == Split::train ? 20000 : 1000, split,
               Generator(1984).fork(static_cast<std::uint64_t>(split)));
}

TranslationTextOptions text_options(const seq2seq::Settings& s) {
  const bool made = s.task == "dates";
  return {.source = made ? "" : s.source,
          .target = made ? "" : s.target,
          .merges = static_cast<std::size_t>(s.merges),
          .min_count = s.min_count};
}

Sentences Translator::translate(const std::vector<std::string>& sentences, Index beam,
                                double length_penalty) const {
  std::vector<TokenIds> ids;
  for (const std::string& sentence : sentences) {
    ids.push_back(text.source_ids(sentence));
    const auto most = static_cast<std::size_t>(learner->settings().most_length);
    require(!ids.back().empty(), "translate", "the sentence has no words");
    require(ids.back().size() <= most, "translate", "the sentence has ", ids.back().size(),
            " tokens, more than ", most, "; split it");
  }
  Sentences out;
  for (const Written& w : learner->translate(ids, beam, length_penalty))
    out.push_back(text.target_words(w.ids));
  return out;
}

Translator load_translator(const Checkpoint& c) {
  const auto s = seq2seq::Settings::from_json(c.meta);
  Translator t{TranslationText::from(c.extra, text_options(s)),
               std::make_unique<seq2seq::Learner>(s, TokenPairs(), TokenPairs(), c.extra)};
  t.learner->restore(c);
  return t;
}

}  // namespace fovea::tools

#endif  // FOVEA_TEXT
