#include "fovea/models/text/bleu.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <unordered_map>

#include "fovea/core/error.h"
#include "fovea/models/text/string_map.h"

namespace fovea {
namespace {

// Tokens as numbers, so that an n-gram of up to four is one key.
using Numbers = std::vector<std::uint32_t>;
using Key = std::array<std::uint32_t, 4>;
struct KeyHash {
  std::size_t operator()(const Key& key) const {
    std::uint64_t h = 0;
    for (const std::uint32_t part : key) h = (h ^ part) * 0x9E3779B97F4A7C15u, h ^= h >> 32;
    return static_cast<std::size_t>(h);
  }
};
using Counts = std::unordered_map<Key, std::int64_t, KeyHash>;

Numbers numbers_of(StringMap<std::uint32_t>& known, Bleu::Tokens tokens) {
  Numbers out;
  for (const std::string& token : tokens)  // 0 stands for no token
    out.push_back(known.try_emplace(token, static_cast<std::uint32_t>(known.size() + 1)).first->second);
  return out;
}

Counts ngrams(const Numbers& tokens, std::size_t n) {
  Counts out;
  for (std::size_t i = 0; i + n <= tokens.size(); ++i) {
    Key key{};
    std::copy_n(tokens.begin() + static_cast<std::ptrdiff_t>(i), n, key.begin());
    ++out[key];
  }
  return out;
}

double percent(std::int64_t part, std::int64_t all) {
  return all == 0 ? 0 : 100 * static_cast<double>(part) / static_cast<double>(all);
}

}  // namespace

void Bleu::add(Tokens candidate, Tokens reference) {
  add(candidate, std::vector<std::vector<std::string>>{{reference.begin(), reference.end()}});
}

void Bleu::add(Tokens candidate, std::span<const std::vector<std::string>> references) {
  require(!references.empty(), "bleu", "a candidate needs a reference");
  StringMap<std::uint32_t> known;
  const Numbers tokens = numbers_of(known, candidate);
  std::vector<Numbers> others;
  for (const auto& reference : references) others.push_back(numbers_of(known, reference));

  const auto length = static_cast<std::int64_t>(candidate.size());
  const auto nearest = std::min_element(references.begin(), references.end(), [&](auto& a, auto& b) {
    const auto off = [&](auto& r) { return std::abs(static_cast<std::int64_t>(r.size()) - length); };
    return off(a) != off(b) ? off(a) < off(b) : a.size() < b.size();
  });
  candidate_length_ += length;
  reference_length_ += static_cast<std::int64_t>(nearest->size());

  for (std::size_t n = 1; n <= 4; ++n) {
    Counts most;
    for (const Numbers& other : others)
      for (const auto& [key, count] : ngrams(other, n)) most[key] = std::max(most[key], count);
    for (const auto& [key, count] : ngrams(tokens, n)) {
      total_[n - 1] += count;
      const auto at = most.find(key);
      if (at != most.end()) matches_[n - 1] += std::min(count, at->second);
    }
  }
}

double Bleu::precision(int n) const {
  require(n >= 1 && n <= 4, "bleu", "there are precisions of 1 to 4, not of ", n);
  const auto i = static_cast<std::size_t>(n - 1);
  return percent(matches_[i], total_[i]);
}

double Bleu::brevity_penalty() const {
  if (candidate_length_ == 0) return 0;
  if (candidate_length_ >= reference_length_) return 1;
  return std::exp(1 - static_cast<double>(reference_length_) / static_cast<double>(candidate_length_));
}

double Bleu::score() const {
  double logs = 0;
  for (int n = 1; n <= 4; ++n) logs += std::log(precision(n) / 100);  // -inf where it is 0
  return 100 * brevity_penalty() * std::exp(logs / 4);
}

std::string Bleu::text() const {
  char line[256];
  std::snprintf(line, sizeof line,
                "BLEU = %.2f, %.1f/%.1f/%.1f/%.1f (BP=%.3f, ratio=%.3f, hyp_len=%lld, ref_len=%lld)", score(),
                precision(1), precision(2), precision(3), precision(4), brevity_penalty(),
                reference_length_ == 0 ? 0.0 : percent(candidate_length_, reference_length_) / 100,
                static_cast<long long>(candidate_length_), static_cast<long long>(reference_length_));
  return line;
}

}  // namespace fovea
