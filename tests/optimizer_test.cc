#include "fovea/models/training/optimizer.h"

#include <cmath>
#include <limits>
#include <memory>

#include "fovea/core/memory.h"
#include "fovea/models/layers/linear.h"
#include "fovea/models/training/clip.h"
#include "fovea/ops/create.h"
#include "fovea/ops/views.h"
#include "tests/golden.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

// The parameters of tests/golden/optimizers.py: a matrix and a vector.
struct Two {
  Parameter w, b;
  explicit Two(DType dtype = DType::f64, const Device& device = Cpu{}) {
    const NpzFile file = golden("optimizers.npz");
    w = Parameter(to(cast(clone(file.get("start/w")), dtype), device));
    b = Parameter(to(cast(clone(file.get("start/b")), dtype), device));
  }
  void set_gradients(Index step) {
    const NpzFile file = golden("optimizers.npz");
    assign(w.grad(), beside(w, select(file.get("gradient/w"), 0, step)));
    assign(b.grad(), beside(b, select(file.get("gradient/b"), 0, step)));
  }
  void each(Visitor& v) {
    v("w", w);
    v("b", b);
  }
};
constexpr Index steps = 7;

template <class O>
void check_optimizer(const char* name, const typename O::Options& options, const Device& device) {
  INFO(std::string(name), " on ", device);
  const NpzFile file = golden("optimizers.npz");
  for (DType dtype : {DType::f64, DType::f32}) {
    Two two(dtype, device);
    O optimizer(flatten(two), options);
    for (Index step = 0; step < steps; ++step) {
      two.set_gradients(step);
      optimizer.step();
      CHECK(difference(two.w.grad(), zeros({5, 3}, dtype)) == 0);
    }
    CHECK(optimizer.steps() == steps);
    const double tolerance = dtype == DType::f64 ? 1e-12 : 2e-5;
    CHECK(difference(two.w, file.get(cat(name, "/w"))) <= tolerance);
    CHECK(difference(two.b, file.get(cat(name, "/b"))) <= tolerance);

    // Half of the steps, a save, a load into fresh ones, the rest: the same bits.
    Two first(dtype, device), second(dtype, device);
    O before(flatten(first), options), after(flatten(second), options);
    for (Index step = 0; step < steps; ++step) {
      Two& now = step < 3 ? first : second;
      if (step == 3) {
        assign(second.w, first.w);
        assign(second.b, first.b);
        after.load_state(before.state());
      }
      now.set_gradients(step);
      step < 3 ? before.step() : after.step();
    }
    CHECK(difference(second.w, two.w) == 0);
    CHECK(difference(second.b, two.b) == 0);
  }
}

template <class O>
void check_optimizer(const char* name, const typename O::Options& options) {
  for (const Device& device : devices()) check_optimizer<O>(name, options, device);
}

TEST_CASE("optimizer: as PyTorch's") {
  check_optimizer<Sgd>("sgd", {.lr = 0.1});
  check_optimizer<Sgd>("sgd_decay", {.lr = 0.1, .weight_decay = 0.2});
  check_optimizer<Sgd>("sgd_momentum", {.lr = 0.1, .momentum = 0.9, .weight_decay = 0.05});
  check_optimizer<Sgd>("sgd_nesterov", {.lr = 0.1, .momentum = 0.8, .nesterov = true, .weight_decay = 0.05});
  check_optimizer<Adam>("adam", {.lr = 0.02});
  check_optimizer<Adam>("adam_decay",
                        {.lr = 0.02, .beta1 = 0.8, .beta2 = 0.95, .eps = 1e-5, .weight_decay = 0.1});
  check_optimizer<AdamW>("adamw", {.lr = 0.02, .weight_decay = 0.3});
  check_optimizer<AdamW>("adamw_no_bias", {.lr = 0.02, .weight_decay = 0.3, .decay_vectors = false});
  check_optimizer<RmsProp>("rmsprop", {});
  check_optimizer<RmsProp>("rmsprop_decay", {.alpha = 0.9, .eps = 1e-4, .weight_decay = 0.1});
  check_optimizer<RmsProp>("rmsprop_momentum", {.alpha = 0.9, .momentum = 0.7});
  check_optimizer<RmsProp>("rmsprop_centred", {.alpha = 0.9, .eps = 1e-3, .centred = true});
  check_optimizer<RmsProp>(
      "rmsprop_all", {.alpha = 0.9, .eps = 1e-3, .momentum = 0.7, .centred = true, .weight_decay = 0.1});
  check_optimizer<Adadelta>("adadelta", {});
  check_optimizer<Adadelta>("adadelta_decay", {.lr = 0.5, .rho = 0.8, .eps = 1e-4, .weight_decay = 0.1});
  check_optimizer<Adagrad>("adagrad", {.lr = 0.1});
  check_optimizer<Adagrad>("adagrad_decay",
                           {.lr = 0.1, .lr_decay = 0.3, .initial_accumulator = 0.5, .weight_decay = 0.1});
}

