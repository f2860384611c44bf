#include <cmath>
#include <map>
#include <set>

#include "fovea/models/bert/learner.h"
#include "fovea/models/bert/masking.h"
#include "fovea/ops/create.h"
#include "fovea/ops/views.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

// Pairs of a random token and one that tells which: the second is known from the left, the first from the
// right.
bert::Text pairs(Index n) {
  bert::Text text;
  Generator random(3);
  for (Index i = 0; i < n; ++i) {
    const auto a = static_cast<std::int32_t>(random.below(7));
    auto& part = i < n * 9 / 10 ? text.train : text.validation;
    part.insert(part.end(), {5 + a, 12 + a});
  }
  return text;
}

bert::Settings small() {
  bert::Settings s = bert::settings_for("small");
  s.vocabulary = 5 + 14;
  s.context = 10;
  s.layers = 2;
  s.heads = 4;
  s.width = 32;
  s.batch_size = 32;
  s.warmup = 50;
  s.steps = 600;
  s.lr = 3e-3;
  return s;
}

std::vector<float> weights(bert::Learner& learner) {
  const Checkpoint c = learner.checkpoint();
  std::vector<float> all;
  for (const auto* part : {&c.model, &c.extra})
    for (const NamedTensor& t : *part)
      if (t.tensor.dtype() == DType::f32)
        for (Index i = 0; i < t.tensor.numel(); ++i) all.push_back(t.tensor.data<float>()[i]);
  return all;
}

Tensor ids_of(const std::vector<std::int32_t>& values, const Shape& shape) {
  return Tensor::from(std::span(values), shape);
}

Checkpoint copied(Checkpoint c) {
  for (auto* part : {&c.model, &c.optimizer, &c.extra})
    for (NamedTensor& t : *part) t.tensor = clone(t.tensor);  // they are the learner's own
  return c;
}

}  // namespace

TEST_CASE("masking: 15 % of the ordinary tokens, of which 80 % are [MASK], 10 % another, 10 % the same") {
  Generator random(1);
  const Index B = 500, L = 42;
  Tensor ids = rand_int({B, L}, random, 5, 105);
  for (Index b = 0; b < B; ++b) {
    ids.mutable_data<std::int32_t>()[b * L] = 2;
    ids.mutable_data<std::int32_t>()[b * L + L - 1] = 3;
  }
  const bert::MaskingOptions options{.vocabulary = 105};
  const bert::Masked m = bert::mask_tokens(ids, options, random);
  const auto before = ids.values<std::int32_t>(), after = m.ids.values<std::int32_t>();
  const auto places = m.places.values<std::int32_t>(), targets = m.targets.values<std::int32_t>();
  CHECK(places.size() == 500 * 6);  // 0.15 of 40
  std::map<Index, int> in_row;
  std::set<std::int32_t> chosen;
  double masked = 0, same = 0;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto p = static_cast<std::size_t>(places[i]);
    CHECK((i == 0 || places[i] > places[i - 1]));
    CHECK(targets[i] == before[p]);
    CHECK(before[p] >= 5);
    CHECK((after[p] == 4 || (after[p] >= 5 && after[p] < 105)));
    masked += after[p] == 4;
    same += after[p] == before[p];
    ++in_row[places[i] / L];
    chosen.insert(places[i]);
  }
  CHECK(std::abs(masked / 3000 - 0.8) < 0.03);
  CHECK(std::abs(same / 3000 - 0.101) < 0.02);  // of the replaced ones, one in a hundred
  for (const auto& [row, n] : in_row) CHECK(n == 6);
  for (std::size_t p = 0; p < before.size(); ++p)
    if (!chosen.count(static_cast<std::int32_t>(p))) CHECK(after[p] == before[p]);
  std::map<std::int32_t, int> column;
  for (const std::int32_t p : places) ++column[p % L];
  CHECK(column.size() == 40);
  for (const auto& [c, n] : column) CHECK(std::abs(n - 75) < 45);  // 5 deviations
}

TEST_CASE("masking: short rows, rows of special tokens, and bad input") {
  Generator random(2);
  const Tensor ids = ids_of({2, 9, 3, 0, 2, 3, 0, 0, 2, 7, 8, 3}, {3, 4});
  const bert::Masked m = bert::mask_tokens(ids, {.masked = 1, .replaced = 0, .vocabulary = 10}, random);
  CHECK(m.places.numel() == 2);
  CHECK(m.places.at({0}) == 1);
  CHECK(m.targets.at({0}) == 9);
  CHECK(m.ids.at({0, 1}) == 4);
  CHECK(difference(slice(m.ids, 0, 1, 2), slice(ids, 0, 1, 2)) == 0);
  CHECK(bert::mask_tokens(zeros({0, 4}, DType::i32), {}, random).places.shape() == Shape{0});
  check_throws([&] { bert::mask_tokens(zeros({2, 3}), {}, random); }, {"i32 [B,L]"});
  check_throws([&] { bert::mask_tokens(ids, {.share = 0}, random); }, {"share 0 must be in (0, 1]"});
  check_throws([&] { bert::mask_tokens(ids, {.masked = 0.9, .replaced = 0.2}, random); }, {"at most 1"});
  check_throws([&] { bert::mask_tokens(ids, {.vocabulary = 5}, random); }, {"no ordinary tokens"});
  check_throws([&] { bert::text_pairs(zeros({1, 4}, DType::i32), {}, random); }, {"(1,4)", "no pairs"});
}

