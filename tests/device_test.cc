#include "fovea/core/device.h"

#include <optional>
#include <sstream>

#include "fovea/core/memory.h"
#include "fovea/core/tape.h"
#include "fovea/ops/create.h"
#include "tests/rows.h"

#ifdef FOVEA_CUDA
#include "fovea/core/captured.h"
#include "fovea/core/cuda.h"
#include "fovea/models/layers/linear.h"
#include "fovea/models/training/average.h"
#include "fovea/models/training/clip.h"
#include "fovea/models/training/optimizer.h"
#include "fovea/ops/blas.h"
#include "fovea/ops/dropout.h"
#include "fovea/ops/gather.h"
#include "fovea/ops/matmul.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/regression_loss.h"
#include "fovea/ops/views.h"
#endif

namespace fovea::tests {
namespace {

std::string text(const auto& x) {
  std::ostringstream out;
  out << x;
  return out.str();
}

TEST_CASE("device_named: words and what is none") {
  CHECK(is_cpu(device_named("cpu")));
  CHECK(text(device_named("cpu")) == "cpu");
  CHECK(is_cpu(device_named("auto")) == (cuda_device_count() == 0));
  for (const char* word : {"", "gpu", "CUDA", "cuda:", "cuda:-1", "cuda:1x", "cuda:99999999999", "cpu "})
    check_throws([&] { device_named(word); }, {"[device]", cat("'", word, "' is no device"), "cuda:1"});
#ifdef FOVEA_CUDA
  check_throws([] { device_named("cuda:4096"); }, {"[device]", "'cuda:4096' is not there", "CUDA finds"});
#else
  CHECK(cuda_device_count() == 0);
  for (const char* word : {"cuda", "cuda:0"})
    check_throws([&] { device_named(word); }, {"[device]", word, "a build with CUDA", "-DFOVEA_CUDA=ON"});
#endif
}

#ifdef FOVEA_CUDA

bool there_is_a_gpu() {
  if (cuda_device_count() > 0) return true;
  MESSAGE("skipped: no GPU");
  return false;
}

Tensor there(const Tensor& x) { return to(x, Cuda{}); }

TEST_CASE("CUDA: tensors go there and back, and so do gradients") {
  if (!there_is_a_gpu()) return;
  CHECK(device_named("cuda") == Device(Cuda{}));
  CHECK(text(device_named("cuda:0")) == "cuda:0");
  for (const DType dtype : {DType::f32, DType::f64, DType::i32, DType::u8}) {
    const Tensor x = cast(reshape(arange(24), {2, 3, 4}), dtype), y = there(transpose(x, 0, 2));
    CHECK(y.device() == Device(Cuda{}));
    CHECK(y.dtype() == dtype);
    CHECK(y.contiguous());
    CHECK(difference(to(y, Cpu{}), transpose(x, 0, 2)) == 0);
    CHECK(there(y).same(y));
    CHECK(there(zeros({0, 3}, dtype)).shape() == Shape{0, 3});
  }
  Tape tape;
  const Tensor x = tape.watch(draw({3, 5}, DType::f64, -1, 1, 1));
  const Tensor y = to(square(there(transpose(x, 0, 1))), Cpu{});
  tape.backward(y, {.seed = ones(y.shape(), DType::f64)});
  CHECK(is_cpu(tape.gradient(x).device()));
  CHECK(difference(tape.gradient(x), 2 * x.detach()) == 0);
}

TEST_CASE("CUDA: more than is staged at once arrives whole, in order") {
  if (!there_is_a_gpu()) return;
  for (const Index n : {1, 63, 1 << 20, 3000001}) {
    const Tensor x = arange(n);
    std::vector<Tensor> all;
    for (int i = 0; i < 3; ++i) all.push_back(there(x));
    for (const Tensor& y : all) CHECK(difference(to(y, Cpu{}), x) == 0);
  }
}

TEST_CASE("CUDA: elements are read one by one and printed; their address is refused") {
  if (!there_is_a_gpu()) return;
  const Tensor x = reshape(arange(6, DType::f32), {2, 3});
  Tensor y = there(x);
  CHECK(y.at({1, 2}) == 5);
  CHECK(transpose(y, 0, 1).at({2, 0}) == 2);
  CHECK(sum(y).item() == 15);
  CHECK(text(y) == text(x));
  check_throws([&] { y.data<float>(); }, {"[data]", "(2,3)", "cuda:0", "to(x, Cpu{})"});
  check_throws([&] { y.mutable_data<float>(); }, {"[mutable_data]", "cuda:0", "to(x, Cpu{})"});
  check_throws([&] { y.values<float>(); }, {"cuda:0"});
  assign(y, 2 * x);  // from the host
  CHECK(difference(y, 2 * x) == 0);
}

TEST_CASE("CUDA: ops refuse inputs on two devices") {
  if (!there_is_a_gpu()) return;
  const Tensor x = ones({2, 2}), y = there(x);
  for (const auto& f : std::vector<std::function<void()>>{
           [&] { x + y; }, [&] { matmul(y, x); }, [&] { mse_loss(x, y); },
           [&] { embedding(y, Tensor::from(std::vector<std::int32_t>{0}, {1})); }})
    check_throws(f, {"inputs lie on", "cpu (", "cuda:0 (2,2)", "to(x, device)"});
}

TEST_CASE("CUDA: factors of f32 products are rounded to 10 bits when that is allowed, and only then") {
  if (!there_is_a_gpu()) return;
  const Tensor x = full({256, 256}, 1 + 0x1p-12), y = ones({256, 256});
  const auto first = [&] { return matmul(there(x), there(y)).at({0, 0}); };
  const double exact = 256 * (1 + 0x1p-12);
  struct Off {
    ~Off() { allow_tf32(false); }
  } off_in_the_end;
  CHECK_FALSE(tf32_allowed());
  CHECK(first() == exact);
  allow_tf32(true);
  CHECK(first() == 256);
  const Tensor wide = cast(x, DType::f64), one = cast(y, DType::f64);
  CHECK(matmul(there(wide), there(one)).at({0, 0}) == exact);
  allow_tf32(false);
  CHECK(first() == exact);
}

TEST_CASE("CUDA: an index out of range is reported by the next wait, once") {
  if (!there_is_a_gpu()) return;
  const Tensor weight = there(reshape(arange(6, DType::f32), {3, 2}));
  const auto ids = [](std::vector<std::int32_t> v) {
    return there(Tensor::from(v, {static_cast<Index>(v.size())}));
  };
  const Tensor bad = embedding(weight, ids({0, 7, 2}));
  check_throws([] { synchronize(Cuda{}); },
               {"[embedding]", "index 7", "position 1", "not in 0..2", "cuda:0"});
  CHECK_NOTHROW(synchronize(Cuda{}));
  CHECK(bad.at({2, 1}) == 5);  // the others are right
  const Tensor worse = embedding(weight, ids({-1}));
  check_throws([&] { sum(worse).item(); }, {"[embedding]", "index -1", "position 0"});
  CHECK(embedding(weight, ids({1})).at({0, 1}) == 3);
}

TEST_CASE("CUDA: memory is counted, cached and given back") {
  if (!there_is_a_gpu()) return;
  constexpr Cuda d;
  constexpr std::size_t size = std::size_t{4} << 20;
  release_cached_memory(d);
  const MemoryStats before = memory_stats(d);
  CHECK(before.reserved >= before.allocated);
  reset_peak_memory(d);
  CHECK(memory_stats(d).peak == before.allocated);
  {
    const Tensor x = Tensor::empty({size / sizeof(float)}, DType::f32, d);
    CHECK(memory_stats(d).allocated == before.allocated + size);
  }
  CHECK(memory_stats(d).allocated == before.allocated);
  CHECK(memory_stats(d).peak == before.allocated + size);
  CHECK(memory_stats(d).reserved == before.reserved + size);  // cached
  { const Tensor again = Tensor::empty({size / sizeof(float)}, DType::f32, d); }
  CHECK(memory_stats(d).reserved == before.reserved + size);
  release_cached_memory(d);
  CHECK(memory_stats(d).reserved == before.reserved);
}

TEST_CASE("CUDA: memory that has run out is an OutOfMemory, and the program goes on") {
  if (!there_is_a_gpu()) return;
  constexpr Cuda d;
  const Tensor x = there(ones({1 << 20}));
  release_cached_memory(d);
  const MemoryStats before = memory_stats(d);
  set_memory_limit(before.reserved + (std::size_t{1} << 20), d);
  const auto too_much = [&] { return 2 * x; };
  try {
    too_much();
    FAIL("no OutOfMemory");
  } catch (const OutOfMemory& e) {
    const std::string message = e.what();
    for (const char* part : {"[memory]", "4194304 bytes", "cuda:0", "smaller batch"})
      CHECK_MESSAGE(message.find(part) != std::string::npos, message);
    CHECK(e.requested == std::size_t{4} << 20);
    CHECK(e.free > 0);
  }
  CHECK_THROWS_AS(detail::cuda_check(2, "cudaGraphInstantiate"), OutOfMemory);  // cudaErrorMemoryAllocation
  CHECK(memory_stats(d).allocated == before.allocated);
  set_memory_limit(0, d);
  CHECK(sum(too_much()).item() == 2 << 20);
}

// A small network on the GPU, trained on one batch.
template <class O>
class Training {
 public:
  explicit Training(const typename O::Options& options)
      : first_({.in_features = 3, .out_features = 5}, random_),
        second_({.in_features = 5, .out_features = 2}, random_) {
    for (Parameter* p : {&first_.weight, &first_.bias, &second_.weight, &second_.bias})
      *p = Parameter(there(*p));
    optimizer.emplace(flatten({{"first.weight", first_.weight},
                               {"first.bias", first_.bias},
                               {"second.weight", second_.weight},
                               {"second.bias", second_.bias}}),
                      options);
  }
  void step() {
    Tape tape;
    const Tensor y = second_.forward(dropout(tanh(first_.forward(x_)), 0.25, random_));
    const Tensor l = mse_loss(y, target_);
    tape.backward(l);
    const Tensor both = loss_and_norm(l, optimizer->parameters());
    optimizer->step(both, 0.5);
    assign(seen, both);
  }
  const Tensor& values() const { return optimizer->parameters().values; }

