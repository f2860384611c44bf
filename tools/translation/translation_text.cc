#ifdef FOVEA_TEXT

#include "tools/translation/translation_text.h"

#include <algorithm>

#include "fovea/core/utf8.h"

namespace fovea::tools {
namespace {

std::optional<WordTokenizer> tokenizer_of(const std::string& language) {
  if (language.empty()) return {};
  return WordTokenizer({.language = language});
}

NamedTensor bytes(const char* name, const std::string& text) {
  return {name, Tensor::from(std::vector<std::uint8_t>(text.begin(), text.end()),
                             {static_cast<Index>(text.size())})};
}

// Lines that each end in a line feed.
std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + '\n';
  return text;
}
std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1)
    lines.push_back(text.substr(at, end - at));
  return lines;
}

std::optional<std::string> text_in(const std::vector<NamedTensor>& state, const std::string& name) {
  for (const NamedTensor& t : state) {
    if (t.name != name) continue;
    const auto values = t.tensor.values<std::uint8_t>();
    return std::string(values.begin(), values.end());
  }
  return {};
}

Vocabulary vocabulary_in(const std::vector<NamedTensor>& state, const std::string& name) {
  const auto text = text_in(state, name);
  require(text.has_value(), "translate", "the checkpoint has no words: ", name, " is missing");
  return Vocabulary(lines_of(*text));
}

}  // namespace

TranslationText::TranslationText(const TranslationTextOptions& o, Vocabulary source, Vocabulary target,
                                 std::optional<Bpe> bpe)
    : source_words_(tokenizer_of(o.source)),
      target_words_(tokenizer_of(o.target)),
      characters_(o.characters),
      source_(std::move(source)),
      target_(std::move(target)),
      bpe_(std::move(bpe)) {}

TranslationText TranslationText::learn(const ParallelText& train, const TranslationTextOptions& o) {
  const auto source_words = tokenizer_of(o.source), target_words = tokenizer_of(o.target);
  std::vector<std::vector<std::string>> source, target;
  for (const std::string& s : train.source) source.push_back(words(source_words, s, o.characters));
  for (const std::string& s : train.target) target.push_back(words(target_words, s));
  std::optional<Bpe> bpe;
  if (o.merges > 0) {
    TokenCounts both;
    for (const auto* side : {&source, &target})
      for (const auto& sentence : *side) count_tokens(both, sentence);
    bpe = Bpe::learn(both, {.merges = o.merges});
  }
  using Side = std::vector<std::vector<std::string>>;
  const auto vocabulary = [&](std::initializer_list<const Side*> sides) {
    TokenCounts counts;
    for (const Side* side : sides)
      for (const auto& sentence : *side) count_tokens(counts, bpe ? bpe->split(sentence) : sentence);
    return Vocabulary(counts, {.min_count = o.min_count});
  };
  if (!o.shared) return TranslationText(o, vocabulary({&source}), vocabulary({&target}), bpe);
  const Vocabulary both = vocabulary({&source, &target});
  return TranslationText(o, both, both, bpe);
}

std::vector<NamedTensor> TranslationText::state() const {
  std::vector<NamedTensor> state{bytes("text source", joined(source_.tokens())),
                                 bytes("text target", joined(target_.tokens()))};
  if (!bpe_) return state;
  std::vector<std::string> merges;
  for (const auto& [a, b] : bpe_->merges()) merges.push_back(cat(a, " ", b));
  state.push_back(bytes("text merges", joined(merges)));
  return state;
}

TranslationText TranslationText::from(const std::vector<NamedTensor>& state,
                                      const TranslationTextOptions& o) {
  std::optional<Bpe> bpe;
  if (const auto merges = text_in(state, "text merges")) {
    std::vector<Bpe::Pair> pairs;
    for (const std::string& line : lines_of(*merges)) {
      const std::size_t space = line.find(' ');
      require(space != std::string::npos, "translate", "the checkpoint's merge '", line, "' is no pair");
      pairs.emplace_back(line.substr(0, space), line.substr(space + 1));
    }
    bpe.emplace(std::move(pairs));
  }
  return TranslationText(o, vocabulary_in(state, "text source"), vocabulary_in(state, "text target"),
                         std::move(bpe));
}

std::vector<std::string> TranslationText::words(const Words& tokenizer, const std::string& sentence,
                                                bool characters) {
  if (tokenizer) return (*tokenizer)(sentence);
  require_utf8(sentence, "translate", "a sentence");
  if (!characters) return split_words(sentence);
  std::vector<std::string> out;
  for (const std::string& word : split_words(sentence))
    for (const char32_t c : code_points(word)) append_utf8(out.emplace_back(), c);
  return out;
}

std::vector<std::string> TranslationText::pieces(std::vector<std::string> words) const {
  return bpe_ ? bpe_->split(words) : std::move(words);
}

std::vector<std::string> TranslationText::source_tokens(const std::string& sentence) const {
  return pieces(words(source_words_, sentence, characters_));
}

std::vector<std::string> TranslationText::unknown(const std::string& sentence) const {
  std::vector<std::string> out;
  for (const std::string& token : source_tokens(sentence))
    if (!source_.contains(token) && std::ranges::count(out, token) == 0) out.push_back(token);
  return out;
}

std::vector<std::string> TranslationText::target_words(const TokenIds& ids) const {
  std::vector<std::string> tokens = target_.tokens(ids);
  return bpe_ ? Bpe::join(tokens) : tokens;
}

TokenPairs TranslationText::pairs(const ParallelText& text, Index most) const {
  TokenPairs pairs;
  for (std::size_t i = 0; i < text.size(); ++i) {
    TokenIds x = source_ids(text.source[i]);
    TokenIds y = target_.ids(pieces(words(target_words_, text.target[i])));
    if (static_cast<Index>(std::max(x.size(), y.size())) > most) continue;
    pairs.source.push_back(std::move(x));
    pairs.target.push_back(std::move(y));
  }
  return pairs;
}

Bleu bleu_of(const std::vector<std::vector<std::string>>& translations,
             const std::vector<std::vector<std::string>>& references) {
  Bleu bleu;
  for (std::size_t i = 0; i < translations.size(); ++i) bleu.add(translations[i], references.at(i));
  return bleu;
}

}  // namespace fovea::tools

#endif  // FOVEA_TEXT
