#ifndef FOVEA_MODELS_TEXT_CHARACTERS_H_
#define FOVEA_MODELS_TEXT_CHARACTERS_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "fovea/models/text/vocabulary.h"

namespace fovea {

/// The characters of a text as tokens: every code point that occurs in it, sorted, as nanoGPT's character
/// model has them (the 65 of tinyshakespeare).
class Characters {
 public:
  /// Throws Error, naming the offset, where the text is not UTF-8.
  explicit Characters(std::string_view text);

  std::size_t size() const { return vocabulary_.size(); }
  const Vocabulary& vocabulary() const { return vocabulary_; }

  /// Throws Error, naming character and offset, at one that is not there.
  std::vector<std::int32_t> encode(std::string_view text) const;
  std::string decode(std::span<const std::int32_t> ids) const;

  /// As a Vocabulary's file.
  void save(const std::filesystem::path& path) const { vocabulary_.save(path); }
  /// Throws also when a token is not one character.
  static Characters load(const std::filesystem::path& path);

  /// As a folder's tokenizer.json, for Hugging Face's tokenizers, and the tokenizer_config.json that lets
  /// transformers' AutoTokenizer take it, whatever model lies in the folder.
  void save_tokenizer(const std::filesystem::path& folder) const;
  /// From such a folder; nothing where its tokenizer is of another kind.
  static std::optional<Characters> load_tokenizer(const std::filesystem::path& folder);

 private:
  explicit Characters(Vocabulary vocabulary);

  Vocabulary vocabulary_;
  std::unordered_map<char32_t, std::int32_t> ids_;
};

}  // namespace fovea

#endif  // FOVEA_MODELS_TEXT_CHARACTERS_H_
