#include "fovea/core/tape.h"
#include "fovea/models/layers/weights_file.h"
#include "fovea/models/seq2seq/learner.h"
#include "fovea/models/training/checkpoint.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/views.h"
#include "tests/backwards.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

using seq2seq::Learner;
using seq2seq::Settings;

// Each word 4 higher: sources of ids 4 to 7, targets 8 to 11.
TokenPairs pairs(int count, std::uint64_t seed) { return backwards(count, seed, 4, 4); }

Settings small() {
  Settings s = seq2seq::settings_for("dates");
  s.embedding = 12;
  s.hidden = 24;
  s.dropout = 0.1;
  s.source_words = 8;
  s.target_words = 12;
  s.batch_size = 16;
  s.most_length = 6;
  s.steps = 40;
  return s;
}

TEST_CASE("seq2seq learner: settings survive JSON, and name what they do not know") {
  Settings s = small();
  s.attention = "local-p";
  CHECK(Settings::from_json(s.to_json()).to_json() == s.to_json());
  check_throws([] { Settings::from_json("{\"attentoin\":\"dot\"}"); }, {"[seq2seq]", "attentoin"});
  CHECK(seq2seq::settings_for("dates", "luong").lr > seq2seq::settings_for("dates").lr);
  CHECK(seq2seq::settings_for("multi30k", "luong").net == "luong");
  check_throws([] { seq2seq::settings_for("letters"); }, {"letters", "dates, copy, multi30k"});
}

TEST_CASE("seq2seq learner: a resumed run goes on bit for bit") {
  for (const char* attention : {"concat", "hard"}) {
    Settings s = small();
    s.attention = attention;
    Learner whole(s, pairs(50, 1), pairs(10, 2)), first(s, pairs(50, 1));
    std::vector<double> costs;
    for (int i = 0; i < 9; ++i) costs.push_back(whole.step());
    for (int i = 0; i < 5; ++i) CHECK(first.step() == costs[static_cast<std::size_t>(i)]);
    Learner second(Settings::from_json(first.checkpoint().meta), pairs(50, 1));
    second.restore(first.checkpoint());
    for (int i = 5; i < 9; ++i) CHECK(second.step() == costs[static_cast<std::size_t>(i)]);
    CHECK(second.epochs() == whole.epochs());
  }
}

TEST_CASE("seq2seq learner: learns to write backwards") {
  Settings s = small();
  s.lr = 1e-2;
  s.steps = 300;
  s.dropout = 0;
  const TokenPairs test = pairs(100, 3);
  Learner learner(s, pairs(400, 1), test, {{"text source", Tensor::from({1, 2}, {2})}});
  const double before = learner.validate();
  CHECK(before > 1.5);  // ln 12 is 2.5
  while (learner.steps() < s.steps) learner.step();
  CHECK(learner.validate() < 0.15);
  const double again = learner.validate();
  CHECK(learner.validate() == again);  // nothing random is left on
  const auto greedy = learner.translate(test.source), beam = learner.translate(test.source, 4);
  int right = 0, right_beam = 0;
  for (std::size_t i = 0; i < 100; ++i) {
    right += greedy[i].ids == test.target[i];
    right_beam += beam[i].ids == test.target[i];
    CHECK(learner.translate({test.source[i]})[0].ids == greedy[i].ids);  // alone as among others
  }
  CHECK(right >= 90);
  CHECK(right_beam >= right);
  const auto looked = learner.look({4, 5, 6});
  CHECK(looked.written.ids == TokenIds{10, 9, 8});
  REQUIRE(looked.maps.size() == 1);
  CHECK(looked.maps[0].shape() == Shape{4, 4});
  CHECK(looked.maps[0].at({0, 2}) > 0.5);                                   // the last word first
  const Tensor given = learner.look({4, 5, 6}, {{10, 9}, 0, false}).at(0);  // of a translation from elsewhere
  CHECK(difference(given, slice(looked.maps[0], 0, 0, 2)) < 1e-6);
  CHECK(learner.checkpoint().extra.at(0).name == "text source");
}

