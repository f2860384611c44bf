#ifndef FOVEA_MODELS_TEXT_CHARACTERS_H_
#define FOVEA_MODELS_TEXT_CHARACTERS_H_

#include <cstdint>
#include <filesystem>
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
  /// As a tokenizer.json, for Hugging Face's tokenizers.
  void save_tokenizer(const std::filesystem::path& path) const;
  /// Throws also when a token is not one character.
  static Characters load(const std::filesystem::path& path);

 private:
  explicit Characters(Vocabulary vocabulary);

  Vocabulary vocabulary_;
  std::unordered_map<char32_t, std::int32_t> ids_;
};

}  // namespace fovea

#endif  // FOVEA_MODELS_TEXT_CHARACTERS_H_
