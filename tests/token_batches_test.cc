#include "fovea/models/data/token_batches.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "tests/errors.h"

using namespace fovea;
using fovea::tests::contains;
using fovea::tests::error_of;

namespace {

/// Pairs of 1 to 30 tokens; the first token of source i is 10 + i.
TokenPairs some_pairs(Index count) {
  Generator random(5);
  TokenPairs pairs;
  for (Index i = 0; i < count; ++i) {
    TokenIds x(1 + random.below(30), static_cast<std::int32_t>(10 + i)), y(1 + random.below(30));
    for (auto& id : y) id = static_cast<std::int32_t>(4 + random.below(9));
    pairs.source.push_back(x);
    pairs.target.push_back(y);
  }
  return pairs;
}

std::vector<std::int32_t> values(const Tensor& t) {
  const auto v = t.values<std::int32_t>();
  return {v.begin(), v.end()};
}
std::vector<int> mask(const Tensor& t) {
  const auto v = t.values<std::uint8_t>();
  return {v.begin(), v.end()};
}
bool equal(const TokenBatch& a, const TokenBatch& b) {
  return a.indices == b.indices && values(a.source) == values(b.source) &&
         values(a.input) == values(b.input) && values(a.output) == values(b.output);
}

}  // namespace

TEST_CASE("token_batches: what a batch holds") {
  const TokenPairs pairs{{{5, 6}, {7}, {8, 9, 10}}, {{11}, {12, 13, 14}, {15, 16}}};
  const TokenBatch b = make_token_batch(pairs, std::vector<Index>{1, 0});
  CHECK(b.source.shape() == Shape{2, 3});
  CHECK(values(b.source) == std::vector<std::int32_t>{7, 3, 0, 5, 6, 3});
  CHECK(values(b.source_lengths) == std::vector<std::int32_t>{2, 3});
  CHECK(mask(b.source_keep) == std::vector<int>{1, 1, 0, 1, 1, 1});
  CHECK(b.input.shape() == Shape{2, 4});
  CHECK(values(b.input) == std::vector<std::int32_t>{2, 12, 13, 14, 2, 11, 0, 0});
  CHECK(values(b.output) == std::vector<std::int32_t>{12, 13, 14, 3, 11, 3, 0, 0});
  CHECK(values(b.target_lengths) == std::vector<std::int32_t>{4, 2});
  CHECK(mask(b.target_keep) == std::vector<int>{1, 1, 1, 1, 1, 1, 0, 0});
  CHECK(b.target_tokens == 6);
  CHECK(b.size() == 2);
  CHECK(b.indices == std::vector<Index>{1, 0});
  const TokenBatch other = make_token_batch(pairs, std::vector<Index>{1},
                                            {.pad = 90, .begin = 91, .end = 92, .end_source = false});
  CHECK(values(other.source) == std::vector<std::int32_t>{7});
  CHECK(values(other.output) == std::vector<std::int32_t>{12, 13, 14, 92});
  CHECK(values(other.input) == std::vector<std::int32_t>{91, 12, 13, 14});
  CHECK(contains(error_of([&] { make_token_batch(pairs, std::vector<Index>{3}); }), "no pair 3 among 3"));
}

TEST_CASE("token_batches: an epoch takes every pair once, and no batch is too large") {
  const Index count = 500;
  TokenBatches batches(some_pairs(count), {.tokens = 200, .most_sentences = 12}, Generator(1));
  std::vector<std::vector<Index>> first_epoch;
  Index padded = 0, cells = 0, again = 0;
  for (int epoch = 0; epoch < 3; ++epoch) {
    std::multiset<Index> seen;
    const Index n = batches.batches_in_epoch();
    for (Index i = 0; i < n; ++i) {
      CHECK(batches.epoch() == epoch);
      CHECK(batches.position() == i);
      const TokenBatch b = batches.next();
      CHECK(b.size() * std::max(b.source.size(1), b.input.size(1)) <= 200);
      CHECK(b.size() <= 12);
      seen.insert(b.indices.begin(), b.indices.end());
      for (Index row = 0; row < b.size(); ++row)
        CHECK(b.source.at({row, 0}) == 10 + b.indices[static_cast<std::size_t>(row)]);
      cells += b.input.numel();
      padded += b.input.numel() - b.target_tokens;
      if (epoch == 0) first_epoch.push_back(b.indices);
      if (epoch == 1)
        again += std::find(first_epoch.begin(), first_epoch.end(), b.indices) != first_epoch.end();
    }
    CHECK(seen == std::multiset<Index>([&] {
            std::multiset<Index> all;
            for (Index i = 0; i < count; ++i) all.insert(i);
            return all;
          }()));
  }
  CHECK(again < 10);          // of some 70: batches of one or two pairs may come up once more
  CHECK(padded < cells / 2);  // lengths of the two sides are independent here
}

