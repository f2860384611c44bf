#include "fovea/ops/create.h"

#include <cmath>
#include <numbers>

#include "fovea/core/arithmetic.h"
#include "fovea/core/device_memory.h"
#include "fovea/core/tape.h"
#include "fovea/kernels/copy.h"
#include "fovea/kernels/parallel.h"
#include "fovea/kernels/philox.h"

namespace fovea {
namespace {

Tensor copied(const Tensor& x, DType dtype) {
  Tensor y = Tensor::empty(x.shape(), dtype, x.device());
  std::visit([&](auto d) { copy(d, view_of(y), view_of(x)); }, x.device());
  return y;
}

Tensor moved(const Tensor& x, const Device& device) {
  const Tensor from = detail::packed(x);
  Tensor y = Tensor::empty(x.shape(), x.dtype(), device);
  detail::copy_bytes(device, y.raw_mutable(), from.device(), from.raw(), from.bytes());
  return y;
}

// A tensor of value(words), where every element takes the next `each` words of the generator: what drawing
// one number after the other gives, but made many at a time.
template <Index each, class Value>
Tensor drawn(const char* op, const Shape& shape, DType dtype, Generator& random, Value&& value) {
  Tensor out = Tensor::empty(shape, dtype);
  visit_float(op, dtype, [&]<class T>() {
    T* x = static_cast<T*>(out.raw_mutable());
    const RandomState start = take_words(random, each * out.numel(), out.device());
    parallel_for(out.numel(), each, costly_grain, [&](Index begin, Index end) {
      for_words<each>(start, begin, end, [&](Index i, Index n, const std::uint32_t* words) {
        for (Index k = 0; k < n; ++k) x[i + k] = static_cast<T>(value(words + each * k));
      });
    });
  });
  return out;
}

// As Generator::uniform() and normal().
double uniform(std::uint32_t word) {
  return static_cast<double>(static_cast<std::int32_t>(word >> 8)) * 0x1p-24;
}
double normal(std::uint32_t a, std::uint32_t b) {
  const double u = (static_cast<double>(a) + 1) * 0x1p-32, v = static_cast<double>(b) * 0x1p-32;
  return static_cast<float>(std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v));
}

}  // namespace

void detail::accumulate(Tensor& into, const Tensor& x) {
  std::visit([&](auto d) { copy(d, view_of(into), view_of(x), Into::add); }, x.device());
}

Tensor detail::on_host(const Tensor& x) { return is_cpu(x.device()) ? packed(x) : moved(x, Cpu{}); }

Tensor detail::packed(const Tensor& x) { return x.contiguous() ? x : copied(x, x.dtype()); }

Tensor detail::filled_like(const Tensor& x, double value) {
  return full(x.shape(), value, x.dtype(), x.device());
}

Tensor full(const Shape& shape, double value, DType dtype, const Device& device) {
  Tensor out = Tensor::empty(shape, dtype, device);
  std::visit([&](auto d) { fill(d, view_of(out), value); }, device);
  return out;
}

Tensor zeros(const Shape& shape, DType dtype, const Device& device) { return full(shape, 0, dtype, device); }
Tensor ones(const Shape& shape, DType dtype, const Device& device) { return full(shape, 1, dtype, device); }
Tensor zeros_like(const Tensor& x) { return detail::filled_like(x, 0); }
Tensor full_like(const Tensor& x, double value) { return detail::filled_like(x, value); }

Tensor arange(Index n, DType dtype, const Device& device) {
  Tensor out = Tensor::empty({n}, dtype, device);
  std::visit([&](auto d) { count_up(d, view_of(out)); }, device);
  return out;
}

Tensor rand_uniform(const Shape& shape, Generator& random, double low, double high, DType dtype) {
  return drawn<1>("rand_uniform", shape, dtype, random,
                  [=](const std::uint32_t* word) { return low + (high - low) * uniform(*word); });
}

Tensor rand_normal(const Shape& shape, Generator& random, double mean, double deviation, DType dtype) {
  return drawn<2>("rand_normal", shape, dtype, random,
                  [=](const std::uint32_t* words) { return mean + deviation * normal(words[0], words[1]); });
}

Tensor rand_bernoulli(const Shape& shape, Generator& random, double p, DType dtype) {
  require(p >= 0 && p <= 1, "rand_bernoulli", "p = ", p, " is not a probability");
  return drawn<1>("rand_bernoulli", shape, dtype, random,
                  [=](const std::uint32_t* word) { return uniform(*word) < p ? 1 : 0; });
}

Tensor rand_int(const Shape& shape, Generator& random, Index low, Index high) {
  require(low < high && high - low <= Index{1} << 31, "rand_int", "the range ", low, " to ", high,
          " is empty or too wide");
  Tensor out = Tensor::empty(shape, DType::i32);
  auto* x = static_cast<std::int32_t*>(out.raw_mutable());
  for (Index i = 0; i < out.numel(); ++i)
    x[i] = static_cast<std::int32_t>(low + random.below(static_cast<std::uint32_t>(high - low)));
  return out;
}

Tensor clone(const Tensor& x) {
  Tensor y = copied(x, x.dtype());
  record("clone", {x}, {y}, [](Backward& b) { b.add(0, b.dy()); });
  return y;
}

Tensor contiguous(const Tensor& x) { return x.contiguous() ? x : clone(x); }

Tensor to(const Tensor& x, const Device& device) {
  if (x.device() == device) return x;
  Tensor y = moved(x, device);
  record("to", {x}, {y}, [from = x.device()](Backward& b) { b.add(0, moved(b.dy(), from)); });
  return y;
}

Tensor cast(const Tensor& x, DType dtype) {
  if (dtype == x.dtype()) return x;
  Tensor y = copied(x, dtype);
  if (is_float(dtype))
    record("cast", {x}, {y}, [from = x.dtype()](Backward& b) { b.add(0, copied(b.dy(), from)); });
  return y;
}

void assign(Tensor to, const Tensor& from) {
  require(to.shape() == from.shape(), "assign", "shapes differ: ", to.shape(), " = ", from.shape());
  to.note_change();
  if (from.device() != to.device() && to.contiguous() && from.dtype() == to.dtype()) {
    const Tensor source = detail::packed(from);
    detail::copy_bytes(to.device(), to.raw_mutable(), source.device(), source.raw(), source.bytes());
    return;
  }
  const Tensor near = from.device() == to.device() ? from : moved(from, to.device());
  std::visit([&](auto d) { copy(d, view_of(to), view_of(near)); }, to.device());
}

}  // namespace fovea