TEST_CASE("optimizer: Graves' RMSProp, golden value G10") {
  Parameter w(zeros({1}, DType::f64));
  GravesRmsProp optimizer(flatten({{"w", w}}), {.lr = 1e-4});
  const double gradients[] = {1, 1, -2}, want[] = {-4.58349249e-04, -1.20778408e-03, -1.51258311e-03};
  for (int i = 0; i < 3; ++i) {
    assign(w.grad(), full({1}, gradients[i], DType::f64));
    optimizer.step();
    CHECK(w.item<double>() == doctest::Approx(want[i]).epsilon(1e-8));
  }
}

// One step of Adam on a weight and a frozen vector from these gradients, by `step`.
struct Stepped {
  Tensor w, b, w_gradient, b_gradient;
  template <class F>
  Stepped(const Device& device, const Tensor& gradient, F step) {
    Parameter p(to(draw({5, 300}, DType::f32, -1, 1, 1), device)), q(to(full({40}, 2), device));
    q.freeze();
    Adam optimizer(flatten({{"w", p}, {"b", q}}), {.lr = 0.1});
    assign(p.grad(), to(gradient, device));
    assign(q.grad(), to(full({40}, 3), device));
    step(optimizer);
    w = p.detach(), b = q.detach(), w_gradient = p.grad(), b_gradient = q.grad();
  }
};

TEST_CASE("optimizer: a step that goes by what the host has not seen") {
  const Tensor gradient = draw({5, 300}, DType::f32, -1, 1, 2);
  for (const Device& device : devices()) {
    CAPTURE(device);
    const Tensor loss = to(full({}, 0.25), device);
    for (const double limit : {0., 0.01, 1e6}) {
      CAPTURE(limit);
      const Stepped apart(device, gradient, [&](Adam& optimizer) {
        if (limit > 0) clip_by_norm(optimizer.parameters(), limit);
        optimizer.step();
      });
      const Stepped once(device, gradient, [&](Adam& optimizer) {
        const Tensor seen = loss_and_norm(loss, optimizer.parameters());
        CHECK(seen.at({0}) == 0.25);
        CHECK(seen.at({1}) == gradient_norm(optimizer.parameters()).item<double>());
        optimizer.step(seen, limit);
      });
      CHECK(difference(once.w, apart.w) == 0);
      CHECK(difference(once.w_gradient, zeros({5, 300})) == 0);
      CHECK(difference(once.b, full({40}, 2)) == 0);
      CHECK(difference(once.b_gradient, zeros({40})) == 0);
    }
    // With a loss or a gradient that is not finite nothing is changed.
    const double inf = std::numeric_limits<double>::infinity();
    Tensor bad = clone(gradient);
    bad.mutable_data<float>()[1234] = std::numeric_limits<float>::quiet_NaN();
    for (const bool of_loss : {true, false}) {
      const Stepped none(device, of_loss ? gradient : bad, [&](Adam& optimizer) {
        optimizer.step(loss_and_norm(of_loss ? to(full({}, inf), device) : loss, optimizer.parameters()), 1);
      });
      CHECK(difference(none.w, draw({5, 300}, DType::f32, -1, 1, 1)) == 0);
      CHECK(difference(none.b_gradient, full({40}, 3)) == 0);
      if (of_loss) CHECK(difference(none.w_gradient, gradient) == 0);
    }
  }
  Adam optimizer(flatten({{"w", Parameter(zeros({3}))}}), {});
  check_throws([&] { optimizer.step(zeros({2}), 1); }, {"[step]", "f64 [2]"});
  check_throws([&] { optimizer.step({}, std::nan("")); }, {"max_norm is nan"});
  check_throws([&] { loss_and_norm(zeros({2}), optimizer.parameters()); }, {"(2)", "one element"});
}

