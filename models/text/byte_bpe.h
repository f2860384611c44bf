#ifndef FOVEA_MODELS_TEXT_BYTE_BPE_H_
#define FOVEA_MODELS_TEXT_BYTE_BPE_H_

#include <array>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "fovea/models/text/added_tokens.h"
#include "fovea/models/text/string_map.h"
#include "fovea/models/text/tokenizer_file.h"

namespace fovea {

/// The words of GPT-2's pattern (Radford et al. 2019), which put together are the text again:
///
///     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
///
/// Throws Error, naming the offset, where the text is not UTF-8.
std::vector<std::string_view> gpt2_words(std::string_view text);

/// GPT-2's tokenizer: byte-pair encoding of the bytes of these words, so that any text has ids and decodes to
/// itself. The ids are those of Hugging Face's tokenizers. It remembers words, so an object serves one thread
/// at a time.
class ByteBpe {
 public:
  /// Throws Error when a byte or what a merge is made of or makes is not in the vocabulary.
  explicit ByteBpe(ByteBpeFile file);
  /// From tokenizer.json, vocab.json with merges.txt beside it, or a folder that has them.
  static ByteBpe load(const std::filesystem::path& path) { return ByteBpe(read_byte_bpe(path)); }

  std::vector<std::int32_t> encode(std::string_view text) const;
  /// The bytes of these ids. A cut between two ids of one character leaves bytes that are no UTF-8.
  std::string decode(std::span<const std::int32_t> ids) const;

  /// Writes tokenizer.json and tokenizer_config.json into a folder, as load() and Hugging Face's transformers
  /// read them.
  void save_tokenizer(const std::filesystem::path& folder) const;

  std::size_t size() const { return bytes_of_.size(); }
  /// The id of an added token, such as <|endoftext|>; -1 where there is none.
  std::int32_t added(std::string_view token) const;

 private:
  struct Merge {
    std::int32_t rank, result;
  };
  void add_word(std::string_view word, std::vector<std::int32_t>& out) const;
  std::vector<std::int32_t> merged(std::string_view word) const;

  AddedTokens added_;
  bool add_prefix_space_, ignore_merges_;
  std::vector<std::string> bytes_of_;                 // tokens as bytes, by id
  StringMap<std::int32_t> ids_;                       // by bytes
  std::array<std::int32_t, 256> byte_ids_{};          // of single bytes
  std::unordered_map<std::uint64_t, Merge> of_pair_;  // of two ids
  mutable StringMap<std::vector<std::int32_t>> known_;
};

}  // namespace fovea

#endif  // FOVEA_MODELS_TEXT_BYTE_BPE_H_
