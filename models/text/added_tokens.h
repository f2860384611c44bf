#ifndef FOVEA_MODELS_TEXT_ADDED_TOKENS_H_
#define FOVEA_MODELS_TEXT_ADDED_TOKENS_H_

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace fovea {

/// A token that is found in the text before the text is split, such as [MASK] or <|endoftext|>.
struct AddedToken {
  std::string content;
  std::int32_t id = 0;
  bool single_word = false;  ///< only where no letter, digit or underscore touches it
  bool left_strip = false;   ///< takes the spaces before it along
  bool right_strip = false;  ///< and those behind
  bool special = true;       ///< decoding may leave it out
};

/// The added tokens of a tokenizer; where several begin at one place, the longest is taken.
class AddedTokens {
 public:
  AddedTokens() = default;
  /// Throws Error, tagged `op`, when one is empty or given twice.
  AddedTokens(std::vector<AddedToken> tokens, const char* op);

  /// Calls part(text) and token(id) for what the text is made of, in order; empty parts are left out.
  void split(std::string_view text, const std::function<void(std::string_view)>& part,
             const std::function<void(std::int32_t)>& token) const;

  const std::vector<AddedToken>& tokens() const { return tokens_; }
  /// The one of this id; null where there is none.
  const AddedToken* find(std::int32_t id) const;

 private:
  const AddedToken* match(std::string_view text, std::size_t at) const;

  std::vector<AddedToken> tokens_;                       // the longest first
  std::array<std::vector<std::size_t>, 256> by_byte_{};  // their places, by first byte
};

}  // namespace fovea

#endif  // FOVEA_MODELS_TEXT_ADDED_TOKENS_H_
