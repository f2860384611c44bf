#include "fovea/core/tape.h"

#include <cmath>
#include <sstream>
#include <thread>

#include "fovea/core/gradcheck.h"
#include "fovea/core/memory.h"
#include "fovea/ops/create.h"
#include "fovea/ops/linear.h"
#include "fovea/ops/matmul.h"
#include "fovea/ops/pointwise.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

Tensor scalar(float x) { return Tensor::from({x}, {1}); }

TEST_CASE("tape: a chain of three ops") {
  Tape tape;
  const Tensor x = tape.watch(scalar(0.5f));
  tape.backward(square(sigmoid(x * 2)));
  const double s = 1 / (1 + std::exp(-1.0));
  CHECK(tape.gradient(x).item() == doctest::Approx(2 * s * 2 * s * (1 - s)));
}

TEST_CASE("tape: parameters gather gradients over several passes") {
  Parameter w(scalar(3));
  for (int pass = 1; pass <= 3; ++pass) {
    Tape tape;
    tape.backward(w * w);
    CHECK(w.grad().item() == doctest::Approx(6 * pass));
  }
  w.zero_grad();
  CHECK(w.grad().item() == 0);
  w.freeze();
  Tape tape;
  CHECK_FALSE(Tape::tracks(w * w));
}

TEST_CASE("tape: without a tape, or paused, nothing is tracked") {
  Parameter w(scalar(3));
  CHECK_FALSE((w * w).tracked());
  Tape tape;
  {
    Pause pause;
    CHECK_FALSE((w * w).tracked());
  }
  CHECK((w * w).tracked());
  CHECK(tape.size() == 1);
  CHECK_FALSE((w * w).detach().tracked());
}

TEST_CASE("tape: one buffer shared by two gradients is not added to in place") {
  Tape tape;
  const Tensor x = tape.watch(scalar(1)), y = tape.watch(scalar(2));
  const Tensor sum = x + y;       // dx and dy start as one buffer
  tape.backward(sum + x * 10.0);  // and only dx is added to
  CHECK(tape.gradient(x).item() == 11);
  CHECK(tape.gradient(y).item() == 1);
}

TEST_CASE("tape: backward of a shared subexpression counts every path") {
  Tape tape;
  const Tensor x = tape.watch(scalar(2));
  Tensor y = x * x;
  y = y + y;
  y = y * x;
  tape.backward(y);
  CHECK(tape.gradient(x).item() == doctest::Approx(6 * 4));  // 2x^3
}

TEST_CASE("tape: keep allows a second backward") {
  Parameter w(scalar(3));
  Tape tape;
  const Tensor y = square(w);
  tape.backward(y, {.keep = true});
  tape.backward(y, {.keep = true});
  CHECK(w.grad().item() == doctest::Approx(12));
  tape.backward(y);
  check_throws([&] { tape.backward(y); }, {"[backward]", "finished", "keep"});
}

TEST_CASE("tape: stale tensors are refused, and the library stays usable") {
  Parameter w(scalar(3));
  Tensor old;
  {
    Tape tape;
    old = w * w;
    tape.backward(old);
  }
  CHECK(old.item() == 9);           // its values are there
  CHECK((old + 1.0).item() == 10);  // and usable where nothing is recorded
  Tape tape;
  check_throws([&] { old* old; }, {"[mul]", "finished", "detach"});
  CHECK((old.detach() * w).item() == 27);
}

TEST_CASE("tape: mark and rewind") {
  Parameter w(scalar(3));
  Tape tape;
  const Tensor kept = w * w;
  const Tape::Mark mark = tape.mark();
  const Tensor dropped = kept * w;
  tape.rewind(mark);
  CHECK(tape.size() == 1);
  check_throws([&] { dropped + kept; }, {"[add]", "rewound"});
  const Tensor again = kept * kept;  // takes the slot that `dropped` had
  check_throws([&] { dropped + again; }, {"[add]"});
  tape.backward(again);
  CHECK(w.grad().item() == doctest::Approx(4 * 27));
}

TEST_CASE("tape: changing what backward needs is an error that names the op") {
  Parameter w(Tensor::from({1, 2}, {2}));
  Tensor x = Tensor::from({3, 4}, {2});
  Tape tape;
  const Tensor y = w * x;
  x.mutable_data<float>()[0] = 7;
  check_throws([&] { tape.backward(y, {.seed = ones({2})}); }, {"[mul]", "(2)", "changed"});
  CHECK(w.grad().at({0}) == 0);
  Tensor z = w * w;
  check_throws([&] { z.mutable_data<float>(); }, {"[write]", "live tape", "detach"});
}

TEST_CASE("tape: misuse") {
  Parameter w(Tensor::from({1, 2}, {2}));
  Tape tape;
  check_throws([] { Tape second; }, {"[tape]", "already"});
  check_throws([&] { tape.backward(w * w); }, {"[backward]", "(2)", "seed"});
  check_throws([&] { tape.backward(ones({1})); }, {"[backward]", "not on this tape"});
  check_throws([&] { tape.watch(arange(3)); }, {"[watch]", "i32"});
  check_throws([&] { tape.gradient(w); }, {"[gradient]", "watch"});
  record("wrong", {w}, {}, [](Backward&) {});
}

TEST_CASE("tape: a wrongly shaped contribution is refused by name") {
  Tape tape;
  const Tensor x = tape.watch(ones({3}));
  Tensor y = ones({1});
  record("my_op", {x}, {y}, [](Backward& b) { b.add(0, b.dy()); });
  check_throws([&] { tape.backward(y); }, {"[my_op]", "(1)", "(3)"});
}

