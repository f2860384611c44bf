#include "fovea/ops/create.h"

#include "fovea/core/tape.h"
#include "fovea/ops/reduce.h"
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

}  // namespace
}  // namespace fovea::tests
