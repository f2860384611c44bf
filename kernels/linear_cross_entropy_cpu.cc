#include "fovea/kernels/gemm.h"
#include "fovea/kernels/linear_cross_entropy.h"
#include "fovea/kernels/loops.h"
#include "fovea/kernels/scalar_math.h"
#include "fovea/kernels/scratch.h"

namespace fovea {
namespace {

constexpr auto op = "linear_cross_entropy";
constexpr Index chunk_bytes = 8 << 20;

// The number of rows that count. Throws when a class is out of range.
Index counted(const LinearCrossEntropy& c) {
  const auto* y = c.classes.as<const std::int32_t>();
  const Index rows = c.classes.numel(), n = c.weight.shape[0];
  Index count = 0;
  for (Index r = 0; r < rows; ++r) {
    if (y[r] == c.ignore) continue;
    require(y[r] >= 0 && y[r] < n, op, "class ", y[r], " of row ", r, " is outside 0 to ", n - 1,
            "; rows to leave out carry ignore_index");
    require(y[r] != c.unsmoothed, op, "row ", r, " has class ", y[r],
            ", which not_smoothed leaves out; give it as ignore_index too");
    ++count;
  }
  return count;
}

// The loss of one row of logits x, which become their gradient times `scale`. With the target q, 1 -
// smoothing at class y and smoothing / n everywhere (n counts not the class `without`, whose q is 0), loss =
// -sum q ln p and dx = p - q.
template <class T>
T row_loss(T* x, Index n, Index y, T smoothing, Index without, T scale, bool gradient) {
  const T m = max_of<T>(n, [=](Index k) { return x[k]; }), hit = x[y] - m;
  const T sharing = static_cast<T>(without < 0 ? n : n - 1), share = smoothing / sharing;
  T offsets = share > 0 ? sum_of<T>(n, [=](Index k) { return x[k] - m; }) : T(0);
  if (share > 0 && without >= 0) offsets -= x[without] - m;
  const T sum = sum_of<T>(n, [=](Index k) { return x[k] = math::exp(x[k] - m); });
  const T s = math::log(sum);
  if (gradient) {
    const T p = scale / sum, rest = scale * share;
    store(x, n, Into::set, [=](Index k) { return x[k] * p - rest; });
    x[y] -= scale * (1 - smoothing);
    if (without >= 0) x[without] += rest;
  }
  return (1 - smoothing) * (s - hit) + share * (s * sharing - offsets);
}

}  // namespace

void linear_cross_entropy_forward(Cpu cpu, const LinearCrossEntropy& c, const View& loss, const View& dx,
                                  const View& dweight, const View& dbias) {
  const Index rows = c.classes.numel(), n = c.weight.shape[0], width = c.weight.shape[1];
  const Index count = counted(c), ld = std::max<Index>(width, 1), logits_ld = std::max<Index>(n, 1);
  visit_float(op, c.x.dtype, [&]<class T>() {
    const Index fits = chunk_bytes / (logits_ld * static_cast<Index>(sizeof(T)));
    const Index chunk = std::min(rows, c.chunk_rows > 0 ? c.chunk_rows : std::max<Index>(fits, 64));
    const Scratch<T> room(chunk * n), losses(rows);
    const T scale = c.mean ? 1 / static_cast<T>(std::max<Index>(count, 1)) : T(1);
    const bool gradient = dx || dweight || dbias;
    const T *x = c.x.as<const T>(), *w = c.weight.as<const T>(), *bias = c.bias.as<const T>();
    const auto* classes = c.classes.as<const std::int32_t>();
    T* logits = room.data();
    for (const View& sum : {dweight, dbias})
      if (sum) std::fill_n(sum.as<T>(), sum.numel(), T(0));
    for (Index at = 0; at < rows; at += chunk) {
      const Index m = std::min(chunk, rows - at);
      if (bias)
        for (Index r = 0; r < m; ++r) std::copy_n(bias, n, logits + r * n);
      gemm(cpu, m, n, width, {x + at * width, ld}, {w, ld, true}, {logits, logits_ld},
           bias ? Into::add : Into::set);
      parallel_for(m, n, costly_grain, [&](Index begin, Index end) {
        for (Index r = begin; r < end; ++r) {
          const Index y = classes[at + r];
          losses[at + r] = 0;
          if (y != c.ignore)
            losses[at + r] =
                row_loss(logits + r * n, n, y, static_cast<T>(c.smoothing), c.unsmoothed, scale, gradient);
          else
            std::fill_n(logits + r * n, n, T(0));
        }
      });
      if (dx) gemm(cpu, m, width, n, {logits, logits_ld}, {w, ld}, {dx.as<T>() + at * width, ld}, Into::set);
      if (dweight)
        gemm(cpu, n, width, m, {logits, logits_ld, true}, {x + at * width, ld}, {dweight.as<T>(), ld},
             Into::add);
      if (dbias)
        for (Index r = 0; r < m; ++r)
          store(dbias.as<T>(), n, Into::add, [=](Index k) { return logits[r * n + k]; });
    }
    const double sum = sum_of_many<T>(rows, cheap_grain, [&](Index r) { return losses[r]; });
    *loss.as<T>() = static_cast<T>(c.mean ? sum / static_cast<double>(std::max<Index>(count, 1)) : sum);
  });
}

void scale_gradient(Cpu, const View& gradient, const View& dy, const Target& dx) {
  visit_float(op, gradient.dtype, [&]<class T>() {
    const T scale = *dy.as<const T>();
    const T* from = gradient.as<const T>();
    parallel_for(gradient.numel(), 1, cheap_grain, [&](Index begin, Index end) {
      store(dx.as<T>() + begin, end - begin, dx.into, [=](Index k) { return from[begin + k] * scale; });
    });
  });
}

}  // namespace fovea
