#include "fovea/ops/views.h"

#include "fovea/core/tape.h"
#include "fovea/ops/create.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

const std::vector<std::vector<Shape>> cubes = {{{2, 3, 4}}, {{5, 1, 7}}, {{1, 1, 1}}, {{3, 0, 2}}};

// x with x[i, j, ...] = its row-major position.
Tensor counted(const Shape& shape) { return reshape(arange(shape.numel(), DType::f64), shape); }

std::vector<double> listed(const Tensor& x) {
  const auto packed = contiguous(x);
  const auto v = packed.values<double>();
  return {v.begin(), v.end()};
}

TEST_CASE("views: reshape") {
  check({"reshape", "", cubes, [](const Inputs& x) {
           return reshape(x[0], {x[0].size(2), x[0].numel() / x[0].size(2)});
         }});
  check({"reshape", "-1", {{{2, 3, 4}}, {{7, 2, 2}}}, [](const Inputs& x) {
           return reshape(x[0], {2, -1, 2});
         }});
  check({"reshape", "of a transposed view", cubes,
         [](const Inputs& x) { return reshape(transpose(x[0], 0, 2), {x[0].numel()}); }});
  check({"flatten", "", cubes, [](const Inputs& x) { return flatten(x[0], 1); }});
  check({"squeeze", "", {{{2, 1, 3}}, {{0, 1, 3}}, {{1, 1, 1}}}, [](const Inputs& x) {
           return squeeze(x[0], -2);
         }});
  check({"unsqueeze", "", cubes, [](const Inputs& x) { return unsqueeze(unsqueeze(x[0], -1), 0); }});

  const Tensor x = counted({2, 3, 4});
  CHECK(reshape(x, {4, -1}).shape() == Shape{4, 6});
  CHECK(reshape(x, {4, 6}).raw() == x.raw());
  CHECK(flatten(x, 0, 1).shape() == Shape{6, 4});
  CHECK(flatten(counted({})).shape() == Shape{1});
  CHECK(reshape(counted({1, 1}), {}).shape() == Shape{});
  CHECK(reshape(counted({0, 3}), {3, 5, 0}).shape() == Shape{3, 5, 0});
  CHECK(reshape(counted({0, 3}), {-1, 3}).shape() == Shape{0, 3});
  CHECK(unsqueeze(x, -1).shape() == Shape{2, 3, 4, 1});
  // Strided views stay views where they can.
  const Tensor outer = slice(x, 0, 1, 2), inner = slice(x, 2, 0, 2), swapped = transpose(x, 0, 1);
  CHECK(reshape(outer, {2, 6}).raw() == outer.raw());
  CHECK(reshape(inner, {6, 2}).raw() == inner.raw());
  CHECK(reshape(inner, {3, 1, 2, 1, 2, 1}).raw() == inner.raw());
  CHECK(listed(reshape(inner, {3, 1, 2, 1, 2, 1})) ==
        std::vector<double>{0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21});
  CHECK(reshape(swapped, {3, 2, 2, 2}).raw() == x.raw());
  CHECK(listed(reshape(swapped, {3, 2, 2, 2})) == listed(swapped));
  CHECK(reshape(inner, {12}).raw() != inner.raw());
  CHECK(listed(reshape(inner, {12})) == std::vector<double>{0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21});
  CHECK(listed(reshape(swapped, {4, 6})) == listed(swapped));
  CHECK(listed(reshape(expand(counted({2, 1}), {2, 3}), {6})) == std::vector<double>{0, 0, 0, 1, 1, 1});
  CHECK(listed(reshape(expand(counted({1}), {2, 3}), {3, 2})) == std::vector<double>(6, 0));
}

TEST_CASE("views: parts") {
  check({"slice", "a step", cubes, [](const Inputs& x) { return slice(x[0], 0, 0, to_end, 2); }});
  check({"slice", "from the end", {{{2, 5}}, {{3, 7}}}, [](const Inputs& x) {
           return slice(x[0], -1, -4, -1);
         }});
  check({"slice", "empty", {{{2, 5}}}, [](const Inputs& x) { return slice(x[0], 1, 2, 2); }});
  check({"slice", "overlapping", {{{4, 5}}}, [](const Inputs& x) {
           return slice(x[0], 0, 0, 3) * slice(x[0], 0, 1, 4);
         }});
  check({"select", "", {{{2, 3, 4}}, {{1, 1, 1}}, {{5, 2, 0}}}, [](const Inputs& x) {
           return select(x[0], 1, -1);
         }});
  check({"select", "every one", {{{3, 4}}, {{3, 1}}}, [](const Inputs& x) {
           return select(x[0], 0, 0) * select(x[0], 0, 1) + select(x[0], 0, 2);
         }});

  const Tensor x = counted({3, 5});
  CHECK(listed(slice(x, 1, 1, 5, 2)) == std::vector<double>{1, 3, 6, 8, 11, 13});
  CHECK(listed(slice(x, 1, 0, 4, 3)) == std::vector<double>{0, 3, 5, 8, 10, 13});
  CHECK(listed(select(x, 0, 2)) == std::vector<double>{10, 11, 12, 13, 14});
  CHECK(select(select(x, 1, 3), 0, -1).item<double>() == 13);
  CHECK(select(cast(x, DType::u8), 0, 1).dtype() == DType::u8);
}

