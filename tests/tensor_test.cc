#include "fovea/core/tensor.h"

#include <sstream>
#include <thread>

#include "fovea/core/memory.h"
#include "fovea/core/poison.h"
#include "fovea/core/tape.h"
#include "fovea/ops/create.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

#ifdef __SANITIZE_ADDRESS__
TEST_CASE("tensor: the sanitizer sees where it ends, though its block goes on, and that it is gone") {
  Tensor t = Tensor::empty({5});
  const float* data = t.data<float>();
  CHECK(!__asan_address_is_poisoned(data + 4));
  CHECK(__asan_address_is_poisoned(data + 5));
  t = Tensor();
  CHECK(__asan_address_is_poisoned(data));
}
#endif

TEST_CASE("tensor: handles share, views share storage") {
  Tensor a = Tensor::from({1, 2, 3, 4, 5, 6}, {2, 3});
  Tensor b = a;
  CHECK(b.same(a));
  const Tensor t = a.view({3, 2}, {1, 3}, 0);
  CHECK_FALSE(t.contiguous());
  CHECK(t.at({2, 1}) == 6);
  a.mutable_data<float>()[5] = 7;
  CHECK(t.at({2, 1}) == 7);
  const Tensor row = a.view({3}, {1}, 3);
  a = Tensor();
  b = Tensor();
  CHECK(row.at({0}) == 4);  // the view keeps the storage alive
}

TEST_CASE("tensor: foreign memory is given back once") {
  int freed = 0;
  float data[4] = {1, 2, 3, 4};
  {
    const Tensor t = Tensor::wrap(data, {2, 2}, DType::f32, [&] { ++freed; });
    const Tensor v = t.view({2}, {2}, 1);
    CHECK(v.at({1}) == 4);
    CHECK(freed == 0);
  }
  CHECK(freed == 1);
}

TEST_CASE("tensor: errors say what is wrong") {
  const Tensor t = zeros({2, 3});
  check_throws([&] { t.data<double>(); }, {"f32", "f64"});
  check_throws([&] { t.item(); }, {"[item]", "(2,3)"});
  check_throws([&] { t.at({2, 0}); }, {"[at]", "position 2", "(2,3)"});
  check_throws([&] { t.size(2); }, {"dimension 2", "(2,3)"});
  check_throws([] { Tensor().shape(); }, {"undefined"});
  check_throws([] { Tensor::from({1, 2}, {3}); }, {"2 values", "(3)"});
  check_throws([] { Tensor::empty({2, -1}); }, {"(2,-1)", "negative"});
  check_throws([] { Tensor::empty({1, 1, 1, 1, 1, 1, 1}); }, {"7 dimensions"});
  check_throws([&] { t.view({3, 2}, {1, 3}, 0).data<float>(); }, {"strided view", "contiguous"});
}

TEST_CASE("tensor: prints") {
  std::ostringstream out;
  out << Tensor::from({1, 2.5, -3, 4}, {2, 2});
  CHECK(out.str() == "f32(2,2) [[1 2.5]\n [-3 4]]");
}

TEST_CASE("tensor: bf16 keeps the upper half of a float, rounded to nearest even") {
  const Tensor x = Tensor::from({1, 1.00390625f, 3.1415927f, -65536}, {4});
  const Tensor y = cast(cast(x, DType::bf16), DType::f32);
  CHECK(y.at({0}) == 1);
  CHECK(y.at({1}) == 1);  // a tie: to even
  CHECK(y.at({2}) == 3.140625);
  CHECK(y.at({3}) == -65536);
}

TEST_CASE("memory: freed blocks are used again, and counted") {
  const void* first;
  {
    const Tensor t = zeros({1000});
    first = t.raw();
  }
  const std::size_t before = memory_stats().allocated;
  const Tensor t = zeros({1000});
  CHECK(t.raw() == first);
  CHECK(memory_stats().allocated >= before + 4000);
  CHECK(memory_stats().reserved >= memory_stats().allocated);
  reset_peak_memory();
  const std::size_t peak = memory_stats().peak;
  { const Tensor big = zeros({1 << 20}); }
  CHECK(memory_stats().peak >= peak + (4 << 20));
  release_cached_memory();
  CHECK(memory_stats().reserved < peak + (4 << 20));
}

TEST_CASE("memory: too much is an error that can be caught") {
  const auto too_much = [] { Tensor::empty({Index{1} << 40, 1024}); };
  CHECK_THROWS_AS(too_much(), OutOfMemory);
  CHECK_THROWS_AS(Tensor::empty({Index{1} << 40, Index{1} << 40}), OutOfMemory);
  set_memory_limit(memory_stats().reserved + (1 << 20));
  try {
    zeros({1 << 22});
    FAIL("no error");
  } catch (const OutOfMemory& e) {
    CHECK(e.requested >= (1 << 24));
    for (const char* part : {"smaller batch", "for a tensor (4194304) f32"})
      CHECK(std::string(e.what()).find(part) != std::string::npos);
  }
  set_memory_limit(0);
  {
    const Parameter x(zeros({1 << 22}));
    Tape tape;
    const Tensor y = sum(exp(tanh(x)));
    release_cached_memory();
    set_memory_limit(memory_stats().reserved + (1 << 20));
    check_throws([&] { tape.backward(y); }, {"for a tensor (4194304) f32", "in backward of "});
    set_memory_limit(0);
  }
  CHECK(zeros({1 << 22}).numel() == 1 << 22);
}

TEST_CASE("memory: tensors may die on another thread") {
  const std::size_t before = memory_stats().allocated;
  for (int i = 0; i < 3; ++i) {
    Tensor t = zeros({5000});
    std::thread([t = std::move(t)]() mutable { t = zeros({10}); }).join();
  }
  CHECK(memory_stats().allocated == before);
}

TEST_CASE("generator: Philox4x32-10 gives the published values") {
  // Known answers of the authors' Random123 distribution, kat_vectors.
  const auto zero = Generator::block(0, 0, 0);
  CHECK(zero[0] == 0x6627e8d5u);
  CHECK(zero[1] == 0xe169c58du);
  CHECK(zero[2] == 0xbc57ac4cu);
  CHECK(zero[3] == 0x9b00dbd8u);
  const auto ones = Generator::block(~0ull, ~0ull, ~0ull);
  CHECK(ones[0] == 0x408f276du);
  CHECK(ones[1] == 0x41c83b0eu);
  CHECK(ones[2] == 0xa20bc7c6u);
  CHECK(ones[3] == 0x6d5451fdu);
}

TEST_CASE("generator: state is savable, seeds and forks differ") {
  Generator a(5);
  for (int i = 0; i < 7; ++i) a.bits();
  const Generator::State state = a.state();
  const std::uint32_t next = a.bits();
  Generator b(0);
  b.set_state(state);
  CHECK(b.bits() == next);
  CHECK(Generator(6).bits() != Generator(5).bits());
  CHECK(Generator(5).fork(1).bits() != Generator(5).bits());
  CHECK(Generator(5).fork(1).fork(2).bits() != Generator(5).fork(2).fork(1).bits());
}

TEST_CASE("generator: moments of the distributions") {
  Generator random(1);
  const Index n = 100000;
  double sum = 0, squares = 0, below = 0;
  for (Index i = 0; i < n; ++i) {
    const double x = random.normal();
    sum += x;
    squares += x * x;
    below += random.below(10);
  }
  CHECK(std::abs(sum / n) < 0.015);
  CHECK(squares / n == doctest::Approx(1).epsilon(0.02));
  CHECK(below / n == doctest::Approx(4.5).epsilon(0.01));
}

}  // namespace
}  // namespace fovea::tests
