#include "fovea/ops/join.h"

#include "fovea/core/tape.h"
#include "fovea/ops/create.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/views.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

TEST_CASE("join: concat and stack") {
  check({"concat",
         "first dimension",
         {{{2, 3}, {1, 3}, {4, 3}}, {{0, 3}, {1, 3}, {5, 3}}, {{1}, {1}, {0}}},
         [](const Inputs& x) { return concat(x, 0); }});
  check({"concat",
         "last dimension",
         {{{2, 3}, {2, 5}}, {{3, 1, 1}, {3, 1, 7}}, {{0, 1}, {0, 2}}},
         [](const Inputs& x) {
           return concat({x[0], x[1]}, -1);
         }});
  check({"concat", "of views and twice the same", {{{3, 4}}, {{5, 1}}}, [](const Inputs& x) {
           return concat({transpose(x[0], 0, 1), transpose(x[0], 0, 1) * 2, transpose(x[0], 0, 1)}, 0);
         }});
  check({"concat",
         "taken apart again",
         {{{2, 3}, {2, 5}}},
         [](const Inputs& x) {
           const Tensor y = concat({x[0], x[1]}, 1);
           return slice(y, 1, 0, 3);
         },
         [](const Inputs& x) { return x[0] + 0 * sum(x[1]); }});
  const std::vector<std::vector<Shape>> equal = {
      {{2, 3}, {2, 3}}, {{1, 1}, {1, 1}}, {{0, 2}, {0, 2}}, {{7, 5}, {7, 5}}};
  check({"stack", "first", equal, [](const Inputs& x) { return stack(x, 0); }});
  check({"stack", "last", equal, [](const Inputs& x) { return stack(x, -1); },
         [](const Inputs& x) {
           return concat({unsqueeze(x[0], -1), unsqueeze(x[1], -1)}, -1);
         }});

  const Tensor a = Tensor::from({1, 2, 3, 4}, {2, 2}), b = Tensor::from({5, 6}, {2, 1});
  CHECK(difference(concat({a, b}, 1), Tensor::from({1, 2, 5, 3, 4, 6}, {2, 3})) == 0);
  CHECK(concat({cast(a, DType::u8), cast(b, DType::u8)}, 1).dtype() == DType::u8);
  CHECK(stack({a, a, a}, 1).shape() == Shape{2, 3, 2});
}

TEST_CASE("join: many parts, which lie anyhow") {
  for (const Device& device : devices())
    for (const DType dtype : {DType::u8, DType::bf16, DType::f32, DType::f64}) {
      std::vector<Tensor> parts, like;
      for (Index i = 0; i < 300; ++i) {
        const Tensor part = cast(arange(i % 7), dtype);
        parts.push_back(to(part, device));
        like.push_back(part);
      }
      parts.back() = slice(to(cast(arange(40), dtype), device), 0, 3, 36);  // begins anywhere
      like.back() = cast(slice(arange(40), 0, 3, 36), dtype);
      const Tensor y = to(concat(parts, 0), Cpu());
      Index at = 0;
      double worst = 0;
      for (const Tensor& part : like) {
        const Tensor same = slice(y, 0, at, at + part.numel());
        if (part.numel() > 0)
          worst = std::max(worst, difference(cast(same, DType::f64), cast(part, DType::f64)));
        at += part.numel();
      }
      CHECK(at == y.numel());
      CHECK(worst == 0);
    }
}

TEST_CASE("join: a joined gradient is not shared") {
  // dy of concat is cut into views; a later sum into one part must not reach another tensor that holds dy.
  Tape tape;
  const Tensor x = tape.watch(draw({2}, DType::f64, -1, 1, 1)),
               w = tape.watch(draw({4}, DType::f64, -1, 1, 2));
  const Tensor earlier = x * 3;
  tape.backward(sum(concat({x, x}, 0) + w) + sum(earlier));
  CHECK(difference(tape.gradient(w), ones({4}, DType::f64)) == 0);
  CHECK(difference(tape.gradient(x), full({2}, 5, DType::f64)) == 0);
}

TEST_CASE("join: split") {
  check({"split", "sizes", {{{2, 5}}, {{1, 5}}, {{0, 5}}}, [](const Inputs& x) {
           const auto y = split(x[0], {1, 0, 4}, 1);
           return y[0] * y[2];
         }});
  check({"split", "equal pieces, one unused", {{{6, 3}}, {{3, 1}}, {{3, 0}}}, [](const Inputs& x) {
           const auto y = split(x[0], 3, 0);
           return y[0] * 2 - y[2];
         }});
  check({"split",
         "joined again",
         {{{4, 6}}},
         [](const Inputs& x) { return concat(split(x[0], 3, -1), -1); },
         [](const Inputs& x) { return clone(x[0]); }});
  CHECK(split(Tensor::empty({2, 0}), 2, 1)[1].shape() == Shape{2, 0});
}

TEST_CASE("join: bad input") {
  const Tensor x = Tensor::empty({2, 3});
  check_throws([&] { concat({x, Tensor::empty({3, 3})}, 1); }, {"[concat]", "(2,3)", "(3,3)", "dimension 1"});
  check_throws([&] { concat({x, Tensor::empty({3})}, 0); }, {"[concat]", "(3)"});
  check_throws(
      [&] {
        concat({x, Tensor::empty({2, 3}, DType::f64)}, 0);
      },
      {"[concat]", "f32", "f64", "cast"});
  check_throws([&] { concat(std::vector<Tensor>(), 0); }, {"[concat]", "at least one"});
  check_throws([&] { concat({x}, 2); }, {"[concat]", "dimension 2"});
  check_throws([&] { stack({x, Tensor::empty({3, 2})}, 0); }, {"[stack]", "(2,3)", "(3,2)"});
  check_throws([&] { stack({x}, 3); }, {"[stack]", "3"});
  check_throws([&] { split(x, {1, 1}, 1); }, {"[split]", "add up to 2", "(2,3)", "3"});
  check_throws([&] { split(x, {4, -1}, 1); }, {"[split]", "-1", "negative"});
  check_throws([&] { split(x, 2, 1); }, {"[split]", "(2,3)", "2 equal"});
}

}  // namespace
}  // namespace fovea::tests
