#include "fovea/models/translation/beam_search.h"

#include <cmath>
#include <map>

#include "fovea/ops/create.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

// A language of the words 4 and 5 in which what follows depends on the sentence so far and on which text it
// is. Probabilities of 3 (the end), 4 and 5.
using Text = std::vector<std::int32_t>;
using Language = std::map<Text, std::array<double, 3>>;

// A language as a model of several texts at once: row i writes in the language rows[i] says.
struct Model {
  std::vector<Language> languages;
  struct Row {
    std::size_t language;
    Text text;
  };
  std::vector<Row> rows = {};
  bool begun = false;
  Index asked = 0;  // rows, over all steps

  Writer writer() {
    for (std::size_t i = 0; i < languages.size(); ++i) rows.push_back({i, {}});
    return {[this](const Tensor& last) {
              REQUIRE(last.numel() == static_cast<Index>(rows.size()));
              asked += last.numel();
              Tensor out = full({last.numel(), 6}, -20);
              for (std::size_t i = 0; i < rows.size(); ++i) {
                const std::int32_t id = last.data<std::int32_t>()[i];
                if (begun)
                  rows[i].text.push_back(id);
                else
                  CHECK(id == 2);
                const auto& language = languages[rows[i].language];
                const auto at = language.find(rows[i].text);
                float* to = out.mutable_data<float>() + 6 * i;
                to[0] = 5;  // padding, which must never be written
                if (at == language.end()) {
                  to[3] = 0;
                  continue;
                }
                for (std::size_t k = 0; k < 3; ++k) to[3 + k] = static_cast<float>(std::log(at->second[k]));
              }
              begun = true;
              return out;
            },
            [this](const Tensor& numbers) {
              std::vector<Row> next;
              for (const std::int32_t n : numbers.values<std::int32_t>())
                next.push_back(rows.at(static_cast<std::size_t>(n)));
              rows = std::move(next);
            }};
  }
};

// The likeliest first word leads to nothing likely: 4 4 has 0.6 * 0.4, 5 4 has 0.4 * 0.9.
const Language trap = {{{}, {0.0001, 0.6, 0.3999}}, {{4}, {0.2, 0.4, 0.4}},    {{5}, {0.05, 0.9, 0.05}},
                       {{4, 4}, {1, 1e-9, 1e-9}},   {{4, 5}, {1, 1e-9, 1e-9}}, {{5, 4}, {1, 1e-9, 1e-9}}};
const Language short_or_long = {{{}, {0.5, 0.49, 0.01}},
                                {{4}, {1e-6, 0.98, 0.02}},
                                {{5}, {1e-6, 0.5, 0.5}},
                                {{4, 4}, {0.98, 0.01, 0.01}}};

TEST_CASE("beam_search: finds what greedy writing misses") {
  Model greedy{{trap}}, beam{{trap}};
  const Written g = write_greedily(greedy.writer(), {.most = {5}})[0];
  CHECK(g.ids == Text{4, 4});
  CHECK(g.ended);
  CHECK(g.log_prob == doctest::Approx(std::log(0.6 * 0.4)).epsilon(1e-5));
  const Written b = beam_search(beam.writer(), {{.most = {5}}, 2, 0})[0];
  CHECK(b.ids == Text{5, 4});
  CHECK(b.ended);
  CHECK(b.log_prob == doctest::Approx(std::log(0.3999 * 0.9)).epsilon(1e-5));
}

TEST_CASE("beam_search: the length penalty") {
  for (const double alpha : {0.0, 1.0}) {
    Model model{{short_or_long}};
    const Written w = beam_search(model.writer(), {{.most = {5}}, 2, alpha})[0];
    CHECK(w.ids == (alpha == 0 ? Text{} : Text{4, 4}));
  }
  CHECK(Written{{4, 4, 4}, -3, true}.score(1) == doctest::Approx(-3 / (9.0 / 6)));
  CHECK(Written{{4, 4, 4}, -3, false}.score(2) == doctest::Approx(-3 / (8.0 / 6 * 8 / 6)));
}

TEST_CASE("beam_search: improbable ends do not crowd out a sentence that the model is sure of") {
  Language sure;
  for (Text text; text.size() < 6; text.push_back(4)) sure[text] = {1e-3, 0.998, 1e-3};
  sure[Text(6, 4)] = {0.998, 1e-3, 1e-3};
  Model model{{sure}};
  CHECK(beam_search(model.writer(), {{.most = {9}}, 2, 0.6})[0].ids == Text(6, 4));
}

