#include "fovea/models/ntm/tasks.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "fovea/ops/create.h"

namespace fovea::ntm {
namespace {

// Writes elements of a [T,B,D] tensor that is being filled.
class Filler {
 public:
  explicit Filler(Tensor& t) : data_(t.mutable_data<float>()), batch_(t.size(1)), width_(t.size(2)) {}
  float& operator()(Index step, Index b, Index channel) {
    return data_[(step * batch_ + b) * width_ + channel];
  }

 private:
  float* data_;
  Index batch_, width_;
};

Index between(Generator& random, Index low, Index high) {
  return low + random.below(static_cast<std::uint32_t>(high - low + 1));
}

float coin(Generator& random) { return static_cast<float>(random.bits() >> 31); }

Index chosen(Index asked, Index low, Index high, Generator& random) {
  return asked > 0 ? asked : between(random, low, high);
}

// 4.1: L vectors of 8 bits, a delimiter on channel 8, then the same vectors.
class Copy : public Task {
 public:
  static constexpr Index bits = 8;
  std::string name() const override { return "copy"; }
  std::string about() const override { return "repeat 1 to 20 random 8-bit vectors after a delimiter"; }
  Index inputs() const override { return bits + 1; }
  Index outputs() const override { return bits; }
  std::vector<EpisodeSize> test_sizes() const override { return {{10}, {20}, {30}, {50}, {120}}; }
  EpisodeSize largest_trained() const override { return {20}; }

  Episode draw(Index batch, Generator& random, EpisodeSize size) const override {
    const Index L = chosen(size.length, 1, largest_trained().length, random);
    Episode e{zeros({2 * L + 1, batch, bits + 1}), zeros({2 * L + 1, batch, bits}), L, L + 1, cat("L=", L)};
    Filler input(e.input), target(e.target);
    for (Index b = 0; b < batch; ++b) {
      for (Index t = 0; t < L; ++t)
        for (Index i = 0; i < bits; ++i) target(L + 1 + t, b, i) = input(t, b, i) = coin(random);
      input(L, b, bits) = 1;
    }
    return e;
  }
};

// 4.2: the vectors, a delimiter, then on a channel of its own how often (mean 0, variance 1 over 1..10); the
// answer ends with a marker.
class RepeatCopy : public Task {
 public:
  static constexpr Index bits = 8;
  std::string name() const override { return "repeat-copy"; }
  std::string about() const override {
    return "repeat 1 to 10 vectors 1 to 10 times, then say that it is the end";
  }
  Index inputs() const override { return bits + 2; }
  Index outputs() const override { return bits + 1; }
  std::vector<EpisodeSize> test_sizes() const override { return {{10, 10}, {10, 20}, {20, 10}}; }
  EpisodeSize largest_trained() const override { return {10, 10}; }

  Episode draw(Index batch, Generator& random, EpisodeSize size) const override {
    const auto [longest, most] = largest_trained();
    const Index L = chosen(size.length, 1, longest, random), R = chosen(size.repeats, 1, most, random);
    const Index asked = L + 2, answer = L * R + 1;
    Episode e{zeros({asked + answer, batch, bits + 2}), zeros({asked + answer, batch, bits + 1}), answer,
              asked, cat("L=", L, " R=", R)};
    Filler input(e.input), target(e.target);
    constexpr double mean = 5.5, deviation = 2.8722813232690143;  // of 1, ..., 10
    for (Index b = 0; b < batch; ++b) {
      for (Index t = 0; t < L; ++t)
        for (Index i = 0; i < bits; ++i) {
          input(t, b, i) = coin(random);
          for (Index r = 0; r < R; ++r) target(asked + r * L + t, b, i) = input(t, b, i);
        }
      input(L, b, bits) = 1;
      input(L + 1, b, bits + 1) = static_cast<float>((static_cast<double>(R) - mean) / deviation);
      target(asked + L * R, b, bits) = 1;
    }
    return e;
  }
};

// 4.3: items of three 6-bit vectors, each after an item delimiter (channel 6); then one of them between query
// delimiters (channel 7), and the answer is the item that came next.
class AssociativeRecall : public Task {
 public:
  static constexpr Index bits = 6, rows = 3;
  std::string name() const override { return "recall"; }
  std::string about() const override {
    return "of 2 to 6 items, name the one that followed the item asked for";
  }
  Index inputs() const override { return bits + 2; }
  Index outputs() const override { return bits; }
  std::vector<EpisodeSize> test_sizes() const override { return {{6}, {10}, {12}, {15}, {20}}; }
  EpisodeSize largest_trained() const override { return {6}; }

  Episode draw(Index batch, Generator& random, EpisodeSize size) const override {
    require(size.length != 1, "recall", "needs 2 items or more");
    const Index items = chosen(size.length, 2, largest_trained().length, random);
    const Index query = items * (rows + 1), asked = query + rows + 2;
    Episode e{zeros({asked + rows, batch, bits + 2}), zeros({asked + rows, batch, bits}), rows, asked,
              cat(items, " items")};
    Filler input(e.input), target(e.target);
    for (Index b = 0; b < batch; ++b) {
      for (Index n = 0; n < items; ++n) {
        input(n * (rows + 1), b, bits) = 1;
        for (Index t = 0; t < rows; ++t)
          for (Index i = 0; i < bits; ++i) input(n * (rows + 1) + 1 + t, b, i) = coin(random);
      }
      const Index which = between(random, 0, items - 2);
      input(query, b, bits + 1) = input(query + rows + 1, b, bits + 1) = 1;
      for (Index t = 0; t < rows; ++t)
        for (Index i = 0; i < bits; ++i) {
          input(query + 1 + t, b, i) = input(which * (rows + 1) + 1 + t, b, i);
          target(asked + t, b, i) = input((which + 1) * (rows + 1) + 1 + t, b, i);
        }
    }
    return e;
  }
};

// 4.4: 200 bits drawn from a random table of P(1 | the last five bits); every bit is predicted before it is
// shown.
class NGrams : public Task {
 public:
  static constexpr Index context = 5, length = 200;
  std::string name() const override { return "ngrams"; }
  std::string about() const override {
    return "predict the next of 200 bits that follow a random 6-gram table";
  }
  Index inputs() const override { return 1; }
  Index outputs() const override { return 1; }
  std::vector<EpisodeSize> test_sizes() const override { return {{200}}; }
  EpisodeSize largest_trained() const override { return {length}; }