TEST_CASE("masking: texts alone, and pairs of which half follow") {
  const Tensor texts = reshape(cast(arange(200 * 5), DType::i32), {200, 5});
  const Tensor one = bert::single_texts(slice(texts, 0, 1, 2)).ids;
  CHECK(difference(one, ids_of({2, 5, 6, 7, 8, 9, 3}, {1, 7})) == 0);
  Generator random(4);
  const bert::Pairs pairs = bert::text_pairs(texts, {}, random);
  CHECK(difference(select(pairs.segments, 0, 7), ids_of({0, 0, 0, 0, 1, 1, 1, 1}, {8})) == 0);
  int follow = 0;
  for (Index b = 0; b < 200; ++b) {
    const auto at = [&](Index i) { return static_cast<Index>(pairs.ids.at({b, i})); };
    CHECK((at(0) == 2 && at(1) == 5 * b && at(2) == 5 * b + 1 && at(3) == 3 && at(7) == 3));
    CHECK((at(4) % 5 == 2 && at(5) == at(4) + 1 && at(6) == at(4) + 2));
    CHECK((at(4) == 5 * b + 2) == (pairs.follows.at({b}) == 1));
    follow += pairs.follows.at({b}) == 1;
  }
  CHECK(std::abs(follow - 100) < 36);  // 5 deviations
}

TEST_CASE("bert learner: both sides tell what the left alone does not" * doctest::test_suite("long")) {
  bert::Settings s = small();
  s.with_baseline = true;
  bert::Learner learner(s, pairs(2000));
  const bert::Learner::Score unigrams = learner.unigrams(), before = learner.evaluate();
  CHECK(unigrams.loss == doctest::Approx(std::log(14)).epsilon(0.03));
  CHECK(unigrams.accuracy < 0.15);
  CHECK(before.loss == doctest::Approx(std::log(19)).epsilon(0.05));
  CHECK(!before.next_accuracy);
  for (int i = 0; i < 600; ++i) learner.step();
  const bert::Learner::Score score = learner.evaluate(), left = learner.baseline()->evaluate();
  CHECK(score.accuracy > 0.75);  // not all: a token's other half may be hidden, too
  CHECK(left.accuracy > 0.45);
  CHECK(left.accuracy < 0.65);  // 1/2 + 1/2 1/7, had it learned all there is
  CHECK(learner.evaluate(4).accuracy > 0.6);
  CHECK(learner.parameters() == learner.baseline()->parameters());
}

TEST_CASE("bert learner: a run goes on bit for bit") {
  for (bool next_sentence : {false, true}) {
    bert::Settings s = small();
    s.with_baseline = !next_sentence;
    s.next_sentence = next_sentence;
    s.context = 11;
    bert::Learner learner(s, pairs(2000));
    Checkpoint half;
    for (int i = 0; i < 12; ++i) {
      if (i == 5) half = copied(learner.checkpoint());
      learner.step();
    }
    bert::Learner again(bert::Settings::from_json(half.meta), pairs(2000));
    again.restore(half);
    for (int i = 5; i < 12; ++i) again.step();
    CHECK(weights(learner) == weights(again));
    CHECK(learner.evaluate(4).loss == again.evaluate(4).loss);
  }
}

TEST_CASE("bert learner: a baseline changes nothing") {
  bert::Settings s = small();
  bert::Learner single(s, pairs(2000));
  s.with_baseline = true;
  bert::Learner paired(s, pairs(2000));
  for (int i = 0; i < 3; ++i) CHECK(single.step() == paired.step());
}

TEST_CASE("bert learner: whether a text follows another" * doctest::test_suite("long")) {
  // Texts count up: what follows is known from the numbers.
  bert::Text text;
  for (int i = 0; i < 4000; ++i) (i < 3600 ? text.train : text.validation).push_back(5 + i / 4 % 14);
  bert::Settings s = small();
  s.next_sentence = true;
  s.context = 11;
  s.steps = 400;
  bert::Learner learner(s, text);
  for (int i = 0; i < 400; ++i) learner.step();
  const bert::Learner::Score score = learner.evaluate();
  REQUIRE(score.next_accuracy);
  CHECK(*score.next_accuracy > 0.8);
}

TEST_CASE("bert learner: bad input") {
  check_throws([] { bert::settings_for("tiny"); }, {"'tiny' is not a preset", "small, medium, base"});
  bert::Learner mute(small());
  check_throws([&] { mute.step(); }, {"no text"});
  check_throws([&] { mute.evaluate(); }, {"no text"});
  bert::Text text = pairs(200);
  text.validation[3] = 19;
  check_throws([&] { bert::Learner(small(), text); }, {"token 19", "vocabulary of 19"});
  bert::Settings s = small();
  s.next_sentence = s.with_baseline = true;
  check_throws([&] { bert::Learner{s}; }, {"exclude each other"});
}

}  // namespace fovea::tests