TEST_CASE("token_batches: padded, every epoch has the same few shapes") {
  const Index count = 500;
  const auto shapes_in = [&](const TokenBatchesOptions& options) {
    TokenBatches batches(some_pairs(count), options, Generator(1));
    std::multiset<std::vector<Index>> epochs[2];
    for (auto& epoch : epochs)
      for (Index i = 0, n = batches.batches_in_epoch(); i < n; ++i) {
        const TokenBatch b = batches.next();
        const Index S = b.source.size(1), T = b.input.size(1);
        CHECK(S % options.pad_to == 0);
        CHECK(T % options.pad_to == 0);
        CHECK(b.size() * std::max(S, T) <= 320);
        CHECK(b.source_keep.shape() == b.source.shape());
        CHECK(b.target_keep.shape() == b.output.shape());
        Index kept = 0;
        for (const int one : mask(b.target_keep)) kept += one;
        CHECK(kept == b.target_tokens);
        epoch.insert({b.size(), S, T});
      }
    CHECK(epochs[0] == epochs[1]);
    return std::set(epochs[0].begin(), epochs[0].end()).size();
  };
  CHECK(shapes_in({.tokens = 320, .pad_to = 8}) < 20);
  CHECK(TokenBatches(some_pairs(9), {.tokens = 32, .pad_to = 32}, Generator(1)).next().size() == 1);
}

TEST_CASE("token_batches: sorted for validation") {
  TokenBatches batches(some_pairs(100), {.tokens = 120, .shuffle = false}, Generator(1));
  const auto all = batches.all();
  Index last = 0, sum = 0;
  for (const TokenBatch& b : all) {
    const Index longest = std::max(b.source.size(1), b.input.size(1));
    CHECK(longest >= last);
    last = longest;
    sum += b.size();
    CHECK(equal(b, batches.next()));
  }
  CHECK(sum == 100);
  CHECK(batches.epoch() == 1);
}

TEST_CASE("token_batches: go on from a state, bit for bit") {
  const TokenPairs pairs = some_pairs(60);
  const TokenBatchesOptions options{.tokens = 100};
  TokenBatches a(pairs, options, Generator(3).fork(9));
  const Index steps = a.batches_in_epoch() + 3;
  for (Index i = 0; i < steps; ++i) a.next();
  CHECK(a.epoch() == 1);
  const Generator::State state = a.state();
  TokenBatches b(pairs, options, Generator(77));
  b.set_state(state);
  CHECK(b.state() == state);
  for (int i = 0; i < 40; ++i) CHECK(equal(a.next(), b.next()));
  const Generator::State wrong{1, 2, (std::uint64_t{4} << 32) + 1000};
  const auto before = b.state();
  CHECK(contains(error_of([&] { b.set_state(wrong); }), "there is no batch 1000 in epoch 4"));
  CHECK(b.state() == before);
  CHECK(equal(a.next(), b.next()));
}

TEST_CASE("token_batches: what cannot be batched") {
  const auto error = [](const TokenPairs& pairs, const TokenBatchesOptions& options = {}) {
    return error_of([&] { TokenBatches(pairs, options, Generator(1)); });
  };
  CHECK(contains(error({}), "there are no pairs"));
  CHECK(contains(error({{{1}}, {{1}}}, {.pad_to = 0}), "pad_to is 0"));
  CHECK(contains(error({{{1}}, {{1}}}, {.tokens = 7, .pad_to = 8}),
                 "pair 0 has 8 tokens when it is padded, more than 7"));
  CHECK(contains(error({{{1}}, {}}), "1 sources and 0 targets"));
  CHECK(contains(error({{{1}, {}}, {{1}, {1}}}), "source 1 is empty"));
  CHECK(contains(error({{{1}, {1}}, {{1}, {}}}), "target 1 is empty"));
  CHECK(contains(error({{{1}}, {{1, -4}}}), "target 0 has an id of -4"));
  CHECK(contains(error({{{1}}, {{1, 2, 3}}}, {.most_length = 3}),
                 "pair 0 has 4 tokens with its end, more than 3"));
  CHECK(contains(error({{{1}}, {{1, 2, 3}}}, {.tokens = 3}), "raise tokens"));
  CHECK(error({{{1}}, {{1, 2, 3}}}, {.tokens = 4}) == "");
  CHECK(contains(error({{{1}}, {{1}}}, {.most_sentences = -1}), "most_sentences"));
}