  Episode draw(Index batch, Generator& random, EpisodeSize size) const override {
    const Index T = size.length > 0 ? size.length : length;
    Episode e{zeros({T, batch, 1}), zeros({T, batch, 1}), T, 0, cat(T, " bits")};
    Filler input(e.input), target(e.target);
    for (Index b = 0; b < batch; ++b) {
      float table[1 << context];
      for (float& p : table) p = beta_half(random);
      std::uint32_t last = 0;
      for (Index t = 0; t < T; ++t) {
        const float p = t < context ? 0.5f : table[last];
        const float bit = random.uniform() < p ? 1.0f : 0.0f;
        target(t, b, 0) = bit;
        if (t + 1 < T) input(t + 1, b, 0) = bit;
        last = (last << 1 | static_cast<std::uint32_t>(bit)) & ((1 << context) - 1);
      }
    }
    return e;
  }

  // Murphy 2012, equation 10 of the paper: P(1 | N1, N0) = (N1 + 1/2) / (N1 + N0 + 1) for the counts in this
  // context.
  std::vector<double> optimal_bits(const Episode& e) const override {
    const Index T = e.target.size(0), B = e.target.size(1);
    const float* bit = e.target.data<float>();
    std::vector<double> bits(static_cast<std::size_t>(B), 0);
    for (Index b = 0; b < B; ++b) {
      double ones[1 << context] = {}, seen[1 << context] = {};
      std::uint32_t last = 0;
      for (Index t = 0; t < T; ++t) {
        const bool one = bit[t * B + b] > 0.5f;
        double p = 0.5;
        if (t >= context) {
          p = (ones[last] + 0.5) / (seen[last] + 1);
          ones[last] += one;
          ++seen[last];
        }
        bits[static_cast<std::size_t>(b)] -= std::log2(one ? p : 1 - p);
        last = (last << 1 | (one ? 1u : 0u)) & ((1 << context) - 1);
      }
    }
    return bits;
  }

 private:
  // Beta(1/2,1/2) is the arcsine law.
  static float beta_half(Generator& random) {
    const double s = std::sin(0.5 * 3.14159265358979323846 * static_cast<double>(random.uniform()));
    return static_cast<float>(s * s);
  }
};

// 4.5: 20 vectors with priorities from [-1,1]; the answer is the 16 of highest priority in falling order.
class PrioritySort : public Task {
 public:
  static constexpr Index bits = 8, length = 20, kept = 16;
  std::string name() const override { return "sort"; }
  std::string about() const override { return "of 20 vectors with priorities, give the highest 16 in order"; }
  Index inputs() const override { return bits + 2; }
  Index outputs() const override { return bits; }
  std::vector<EpisodeSize> test_sizes() const override { return {{20}}; }
  EpisodeSize largest_trained() const override { return {length}; }

  Episode draw(Index batch, Generator& random, EpisodeSize size) const override {
    const Index L = size.length > 0 ? size.length : length, answer = std::max<Index>(1, L * kept / length);
    Episode e{zeros({L + 1 + answer, batch, bits + 2}), zeros({L + 1 + answer, batch, bits}), answer, L + 1,
              cat(L, " vectors")};
    Filler input(e.input), target(e.target);
    std::vector<Index> order(static_cast<std::size_t>(L));
    for (Index b = 0; b < batch; ++b) {
      for (Index t = 0; t < L; ++t) {
        for (Index i = 0; i < bits; ++i) input(t, b, i) = coin(random);
        input(t, b, bits) = 2 * random.uniform() - 1;
      }
      input(L, b, bits + 1) = 1;
      std::iota(order.begin(), order.end(), Index{0});
      std::stable_sort(order.begin(), order.end(),
                       [&](Index x, Index y) { return input(x, b, bits) > input(y, b, bits); });
      for (Index t = 0; t < answer; ++t)
        for (Index i = 0; i < bits; ++i)
          target(L + 1 + t, b, i) = input(order[static_cast<std::size_t>(t)], b, i);
    }
    return e;
  }
};

}  // namespace

const std::vector<std::string>& task_names() {
  static const std::vector<std::string> names = {"copy", "repeat-copy", "recall", "ngrams", "sort"};
  return names;
}

std::unique_ptr<Task> make_task(const std::string& name) {
  if (name == "copy") return std::make_unique<Copy>();
  if (name == "repeat-copy") return std::make_unique<RepeatCopy>();
  if (name == "recall") return std::make_unique<AssociativeRecall>();
  if (name == "ngrams") return std::make_unique<NGrams>();
  if (name == "sort") return std::make_unique<PrioritySort>();
  fail("task", "'", name, "' is not a task of ntm; there are copy, repeat-copy, recall, ngrams and sort");
}

}  // namespace fovea::ntm