  std::optional<O> optimizer;
  Tensor seen = there(zeros({2}, DType::f64));

 private:
  Generator random_{3};
  Linear first_, second_;
  Tensor x_ = there(draw({4, 3}, DType::f32, -1, 1, 1)), target_ = there(draw({4, 2}, DType::f32, -1, 1, 2));
};

template <class O>
void check_captured(const typename O::Options& options) {
  Training<O> eager(options), replayed(options);
  eager.step();
  replayed.step();
  const Tensor start = clone(replayed.values());
  const Captured step(Cuda{}, [&] { replayed.step(); });
  CHECK(difference(replayed.values(), start) == 0);  // recorded, not run
  CHECK(replayed.optimizer->steps() == 1);
  for (int i = 0; i < 6; ++i) {
    if (i == 3)
      for (Training<O>* t : {&eager, &replayed}) t->optimizer->set_lr(0.3 * options.lr);
    eager.step();
    step();
    CHECK(difference(eager.seen, replayed.seen) == 0);
    CHECK(difference(eager.values(), replayed.values()) == 0);
  }
  CHECK(replayed.optimizer->steps() == eager.optimizer->steps());
  CHECK(difference(replayed.values(), start) > 1e-4);
}

TEST_CASE("Captured: a replayed step is the eager one, bit for bit") {
  if (!there_is_a_gpu()) return;
  check_captured<Sgd>({.lr = 0.1});
  check_captured<Sgd>({.lr = 0.1, .momentum = 0.9, .weight_decay = 0.01});
  check_captured<Adam>({.lr = 0.01});
}

TEST_CASE("a fault that the host does not know of keeps an update from being made") {
  if (!there_is_a_gpu()) return;
  Parameter p(there(ones({4})));
  Sgd optimizer(flatten({{"p", p}}), {.lr = 1});
  assign(p.grad(), there(ones({4})));
  const Tensor beyond = there(Tensor::from(std::vector<std::int32_t>{7}, {1}));
  const Tensor loss = sum(index_select(there(ones({3})), 0, beyond));
  optimizer.step(loss_and_norm(loss, optimizer.parameters()), 0);
  check_throws([] { synchronize(Cuda{}); }, {"index 7", "limit 3"});
  CHECK(difference(p, ones({4})) == 0);
}

TEST_CASE("Captured: ten thousand updates learn, and memory stays flat") {
  if (!there_is_a_gpu()) return;
  Training<Adam> training({.lr = 1e-3});
  training.step();
  const Captured step(Cuda{}, [&] { training.step(); });
  step();
  const double first = training.seen.at({0});
  const MemoryStats before = memory_stats(Cuda{});
  for (int i = 0; i < 10000; ++i) step();
  CHECK(training.optimizer->steps() == 10002);
  CHECK(training.seen.at({0}) < first);
  const MemoryStats after = memory_stats(Cuda{});
  CHECK(after.allocated == before.allocated);
  CHECK(after.reserved == before.reserved);
  CHECK(after.peak == before.peak);
}

TEST_CASE("Captured: an expression replayed, and what it gives back") {
  if (!there_is_a_gpu()) return;
  Tensor x = there(draw({2, 3}, DType::f32, -1, 1, 1));
  const Tensor goal = square(x);
  {
    const Captured step(Cuda{}, [&] { assign(x, x + 0.05 * (goal - x)); });
    step();
    synchronize(Cuda{});
    const MemoryStats before = memory_stats(Cuda{});
    for (int i = 0; i < 300; ++i) step();
    synchronize(Cuda{});
    const MemoryStats after = memory_stats(Cuda{});
    CHECK(after.allocated == before.allocated);
    CHECK(after.reserved == before.reserved);
    CHECK(after.peak == before.peak);
    CHECK(difference(x, goal) < 1e-5);
  }
  const std::size_t held = memory_stats(Cuda{}).allocated;
  for (int i = 0; i < 3; ++i) Captured(Cuda{}, [&] { x + goal; });  // gives back what it held
  CHECK(memory_stats(Cuda{}).allocated == held);
}

TEST_CASE("Captured: what would wait is refused, and all goes on afterwards") {
  if (!there_is_a_gpu()) return;
  const Tensor x = there(ones({2}));
  const auto captured = [](const std::function<void()>& f) { return [f] { Captured step(Cuda{}, f); }; };
  for (const auto& f :
       std::vector<std::function<void()>>{[&] { sum(x + x).item(); }, [&] { to(x + x, Cpu{}); },
                                          [&] { there(ones({2})); }, [] { release_cached_memory(Cuda{}); }})
    check_throws(captured(f), {"captured step cannot", "between the steps"});
  check_throws(captured([] { synchronize(Cuda{}); }), {"[synchronize]", "captured step cannot"});
  const std::size_t held = memory_stats(Cuda{}).allocated;
  check_throws(captured([&] { captured([] {})(); }), {"[capture]", "already"});
  CHECK(memory_stats(Cuda{}).allocated == held);
  CHECK(sum(x + x).item() == 4);
  // How many updates a plain mean is of, the host counts.
  Generator random(1);
  Linear layer({.in_features = 2, .out_features = 2}, random);
  move_to(layer, Cuda{});
  AverageWeights mean(flatten(layer), AverageWeights::equal);
  check_throws(captured([&] { mean.update(); }), {"[AverageWeights]", "between the steps"});
  Tensor y = there(zeros({2}));
  const Captured step(Cuda{}, [&] { assign(y, y + x); });
  step();
  step();
  CHECK(difference(y, 2 * ones({2})) == 0);
}

#endif  // FOVEA_CUDA

}  // namespace
}  // namespace fovea::tests
