#include "fovea/ops/pad.h"

#include "fovea/ops/create.h"
#include "fovea/ops/join.h"
#include "fovea/ops/views.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

const std::vector<std::vector<Shape>> planes = {{{2, 3}}, {{5, 7}}, {{1, 1}}, {{2, 0}}, {{3, 2, 5}}};

TEST_CASE("pad") {
  check({"pad", "both dimensions", planes,
         [](const Inputs& x) {
           return pad(x[0], {{1, 2}, {0, 3}}, 0.5);
         },
         [](const Inputs& x) {
           Shape side = x[0].shape();
           const int rows = side.rank() - 2, columns = side.rank() - 1;
           const auto filled = [&](const Shape& s) { return full(s, 0.5, x[0].dtype()); };
           const Tensor tall =
               concat({filled(side.replaced(rows, 1)), x[0], filled(side.replaced(rows, 2))}, rows);
           return concat({tall, filled(tall.shape().replaced(columns, 3))}, columns);
         }});
  check({"pad", "none", {{{2, 3}}}, [](const Inputs& x) { return pad(x[0], {}); }});
  CHECK(difference(pad(Tensor::from({1, 2}, {2}), {{1, 2}}, 7), Tensor::from({7, 1, 2, 7, 7}, {5})) == 0);
  CHECK(pad(Tensor::empty({2}, DType::u8), {{1, 1}}).dtype() == DType::u8);
}

TEST_CASE("roll") {
  for (Index shift : {0, 1, -1, 2, -9}) {
    check({"roll", "last", planes, [shift](const Inputs& x) { return roll(x[0], shift, -1); }});
    check({"roll", "first", planes, [shift](const Inputs& x) { return roll(x[0], shift, 0); }});
  }
  check({"roll",
         "by one and by hand",
         {{{2, 5}}, {{3, 2}}},
         [](const Inputs& x) { return roll(x[0], 1, 1); },
         [](const Inputs& x) {
           return concat({slice(x[0], 1, -1, to_end), slice(x[0], 1, 0, -1)}, 1);
         }});
  CHECK(difference(roll(Tensor::from({1, 2, 3, 4}, {4}), -1, 0), Tensor::from({2, 3, 4, 1}, {4})) == 0);
}

TEST_CASE("flip") {
  check({"flip", "all", planes, [](const Inputs& x) { return flip(x[0], {}); }});
  check({"flip", "one", planes, [](const Inputs& x) { return flip(x[0], -2); }});
  check({"flip", "of a view, back again", planes,
         [](const Inputs& x) {
           return flip(flip(transpose(x[0], 0, 1), {0, 1}), {1, 0});
         },
         [](const Inputs& x) { return transpose(x[0], 0, 1); }});
  CHECK(difference(flip(Tensor::from({1, 2, 3, 4}, {2, 2}), 1), Tensor::from({2, 1, 4, 3}, {2, 2})) == 0);
}

TEST_CASE("pad: bad input") {
  const Tensor x = Tensor::empty({2, 3});
  check_throws([&] { pad(x, {{1, 1}, {1, 1}, {1, 1}}); }, {"[pad]", "3 paddings", "(2,3)"});
  check_throws([&] { pad(x, {{-1, 1}}); }, {"[pad]", "(-1, 1)", "dimension 1", "(2,3)"});
  check_throws([&] { roll(x, 1, 2); }, {"[roll]", "dimension 2"});
  check_throws([&] { flip(x, {0, -2}); }, {"[flip]", "twice"});
  check_throws([&] { flip(x, 5); }, {"[flip]", "dimension 5"});
}

}  // namespace
}  // namespace fovea::tests
