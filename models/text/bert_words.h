#ifndef FOVEA_MODELS_TEXT_BERT_WORDS_H_
#define FOVEA_MODELS_TEXT_BERT_WORDS_H_

#include <string>
#include <string_view>
#include <vector>

namespace fovea {

struct BertWordsOptions {
  bool clean = true;          ///< control characters go, every kind of space becomes one
  bool split_chinese = true;  ///< an ideograph is a word of its own
  bool strip_accents = true;  ///< normal form D without its nonspacing marks
  bool lower = true;
};

/// What BERT's basic tokenizer (Devlin et al. 2018) makes of a text: words, every punctuation character a
/// word of its own, where all ASCII characters but letters, digits and spaces are punctuation. As Hugging
/// Face's tokenizers have it (BertNormalizer and BertPreTokenizer) for every code point but some that Unicode
/// has assigned or changed since version 8. Throws Error, naming the offset, where the text is not UTF-8.
std::vector<std::string> bert_words(std::string_view text, const BertWordsOptions& options = {});

}  // namespace fovea

#endif  // FOVEA_MODELS_TEXT_BERT_WORDS_H_
