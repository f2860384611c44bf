#include "fovea/ops/gather.h"

#include "fovea/core/tape.h"
#include "fovea/ops/create.h"
#include "fovea/ops/join.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/views.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

const std::vector<std::vector<Shape>> cubes = {{{2, 3, 4}}, {{5, 1, 7}}, {{1, 1, 1}}};

// Positions below `limit`, with repeats.
Tensor positions(const Shape& shape, Index limit, unsigned seed = 5) {
  Generator random(seed);
  return rand_int(shape, random, 0, limit);
}

Tensor ids(std::vector<std::int32_t> values, const Shape& shape) { return Tensor::from(values, shape); }

TEST_CASE("gather") {
  for (int dim : {0, 1, 2})
    check({"gather", "repeated positions", cubes,
           [dim](const Inputs& x) {
             return gather(x[0], dim, beside(x[0], positions(x[0].shape().replaced(dim, 5), x[0].size(dim))));
           },
           [dim](const Inputs& x) {  // the sum over n of x[.., n, ..] where the index is n
             const Tensor index = positions(x[0].shape().replaced(dim, 5), x[0].size(dim));
             const Tensor chosen = one_hot(index, x[0].size(dim), x[0].dtype());  // (..., 5, ..., n)
             return sum(chosen * transpose(unsqueeze(x[0], -1), dim, -1), -1);
           }});
  check({"gather", "nothing", {{{2, 3}}, {{2, 0}}}, [](const Inputs& x) {
           return gather(x[0], 1, Tensor::empty({2, 0}, DType::i32, x[0].device()));
         }});
  for (const Device& device : devices()) {
    const Tensor x = to(Tensor::from(std::vector<std::uint8_t>{10, 11, 12, 20, 21, 22}, {2, 3}), device);
    const Tensor y = gather(x, 1, to(ids({2, 0, 1, 1}, {2, 2}), device));
    CHECK(y.dtype() == DType::u8);
    CHECK(difference(y, Tensor::from({12, 10, 21, 21}, {2, 2})) == 0);
  }
}

TEST_CASE("scatter_add") {
  for (int dim : {0, 1})
    check({"scatter_add",
           "repeated positions",
           {{{2, 3}, {2, 3}}, {{5, 1}, {5, 1}}, {{0, 2}, {0, 2}}},
           [dim](const Inputs& x) {
             if (x[0].numel() == 0 && dim == 0)
               return scatter_add(x[0], 1, beside(x[0], positions({0, 2}, 2)), x[1]);
             return scatter_add(x[0], dim, beside(x[0], positions(x[1].shape(), x[0].size(dim))), x[1]);
           }});
  check({"scatter_add",
         "into a larger one",
         {{{4, 3}, {2, 3}}},
         [](const Inputs& x) {
           return scatter_add(x[0], 0, beside(x[0], ids({3, 1, 0, 3, 0, 0}, {2, 3})), x[1]);
         },
         [](const Inputs& x) {
           const Tensor chosen = one_hot(ids({3, 1, 0, 3, 0, 0}, {2, 3}), 4, x[0].dtype());  // (2,3,4)
           return x[0] + transpose(sum(chosen * unsqueeze(x[1], -1), 0), 0, 1);
         }});
}

TEST_CASE("scatter_add: in the order of the positions on every device") {
  for (const Shape& shape : {Shape{3, 100}, Shape{100, 3}, Shape{100, 40}})
    for (int dim : {0, 1})
      for (const Device& device : devices()) {
        const Tensor x = draw(shape.replaced(dim, 7), DType::f32, -1, 1, 1),
                     src = draw(shape, DType::f32, -1, 1, 2);
        const Tensor index = positions(shape, 7), sum = scatter_add(x, dim, index, src);
        CHECK(difference(scatter_add(to(x, device), dim, to(index, device), to(src, device)), sum) == 0);
      }
}

TEST_CASE("index_select") {
  for (int dim : {0, 1, -1})
    check({"index_select", "repeated positions", cubes,
           [dim](const Inputs& x) {
             return index_select(x[0], dim, beside(x[0], positions({4}, x[0].size(dim))));
           },
           [dim](const Inputs& x) {
             const Tensor p = positions({4}, x[0].size(dim));
             Inputs parts;
             for (Index k = 0; k < 4; ++k) parts.push_back(select(x[0], dim, static_cast<Index>(p.at({k}))));
             return stack(parts, dim);
           }});
  check({"index_select", "of a view", {{{3, 4}}}, [](const Inputs& x) {
           return index_select(transpose(x[0], 0, 1), 0, beside(x[0], ids({3, 3, 0}, {3})));
         }});
  check({"index_select", "nothing", {{{3, 4}}, {{3, 0}}, {{0, 2}}}, [](const Inputs& x) {
           return index_select(x[0], 0, Tensor::empty({0}, DType::i32, x[0].device()));
         }});
}