TEST_CASE("beam_search: a wide beam is an exhaustive search; a beam of 1 is greedy") {
  Generator random(5);
  for (int trial = 0; trial < 30; ++trial) {
    Language language;
    Written best;  // by hand, over all texts of up to 3 words
    const std::function<void(const Text&, double)> grow = [&](const Text& text, double log_prob) {
      std::array<double, 3> p;
      double total = 0;
      for (double& x : p) total += x = 0.05 + static_cast<double>(random.uniform());
      for (double& x : p) x /= total;
      language[text] = p;
      const Written w{text, log_prob + std::log(p[0]), true};
      if (!best.ended || w.score(0.6) > best.score(0.6)) best = w;
      if (text.size() == 3) return;
      for (const std::int32_t id : {4, 5}) {
        Text longer = text;
        longer.push_back(id);
        grow(longer, log_prob + std::log(p[static_cast<std::size_t>(id - 3)]));
      }
    };
    grow({}, 0);
    Model wide{{language}}, narrow{{language}}, greedy{{language}};
    const Written w = beam_search(wide.writer(), {{.most = {3}}, 20, 0.6})[0];
    CHECK(w.ids == best.ids);
    CHECK(w.log_prob == doctest::Approx(best.log_prob).epsilon(1e-5));
    const Written n = beam_search(narrow.writer(), {{.most = {3}}, 1, 0.6})[0];
    const Written g = write_greedily(greedy.writer(), {.most = {3}})[0];
    CHECK(n.ids == g.ids);
    CHECK(n.ended == g.ended);
    CHECK(n.log_prob == doctest::Approx(g.log_prob));
  }
}

TEST_CASE("beam_search: several sentences at once are as one by one, and done ones cost nothing") {
  Model both{{short_or_long, trap}};
  const auto all = beam_search(both.writer(), {{.most = {5, 5}}, 2, 0});
  Index alone = 0;
  for (std::size_t i = 0; i < 2; ++i) {
    Model one{{i == 0 ? short_or_long : trap}};
    const Written w = beam_search(one.writer(), {{.most = {5}}, 2, 0})[0];
    CHECK(w.ids == all[i].ids);
    CHECK(w.log_prob == doctest::Approx(all[i].log_prob));
    alone += one.asked;
  }
  CHECK(both.asked == alone);
  Model again{{short_or_long, trap}};
  const auto greedy = write_greedily(again.writer(), {.most = {5, 5}});
  CHECK(greedy[0].ids == Text{});
  CHECK(greedy[1].ids == Text{4, 4});
}

TEST_CASE("beam_search: the greatest length") {
  Model beam{{trap}}, greedy{{trap}}, none{{trap}};
  const Written b = beam_search(beam.writer(), {{.most = {1}}, 1, 0})[0],
                g = write_greedily(greedy.writer(), {.most = {1}})[0];
  for (const Written& w : {b, g}) {
    CHECK(w.ids == Text{4});
    CHECK_FALSE(w.ended);
    CHECK(w.log_prob == doctest::Approx(std::log(0.6)));
  }
  CHECK(beam_search(none.writer(), {{.most = {0}}, 2, 0})[0].ids.empty());
}

TEST_CASE("beam_search: bad input") {
  const Writer bad{[](const Tensor&) { return zeros({3, 4}); }, nullptr};
  check_throws([&] { beam_search(bad, {{.most = {5}}, 0, 0}); }, {"[beam_search]", "beam is 0"});
  check_throws([&] { beam_search(bad, {{.most = {-1}}, 1, 0}); }, {"-1"});
  check_throws([&] { beam_search(bad, {{.most = {5}}, 2, 0}); }, {"(3,4)", "1 sentences", "[R,V]"});
  check_throws([&] { write_greedily(bad, {.most = {5}}); }, {"(3,4)"});
  const Writer nothing{[](const Tensor&) { return zeros({1, 1}); }, nullptr};
  check_throws([&] { write_greedily(nothing, {.most = {5}}); }, {"no token"});
  check_throws([&] { beam_search(nothing, {{.most = {5}}, 2, 0}); }, {"no token"});
}

}  // namespace
}  // namespace fovea::tests
