#include "fovea/kernels/copy.h"
#include "fovea/kernels/cuda_sums.h"
#include "fovea/kernels/gemm.h"
#include "fovea/kernels/linear_cross_entropy.h"
#include "fovea/kernels/reduce.h"
#include "fovea/kernels/scalar_math.h"

namespace fovea {
namespace {

constexpr auto op = "linear_cross_entropy";
constexpr Index chunk_bytes = 128 << 20;  // thousands of rows, so that a product fills the GPU

// How rows are told apart.
struct Classes {
  const std::int32_t* y;
  Index n, ignore, unsmoothed;
  // Rows that are ignored, or of a class that there cannot be, count nothing.
  __device__ bool possible(Index r) const { return y[r] >= 0 && y[r] < n && y[r] != unsmoothed; }
  __device__ bool counts(Index r) const { return y[r] != ignore && possible(r); }
};

// 1 over the number of rows that count, or 1. Notes rows of a class that there is not.
template <class T>
void find_scale(Cuda d, Index rows, Classes c, bool mean, T* scale) {
  const detail::Fault bad{op, nullptr, 0, 0, c.n};
  detail::Fault* fault = detail::cuda_fault(d);
  sum_all(
      d, rows,
      [=] __device__(Index r) {
        const bool counts = c.counts(r);
        if (!counts && c.y[r] != c.ignore) note_fault(fault, {bad.op, bad.what, c.y[r], r, bad.limit});
        return counts ? 1 : 0;
      },
      [=] __device__(double count) { *scale = mean && count > 1 ? static_cast<T>(1 / count) : T(1); });
}

// The losses of rows of logits x, which become their gradients times *scale. With the target q, 1 - smoothing
// at class y and smoothing / n everywhere (n counts not the unsmoothed class, whose q is 0), loss = -sum q ln
// p and dx = p - q.
template <class T>
void rows_of(Cuda d, Index rows, Index first, Classes c, T smoothing, const T* scale, const T* bias, T* x_all,
             T* losses, bool gradient) {
  const Index n = c.n;
  const Index without = c.unsmoothed;
  const T sharing = static_cast<T>(without < 0 ? n : n - 1), share = smoothing / sharing;
  each_row(d, rows, n, [=] __device__(const auto& team, Index r) {
    T* x = x_all + r * n;
    if (!c.counts(first + r)) {
      if (gradient) team.each(n, [&](Index k) { x[k] = 0; });
      if (team.lane == 0) losses[first + r] = 0;
      return;
    }
    const Index y = c.y[first + r];
    const auto logit = [&](Index k) { return bias ? x[k] + bias[k] : x[k]; };
    const T m = team.template max<T>(n, logit), hit = logit(y) - m;
    team.wait();  // x[y] is read before it is overwritten
    T offsets = 0;
    if (share > 0)
      offsets = team.template sum<T>(n, [&](Index k) { return k == without ? T(0) : logit(k) - m; });
    const T sum = team.template sum<T>(n, [&](Index k) {
      const T e = math::exp(logit(k) - m);
      if (gradient) x[k] = e;
      return e;
    });
    const T s = math::log(sum);
    if (team.lane == 0) losses[first + r] = (1 - smoothing) * (s - hit) + share * (s * sharing - offsets);
    if (!gradient) return;
    const T by = *scale, p = by / sum, rest = by * share;
    team.each(n, [&](Index k) {
      x[k] = x[k] * p - (k == without ? T(0) : rest) - (k == y ? by * (1 - smoothing) : T(0));
    });
  });
}

template <class T>
void add_up(Cuda d, Index rows, const T* losses, const T* scale, T* loss) {
  sum_all(
      d, rows, [=] __device__(Index r) { return losses[r]; },
      [=] __device__(double sum) { *loss = static_cast<T>(sum * static_cast<double>(*scale)); });
}

template <class T>
void scaled(Cuda d, Index n, const T* gradient, const T* dy, T* dx, bool add) {
  each(d, n, [=] __device__(Index k) { put(dx + k, gradient[k] * *dy, add); });
}

template <class T>
void forward(Cuda d, const LinearCrossEntropy& c, const View& loss, const View& dx, const View& dweight,
             const View& dbias) {
  const Index rows = c.classes.numel(), n = c.weight.shape[0], width = c.weight.shape[1];
  const Index ld = std::max<Index>(width, 1), logits_ld = std::max<Index>(n, 1);
  const Index fits = chunk_bytes / (logits_ld * static_cast<Index>(sizeof(T)));
  const Index chunk = std::min(rows, c.chunk_rows > 0 ? c.chunk_rows : std::max<Index>(fits, 64));
  const DeviceScratch<T> logits_room(d, chunk * n), losses(d, rows), scale(d, 1);
  const Classes classes{c.classes.as<const std::int32_t>(), n, c.ignore, c.unsmoothed};
  const T *x = c.x.as<const T>(), *w = c.weight.as<const T>();
  T* logits = logits_room.data();
  const bool gradient = dx || dweight || dbias;
  find_scale(d, rows, classes, c.mean, scale.data());
  for (const View& sum : {dweight, dbias})
    if (sum && rows == 0) fill(d, sum, 0);
  for (Index at = 0; at < rows; at += chunk) {
    const Index m = std::min(chunk, rows - at);
    const Into into = at == 0 ? Into::set : Into::add;
    gemm(d, m, n, width, {x + at * width, ld}, {w, ld, true}, {logits, logits_ld}, Into::set);
    rows_of(d, m, at, classes, static_cast<T>(c.smoothing), scale.data(), c.bias.as<const T>(), logits,
            losses.data(), gradient);
    if (dx) gemm(d, m, width, n, {logits, logits_ld}, {w, ld}, {dx.as<T>() + at * width, ld}, Into::set);
    if (dweight)
      gemm(d, n, width, m, {logits, logits_ld, true}, {x + at * width, ld}, {dweight.as<T>(), ld}, into);
    if (dbias)
      sum_forward(d, {logits, c.x.dtype, {m, n}, {n, 1}, true}, 1, {dbias.data, c.x.dtype, {m, n}, {0, 1}},
                  into);
  }
  add_up(d, rows, losses.data(), scale.data(), loss.as<T>());
}

}  // namespace

void linear_cross_entropy_forward(Cuda d, const LinearCrossEntropy& c, const View& loss, const View& dx,
                                  const View& dweight, const View& dbias) {
  visit_float(op, c.x.dtype, [&]<class T>() { forward<T>(d, c, loss, dx, dweight, dbias); });
}

void scale_gradient(Cuda d, const View& gradient, const View& dy, const Target& dx) {
  visit_float(op, gradient.dtype, [&]<class T>() {
    scaled(d, gradient.numel(), gradient.as<const T>(), dy.as<const T>(), dx.as<T>(), dx.into == Into::add);
  });
}

}  // namespace fovea