TEST_CASE("embedding") {
  check({"embedding",
         "",
         {{{5, 3}}, {{1, 1}}, {{7, 33}}, {{4, 0}}},
         [](const Inputs& x) {
           return embedding(x[0], beside(x[0], positions({2, 3}, x[0].size(0))));
         },
         [](const Inputs& x) {
           const Tensor flat = reshape(positions({2, 3}, x[0].size(0)), {6});
           return reshape(index_select(x[0], 0, flat), {2, 3, x[0].size(1)});
         }});
  check({"embedding", "one id", {{{5, 3}}}, [](const Inputs& x) {
           return embedding(x[0], beside(x[0], ids({4}, {})));
         }});
  check({"embedding", "no ids", {{{5, 3}}}, [](const Inputs& x) {
           return embedding(x[0], Tensor::empty({0, 2}, DType::i32, x[0].device()));
         }});

  SUBCASE("the gradient adds to a parameter's own, the same on every run") {
    Tensor first;
    for (const Device& device : devices())
      for (int run = 0; run < 3; ++run) {
        Parameter table(to(draw({50, 64}, DType::f32, -1, 1, 1), device));
        for (int step = 0; step < 2; ++step) {
          Tape tape;
          const Tensor y = embedding(table, to(positions({40, 50}, 50), device));
          tape.backward(y, {.seed = to(draw({40, 50, 64}, DType::f32, -1, 1, 2), device)});
        }
        const Tensor g = clone(table.grad());
        if (!first.defined()) first = g;
        CHECK(difference(g, first) == 0);
      }
  }
}

TEST_CASE("one_hot") {
  for (const Device& device : devices()) {
    const Tensor y = one_hot(to(ids({2, 0}, {2, 1}), device), 3, DType::u8);
    CHECK(y.dtype() == DType::u8);
    CHECK(difference(y, Tensor::from({0, 0, 1, 1, 0, 0}, {2, 1, 3})) == 0);
  }
  CHECK(one_hot(ids({}, {0}), 0).shape() == Shape{0, 0});
  CHECK(one_hot(ids({1}, {}), 2, DType::f64).at({1}) == 1);
}

TEST_CASE("gather: a position outside is found on every device") {
  for (const Device& device : devices()) {
    const Tensor x = to(ones({2, 3}), device), one = to(ids({0, 1, 3, 0}, {2, 2}), device);
    const Tensor list = to(ids({0, -1}, {2}), device), src = to(ones({2, 2}), device);
    const auto throws = [&](auto f, std::vector<std::string> parts) {
      check_throws([&] { f(), synchronize(device); }, parts);  // a GPU tells at the next wait
    };
    throws([&] { gather(x, 1, one); }, {"[gather]", "index 3 at position", "limit 3"});
    throws([&] { scatter_add(x, 1, one, src); }, {"[scatter_add]", "index 3 at position", "limit 3"});
    throws([&] { index_select(x, 0, list); }, {"[index_select]", "index -1", "limit 2"});
    throws([&] { embedding(x, list); }, {"[embedding]", "index -1", "limit 2"});
    throws([&] { one_hot(one, 3); }, {"[one_hot]", "index 3", "limit 3"});
    CHECK(difference(gather(x, 1, to(ids({1, 1}, {2, 1}), device)), ones({2, 1})) == 0);  // works on
  }
}

TEST_CASE("gather: bad input") {
  const Tensor x = Tensor::empty({2, 3});
  check_throws([&] { gather(x, 1, ids({0, 1, 3, 0}, {2, 2})); }, {"[gather]", "index 3", "(1,0)", "limit 3"});
  check_throws(
      [&] {
        gather(x, 1, ids({0, -1, 0, 0}, {2, 2}));
      },
      {"[gather]", "index -1", "(0,1)", "limit 3"});
  check_throws([&] { gather(x, 0, ids({0, 1}, {1, 2})); }, {"[gather]", "(1,2)", "(2,3)", "dimension 0"});
  check_throws([&] { gather(x, 0, Tensor::empty({2, 3})); }, {"[gather]", "i32", "f32", "cast"});
  check_throws([&] { gather(x, 2, ids({0}, {1, 1})); }, {"[gather]", "dimension 2"});
  check_throws(
      [&] {
        scatter_add(x, 0, ids({0, 1, 2}, {1, 3}), Tensor::empty({1, 3}));
      },
      {"[scatter_add]", "index 2", "limit 2"});
  check_throws(
      [&] {
        scatter_add(x, 0, ids({0, 1, 1}, {1, 3}), Tensor::empty({2, 3}));
      },
      {"[scatter_add]", "(1,3)", "(2,3)"});
  check_throws(
      [&] {
        scatter_add(x, 0, ids({0, 1, 1}, {1, 3}), Tensor::empty({1, 3}, DType::f64));
      },
      {"[scatter_add]", "f64"});
  check_throws([&] { index_select(x, 1, ids({0}, {1, 1})); }, {"[index_select]", "(1,1)"});
  check_throws(
      [&] {
        index_select(x, 1, ids({0, 7}, {2}));
      },
      {"[index_select]", "index 7", "(1)", "limit 3"});
  check_throws([&] { embedding(x, ids({0, 2}, {2})); }, {"[embedding]", "index 2", "(1)", "limit 2"});
  check_throws(
      [&] {
        embedding(Tensor::empty({0, 3}), ids({0}, {1}));
      },
      {"[embedding]", "index 0", "limit 0"});
  check_throws([&] { embedding(Tensor::empty({2}), ids({0}, {1})); }, {"[embedding]", "(V,D)", "(2)"});
  check_throws([&] { embedding(x, Tensor::empty({2})); }, {"[embedding]", "i32", "f32"});
  check_throws([&] { one_hot(ids({3}, {1}), 3); }, {"[one_hot]", "index 3", "limit 3"});
}

}  // namespace
}  // namespace fovea::tests