TEST_CASE("tape: an op's backward that asks for what is not there is refused by name") {
  const auto backward_of = [](void (*step)(Backward&)) {
    Tape tape;
    const Tensor x = tape.watch(ones({1})), loose = ones({1}), y = ones({1});
    record("my_op", {x, loose}, {y}, [step](Backward& b) { step(b); });
    tape.backward(y);
  };
  check_throws([&] { backward_of([](Backward& b) { b.add(2, b.dy()); }); }, {"[my_op]", "input 2", "are 2"});
  check_throws([&] { backward_of([](Backward& b) { b.add(-1, b.dy()); }); }, {"[my_op]", "input -1"});
  check_throws([&] { backward_of([](Backward& b) { b.dy(1); }); }, {"[my_op]", "output 1", "is 1"});
  check_throws([&] { backward_of([](Backward& b) { b.target(1); }); }, {"[my_op]", "input 1", "wants(1)"});
  check_throws([&] { backward_of([](Backward& b) { b.defer(1, b.dy(), b.dy(), nullptr); }); },
               {"[my_op]", "wants(1)"});
}

TEST_CASE("tape: two targets of one slot held at once both count") {
  Tape tape;
  const Tensor x = tape.watch(ones({1}));
  Tensor y = ones({1});
  record("twice", {x, x}, {y}, [](Backward& b) {
    auto first = b.target(0), second = b.target(1);
    CHECK(first.into == Into::set);
    CHECK(second.into == Into::add);
    static_cast<float*>(first.dx.raw_mutable())[0] = 3;
    static_cast<float*>(second.dx.raw_mutable())[0] += 4;
  });
  tape.backward(y);
  CHECK(tape.gradient(x).item() == 7);
}

TEST_CASE("tape: a million steps") {
  Tape tape;
  const Tensor x = tape.watch(scalar(1));
  Tensor y = x;
  for (int i = 0; i < 1000000; ++i) y = y + x;
  tape.backward(y);
  CHECK(tape.gradient(x).item() == 1000001);
}

TEST_CASE("tape: a thousand passes hold no memory") {
  Parameter w(rand_uniform({16, 16}, *std::make_unique<Generator>(1)));
  const Tensor x = ones({4, 16});
  std::size_t after_first = 0;
  for (int pass = 0; pass < 1000; ++pass) {
    Tape tape;
    Tensor y = x;
    for (int i = 0; i < 5; ++i) y = tanh(linear(y, w));
    tape.backward(y, {.seed = ones({4, 16})});
    if (pass == 0) after_first = memory_stats().reserved;
  }
  CHECK(memory_stats().reserved == after_first);
}

TEST_CASE("tape: two threads, two tapes, shared parameters") {
  Parameter w(rand_uniform({8, 8}, *std::make_unique<Generator>(1)));
  const Tensor x = ones({2, 8});
  const auto pass = [&](Gradients& g) {
    for (int i = 0; i < 200; ++i) {
      Tape tape;
      tape.backward(linear(tanh(linear(x, w)), w), {.seed = ones({2, 8}), .gradients = &g});
    }
  };
  Gradients alone, a, b;
  pass(alone);
  std::thread one([&] { pass(a); }), two([&] { pass(b); });
  one.join();
  two.join();
  CHECK(difference(a[w], alone[w]) == 0);
  CHECK(difference(b[w], alone[w]) == 0);
  a.add_to_parameters();
  b.add_to_parameters();
  CHECK(difference(w.grad(), alone[w] * 2.0) < 1e-6);
}

TEST_CASE("tape: weight gradients gathered over a recurrence equal those made at once") {
  Parameter w(rand_uniform({5, 5}, *std::make_unique<Generator>(1), -0.5, 0.5, DType::f64));
  const Tensor x0 = draw({1, 5}, DType::f64, -1, 1, 3);
  const auto run = [&](const Tensor& weight) {
    Tensor x = x0;
    for (int t = 0; t < 7; ++t) x = tanh(linear(x, weight));
    return x;
  };
  {
    Tape tape;
    tape.backward(run(w), {.seed = ones({1, 5}, DType::f64)});
  }
  Tape tape;
  const Tensor v = tape.watch(w.detach());
  tape.backward(run(v * 1.0), {.seed = ones({1, 5}, DType::f64)});  // a computed weight: nothing may wait
  CHECK(difference(w.grad(), tape.gradient(v)) < 1e-12);
}

TEST_CASE("tape: print and graphviz show every step") {
  Parameter w(ones({3, 2}));
  Tape tape;
  const Tensor y = softplus(linear(ones({1, 2}), w));
  std::ostringstream text, dot;
  tape.print(text);
  tape.graphviz(dot);
  CHECK(text.str() ==
        "%0 parameter f32(3,2)\n#0 linear _ %0 _ -> %1 f32(1,3) saves _ %0 32 B\n"
        "#1 softplus %1 -> %2 f32(1,3) saves %1 12 B\n");
  CHECK(dot.str().find("s1 -> o1") != std::string::npos);
}

TEST_CASE("gradcheck: finds a wrong gradient") {
  const auto wrong = [](const std::vector<Tensor>& x) {
    Tensor y = square(x[0].detach());
    record("wrong", {x[0]}, {y}, [x = Saved(x[0])](Backward& b) { b.add(0, b.dy() * x * 2.01); });
    return y;
  };
  const Tensor x = draw({4}, DType::f64, 1, 2, 1);
  const GradcheckResult r = gradcheck(wrong, {x});
  CHECK_FALSE(r.ok);
  CHECK(r.error == doctest::Approx(0.005).epsilon(0.02));
  CHECK(gradcheck([](const auto& in) { return square(in[0]); }, {x}).ok);
  check_throws([&] { gradcheck([](const auto& in) { return square(in[0]); }, {ones({2})}); },
               {"[gradcheck]", "f64"});
}

}  // namespace
}  // namespace fovea::tests