TEST_CASE("seq2seq learner: the gradients of words are those of the model, and leave nothing behind") {
  const Settings s = small();
  Learner learner(s, pairs(400, 1)), other(s, pairs(400, 1));
  for (int i = 0; i < 20; ++i) CHECK(learner.step() == other.step());
  // Every word once: a row of the matrix is a word's vector.
  const TokenIds source{4, 6, 5}, written{8, 9};
  const Tensor g = learner.gradients(source, {written, 0, true});
  REQUIRE(g.shape() == Shape{3, 4});
  Generator random(1);
  seq2seq::Seq2Seq model(seq2seq::options_of(s), random);
  load_tensors(model, learner.checkpoint().model, true, "the learner");
  const std::vector<Index> first{0};
  const TokenBatch batch = make_token_batch({{source}, {written}}, first);
  for (Index i = 0; i < 3; ++i) {
    zero_gradients(model);
    Tape tape;
    tape.backward(select(select(model.log_probs(batch), 0, 0), 0, i));
    const Tensor rows = norm(model.source.weight.grad(), -1);
    for (Index j = 0; j < 4; ++j)
      CHECK(g.at({i, j}) == doctest::Approx(rows.at({static_cast<Index>(batch.source.at({0, j}))})));
  }
  CHECK(learner.step() == other.step());
  CHECK(learner.gradients({4}, {{8, 9}, 0, false}).shape() == Shape{2, 2});
  check_throws([&] { learner.gradients({99}, {}); }, {"[seq2seq]", "the id 99"});
}

TEST_CASE("seq2seq learner: local attention says where its window lies") {
  for (const char* attention : {"local-p", "local-m", "concat"}) {
    seq2seq::Settings s = seq2seq::settings_for("copy");
    s.attention = attention;
    s.hidden = s.embedding = 8;
    s.source_words = s.target_words = 10;
    seq2seq::Learner learner(s);
    const TokenIds sentence{4, 5, 6, 7};
    for (const bool ended : {true, false}) {
      const std::vector<float> middles = learner.middles(sentence, {{4, 5, 6, 7, 8, 9}, 0, ended});
      const std::size_t rows = s.attention == "concat" ? 0 : ended ? 7 : 6;
      REQUIRE(middles.size() == rows);
      for (std::size_t t = 0; t < rows; ++t)
        if (s.attention == "local-m")
          CHECK(middles[t] == static_cast<float>(std::min<std::size_t>(t, 4)));
        else
          CHECK((middles[t] > 0 && middles[t] <= 4));
    }
  }
}

TEST_CASE("seq2seq learner: bad input") {
  const Settings s = small();
  TokenPairs high = pairs(5, 1);
  high.source[3][0] = 8;
  check_throws([&] { Learner(s, high); }, {"[seq2seq]", "training's source", "id 8", "vocabulary has 8"});
  check_throws([&] { Learner(s, pairs(5, 1), high); }, {"validation's source"});
  TokenPairs longer = pairs(5, 1);
  longer.target[2].resize(9, 8);
  check_throws([&] { Learner(s, longer); }, {"pair 2", "10 tokens"});
  Learner untaught(s);
  check_throws([&] { untaught.step(); }, {"no sentences to learn from"});
  check_throws([&] { untaught.validate(); }, {"no sentences to validate"});
  check_throws([&] { untaught.translate({{4}, {}}); }, {"empty"});
  check_throws([&] { untaught.translate({{9}}); }, {"id 9", "vocabulary of 8"});
  Settings plain = s;
  plain.attention = "none";
  CHECK(Learner(plain).look({4}).maps.empty());
  CHECK(!Learner(plain).attends());
  CHECK(untaught.attends());
  check_throws([&] { untaught.look({}, {}); }, {"empty"});
}

}  // namespace
}  // namespace fovea::tests