TEST_CASE("optimizer: the learning rate can change at every step") {
  Parameter w(zeros({1}, DType::f64));
  Sgd optimizer(flatten({{"w", w}}), {.lr = 1});
  for (double lr : {0.5, 0.25}) {
    optimizer.set_lr(lr);
    assign(w.grad(), full({1}, 1, DType::f64));
    optimizer.step();
  }
  CHECK(w.item<double>() == -0.75);
  check_throws([&] { optimizer.set_lr(std::nan("")); }, {"[optimizer]", "lr is nan"});
}

TEST_CASE("optimizer: parameters with a rate of their own") {
  Two scaled, plain;
  Adam fast(flatten(scaled), {.lr = 0.1}), slow(flatten(plain), {.lr = 0.05});
  fast.scale_lr("b", 0.5);
  for (Index step = 0; step < 3; ++step) {
    scaled.set_gradients(step);
    plain.set_gradients(step);
    fast.step();
    slow.step();
  }
  CHECK(difference(scaled.b, plain.b) == 0);
  CHECK(difference(scaled.w, plain.w) > 0.01);
  check_throws([&] { fast.scale_lr("c", 1); }, {"'c'"});
  check_throws([&] { fast.scale_lr("b", -1); }, {"factor", "-1"});
}

TEST_CASE("optimizer: bad options and foreign states are refused") {
  Two two, other;
  const FlatParameters flat = flatten(two);
  check_throws([&] { Sgd(flat, {.lr = -1}); }, {"lr is -1"});
  check_throws([&] { Sgd(flat, {.nesterov = true}); }, {"nesterov", "momentum"});
  check_throws([&] { Adam(flat, {.beta1 = 1}); }, {"beta1 is 1"});
  check_throws([&] { Adam(flat, {.weight_decay = -1}); }, {"weight_decay is -1"});
  Adam adam(flat, {});
  Sgd sgd(flatten(other), {.momentum = 0.5});
  check_throws([&] { adam.load_state(sgd.state()); },
               {"missing: w/exp_avg", "unexpected: b/momentum_buffer, w/momentum_buffer"});
}

TEST_CASE("optimizer: nothing is written while a tape may still need the old values") {
  Generator random(1);
  Linear layer({.in_features = 2, .out_features = 2}, random);
  Sgd sgd(flatten(layer), {.lr = 0.1});
  Tape tape;
  const Tensor x = tape.watch(ones({1, 2})), y = layer.forward(x);
  sgd.step();
  check_throws([&] { tape.backward(y, {.seed = ones({1, 2})}); }, {"linear"});
}

TEST_CASE("optimizer: 1000 steps take no memory") {
  Two two(DType::f32);
  Adam adam(flatten(two), {});
  adam.step();
  const std::size_t before = memory_stats().allocated;
  reset_peak_memory();
  for (int i = 0; i < 1000; ++i) adam.step();
  CHECK(memory_stats().allocated == before);
  CHECK(memory_stats().peak == before);
}

TEST_CASE("optimizer: many parameters, in threads, as few") {
  Parameter large(draw({300, 333}, DType::f32, -1, 1, 1));
  std::vector<NamedParameter> rows;
  for (Index i = 0; i < 300; ++i)
    rows.push_back({cat("row", i), Parameter(clone(select(large.detach(), 0, i)))});
  Adam one(flatten({{"large", large}}), {.lr = 0.1});
  std::vector<std::unique_ptr<Adam>> many;
  for (const auto& r : rows) many.push_back(std::make_unique<Adam>(flatten({r}), Adam::Options{.lr = 0.1}));
  for (unsigned step = 0; step < 3; ++step) {
    assign(large.grad(), draw({300, 333}, DType::f32, -1, 1, 10 + step));
    for (Index i = 0; i < 300; ++i)
      assign(rows[static_cast<std::size_t>(i)].parameter.grad(), select(large.grad(), 0, i));
    one.step();
    for (auto& o : many) o->step();
  }
  double worst = 0;
  for (Index i = 0; i < 300; ++i)
    worst = std::max(worst,
                     difference(select(large.detach(), 0, i), rows[static_cast<std::size_t>(i)].parameter));
  CHECK(worst == 0);
}

}  // namespace
}  // namespace fovea::tests