TEST_CASE("views: order") {
  check({"transpose", "", cubes, [](const Inputs& x) { return transpose(x[0], 0, -1); }});
  check({"permute", "", cubes, [](const Inputs& x) { return permute(x[0], {1, 2, 0}); }});
  const Tensor x = counted({2, 3, 4}), y = permute(x, {2, 0, -2});
  CHECK(y.shape() == Shape{4, 2, 3});
  CHECK(y.at({3, 1, 2}) == x.at({1, 2, 3}));
  CHECK(transpose(x, 1, 1).shape() == x.shape());
  CHECK(transpose(x, 0, 2).at({3, 1, 0}) == x.at({0, 1, 3}));
}

TEST_CASE("views: expand") {
  const auto stretch = [](Shape to) { return [to](const Inputs& x) { return expand(x[0], to); }; };
  check({"expand", "rows", {{{3}}, {{1, 3}}}, stretch({4, 3})});
  check({"expand", "columns", {{{4, 1}}, {{1, 1}}, {{1}}, {{}}}, stretch({4, 3})});
  check({"expand", "middle", {{{2, 1, 5}}, {{1, 7, 1}}, {{2, 7, 5}}, {{7, 1}}}, stretch({2, 7, 5})});
  check({"expand", "to nothing", {{{1, 3}}, {{3}}}, stretch({0, 3})});
}

TEST_CASE("views: gradients that share a buffer stay apart") {
  // add() gives both its inputs one buffer; passing it on through a view must not let x's later sum reach w.
  Tape tape;
  const Tensor x = tape.watch(draw({6}, DType::f64, -1, 1, 1)),
               w = tape.watch(draw({2, 3}, DType::f64, -1, 1, 2));
  const Tensor twice = x * 2;
  const Tensor s = reshape(x, {2, 3}) + w;
  tape.backward(sum(s) + sum(twice));
  CHECK(listed(tape.gradient(w)) == std::vector<double>(6, 1));
  CHECK(listed(tape.gradient(x)) == std::vector<double>(6, 3));
}

TEST_CASE("views: bad input") {
  const Tensor x = Tensor::empty({2, 3});
  check_throws([&] { reshape(x, {4, 2}); }, {"[reshape]", "(2,3)", "(4,2)", "6", "8"});
  check_throws([&] { reshape(x, {-1, 4}); }, {"[reshape]", "(2,3)", "(-1,4)"});
  check_throws([&] { reshape(x, {-1, -1}); }, {"[reshape]", "only one"});
  check_throws([&] { reshape(x, {-2, -3}); }, {"[reshape]", "negative"});
  check_throws([&] { reshape(Tensor::empty({0, 3}), {-1, 0}); }, {"[reshape]", "-1"});
  check_throws([&] { flatten(x, 1, 0); }, {"[flatten]", "(2,3)"});
  check_throws([&] { squeeze(x, 0); }, {"[squeeze]", "(2,3)", "size 1"});
  check_throws([&] { unsqueeze(x, 3); }, {"[unsqueeze]", "3", "(2,3)"});
  check_throws([&] { slice(x, 1, 1, 4); }, {"[slice]", "1 to 4", "(2,3)"});
  check_throws([&] { slice(x, 1, 2, 1); }, {"[slice]", "2 to 1"});
  check_throws([&] { slice(x, 1, -4, 1); }, {"[slice]", "-4"});
  check_throws([&] { slice(x, 1, 0, 2, 0); }, {"[slice]", "step 0", "flip"});
  check_throws([&] { slice(x, 2, 0, 1); }, {"[slice]", "dimension 2", "(2,3)"});
  check_throws([&] { select(x, 0, 2); }, {"[select]", "2", "(2,3)"});
  check_throws([&] { transpose(x, 0, 2); }, {"[transpose]", "dimension 2"});
  check_throws([&] { permute(x, {0}); }, {"[permute]", "(2,3)"});
  check_throws([&] { permute(x, {0, -2}); }, {"[permute]", "twice"});
  check_throws([&] { expand(x, {2, 1}); }, {"[expand]", "(2,3)", "(2,1)"});
  check_throws([&] { expand(x, {3}); }, {"[expand]", "(2,3)", "(3)"});
}

}  // namespace
}  // namespace fovea::tests
