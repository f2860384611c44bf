#ifndef FOVEA_MODELS_TEXT_BLEU_H_
#define FOVEA_MODELS_TEXT_BLEU_H_

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace fovea {

/// BLEU of a corpus (Papineni et al. 2002) as multi-bleu.perl has it: on tokens as they are, no smoothing.
///
///     Bleu bleu;
///     for (...) bleu.add(translation, reference);   // words, not pieces of words
///     std::cout << bleu.text();
///     // BLEU = 41.02, 71.0/47.5/34.3/24.5 (BP=0.999, ratio=0.999, hyp_len=12091, ref_len=12103)
class Bleu {
 public:
  using Tokens = std::span<const std::string>;

  /// Counts a candidate against its reference, or against several: of an n-gram then counts the reference
  /// that has most of them, and of the lengths the nearest, of two equally near the shorter.
  void add(Tokens candidate, Tokens reference);
  void add(Tokens candidate, std::span<const std::vector<std::string>> references);

  /// 100 * brevity_penalty() * (p1 p2 p3 p4)^(1/4); 0 where a precision is 0.
  double score() const;
  /// Clipped matches over candidate n-grams, in percent, n = 1 to 4; 0 where there are no n-grams.
  double precision(int n) const;
  /// 1, or exp(1 - reference length / candidate length) when candidates are shorter; 0 without any token.
  double brevity_penalty() const;
  std::int64_t candidate_length() const { return candidate_length_; }
  std::int64_t reference_length() const { return reference_length_; }

  /// In one line, as multi-bleu.perl prints it.
  std::string text() const;

 private:
  std::array<std::int64_t, 4> matches_{}, total_{};
  std::int64_t candidate_length_ = 0, reference_length_ = 0;
};

}  // namespace fovea

#endif  // FOVEA_MODELS_TEXT_BLEU_H_
