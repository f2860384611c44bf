#include "fovea/ops/create.h"

#include "fovea/core/tape.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/table.h"
#include "fovea/ops/views.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

const std::vector<std::vector<Shape>> planes = {{{2, 3}}, {{1, 1}}, {{0, 5}}, {{7, 33}}};

TEST_CASE("create: copies") {
  check({"clone", "", planes, [](const Inputs& x) { return clone(x[0]); }});
  check({"clone", "of a view", planes, [](const Inputs& x) { return clone(transpose(x[0], 0, 1)); }});
  check({"contiguous", "already", planes, [](const Inputs& x) { return contiguous(x[0]); }});
  check(
      {"contiguous", "of a view", planes, [](const Inputs& x) { return contiguous(transpose(x[0], 0, 1)); }});
  check({"cast", "up", planes, [](const Inputs& x) { return cast(x[0], DType::f64); }});
}

TEST_CASE("create: a cast hands its gradient back in the type it came from") {
  Tape tape;
  const Tensor x = tape.watch(draw({3}, DType::f64, -1, 1, 1));
  tape.backward(sum(cast(x, DType::f32)));
  CHECK(tape.gradient(x).dtype() == DType::f64);
  CHECK(difference(tape.gradient(x), ones({3}, DType::f64)) == 0);
  CHECK_FALSE(cast(tape.watch(x.detach()), DType::i32).tracked());
}

TEST_CASE("create: a GPU copies and casts as the host does") {
  constexpr DType types[] = {DType::f32, DType::f64, DType::bf16, DType::i32, DType::u8};
  const auto same = [](const Tensor& x, const Device& device, auto&& f) {
    CHECK(difference(f(to(x, device)), f(x)) == 0);
  };
  for (const Device& device : devices())
    for (const DType from : types)
      for (const Index n : {0, 1, 37, 9001}) {  // packs for more than a block, and a rest
        const Tensor x = cast(draw({n}, DType::f32, 0, 200, 1), from);
        for (const DType type : types) {
          same(x, device, [=](const Tensor& t) { return cast(t, type); });
          if (n > 0) same(x, device, [=](const Tensor& t) { return cast(slice(t, 0, 1, n), type); });
        }
        same(x, device, [](const Tensor& t) { return clone(t); });
        same(x, device, [](const Tensor& t) { return full({t.numel(), 3}, 7, t.dtype()); });
      }
}

TEST_CASE("create: a table is made once for each name, type and device, and never recorded") {
  int made = 0;
  Tape tape;
  const auto make = [&] {
    ++made;
    return exp(tape.watch(Tensor::from({0.5, 1}, {2})));
  };
  const Tensor a = table("create test", DType::f64, Cpu{}, make),
               b = table("create test", DType::f64, Cpu{}, make);
  CHECK(made == 1);
  CHECK(a.raw() == b.raw());
  CHECK(!a.tracked());
  CHECK(table("create test", DType::f32, Cpu{}, make).dtype() == DType::f32);
  CHECK(made == 2);
  const auto large = [&] { return ones({1 << 21}); };
  CHECK(table("large", DType::f32, Cpu{}, large).raw() != table("large", DType::f32, Cpu{}, large).raw());
}

TEST_CASE("create: random tensors are what drawing one number after the other gives, bit by bit") {
  for (const DType dtype : {DType::f32, DType::f64})
    for (const Index n : {0, 1, 5, 129, 40000})  // the last with threads
      for (std::uint64_t offset : {0, 1, 2, 3, 127}) {
        Generator one(7, 3);
        one.set_state({7, 3, offset});
        Generator many = one;
        const Tensor u = rand_uniform({n}, many, -2, 3, dtype), z = rand_normal({n}, many, 1, 0.5, dtype),
                     b = rand_bernoulli({n}, many, 0.3, dtype);
        const auto wrong = [&](const Tensor& t, auto&& next) {
          Index count = 0;
          visit_float("test", dtype, [&]<class T>() {
            for (const T x : t.values<T>()) count += x != static_cast<T>(next());
          });
          return count;
        };
        CHECK(wrong(u, [&] { return -2 + 5 * static_cast<double>(one.uniform()); }) == 0);
        CHECK(wrong(z, [&] { return 1 + 0.5 * static_cast<double>(one.normal()); }) == 0);
        CHECK(wrong(b, [&] { return one.uniform() < 0.3 ? 1 : 0; }) == 0);
        CHECK(one.state() == many.state());
      }
}

}  // namespace
}  // namespace fovea::tests
