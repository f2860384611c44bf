#include "fovea/kernels/copy.h"
#include "fovea/kernels/cuda_rows.h"
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

// A chunk of logits [rows, n], with `ld` elements from row to row so that all rows are aligned.
template <class C, class T>
struct Logits {
  C* x;
  T* gradient;         // rounded for products, or none: then x becomes the gradient
  bool keep_gradient;  // also not rounded, in x
  Index ld;
};

// The losses of rows of logits, and their gradients times *scale. With the target q, 1 - smoothing at class y
// and smoothing / n everywhere (n counts not the unsmoothed class, whose q is 0), loss = -sum q ln p and dx =
// p - q. Logits are read twice: every thread finds the maximum and the sum of exponentials of what it sees,
// to which the team's maximum is applied at the end.
template <class C, class T>
void rows_of(Cuda d, Index rows, Index first, Classes c, C smoothing, const C* scale, const C* bias,
             Logits<C, T> logits, C* losses, bool gradient) {
  constexpr int width = pack_size<C>;
  const Index n = c.n, without = c.unsmoothed;
  const C sharing = static_cast<C>(without < 0 ? n : n - 1), share = smoothing / sharing;
  each_row(d, rows, n, [=] __device__(const auto& team, Index r) {
    const auto packs = packs_of<width, 0>(team, n);  // the last one may reach beyond n, where it counts not
    C* x = logits.x + r * logits.ld;
    T* dx = logits.gradient ? logits.gradient + r * logits.ld : nullptr;
    const auto write = [&](auto p, const Pack<C, width>& g) {
      if (dx) store_pack<width>(dx + p.at, g.x);
      if (!dx || logits.keep_gradient) store_pack<width>(x + p.at, g.x);
    };
    if (!c.counts(first + r)) {
      if (gradient) packs.each([&](auto p) { write(p, Pack<C, width>{}); });
      if (team.lane == 0) losses[first + r] = 0;
      return;
    }
    const auto read = [&](auto p) {
      auto v = load_pack<C, width>(x + p.at);
#pragma unroll
      for (int k = 0; k < width; ++k) {
        if (p.at + k >= n)
          v[k] = -std::numeric_limits<C>::infinity();
        else if (bias)
          v[k] += bias[p.at + k];
      }
      return v;
    };
    const Index y = c.y[first + r];
    const C right = bias ? x[y] + bias[y] : x[y];
    C most = std::numeric_limits<C>::lowest(), sum = 0, total = 0;
    packs.each([&](auto p) {
      const auto v = read(p);
      C larger = most;
#pragma unroll
      for (int k = 0; k < width; ++k) larger = v[k] > larger ? v[k] : larger;
      if (larger > most) sum *= math::exp(most - larger);
      most = larger;
#pragma unroll
      for (int k = 0; k < width; ++k) {
        sum += math::exp(v[k] - most);
        if (share > 0 && p.at + k < n && p.at + k != without) total += v[k];
      }
    });
    const auto plus = [](C a, C b) { return a + b; };
    const C m = team.all(most, [](C a, C b) { return a > b ? a : b; });
    sum = team.all(sum * math::exp(most - m), plus);
    if (share > 0) total = team.all(total, plus);
    const C s = math::log(sum);
    if (team.lane == 0)
      losses[first + r] = (1 - smoothing) * (s - (right - m)) +
                          (share > 0 ? share * (s * sharing - (total - sharing * m)) : C(0));
    if (!gradient) return;
    team.wait();  // x[y] is read before it is overwritten
    const C by = *scale, part = by / sum, rest = by * share;
    packs.each([&](auto p) {
      auto v = read(p);
#pragma unroll
      for (int k = 0; k < width; ++k)
        v[k] = math::exp(v[k] - m) * part - (p.at + k == without ? C(0) : rest) -
               (p.at + k == y ? by * (1 - smoothing) : C(0));
      write(p, v);
    });
  });
}

template <class T>
void add_up(Cuda d, Index rows, const T* losses, const T* scale, T* loss) {
  sum_all(
      d, rows, [=] __device__(Index r) { return losses[r]; },
      [=] __device__(double sum) { *loss = static_cast<T>(sum * static_cast<double>(*scale)); });
}

template <class T, class C>
void scaled(Cuda d, Index count, const T* gradient, const C* dy, T* dx, bool add) {
  constexpr int n = pack_size<T>;
  each_pack<n>(d, count, aligned<n>(gradient) && aligned<n>(dx), [=] __device__(const auto& at) {
    auto g = at.template load<C>(gradient);
    const C by = *dy;
#pragma unroll
    for (int k = 0; k < std::decay_t<decltype(at)>::size; ++k) g[k] *= by;
    at.put(dx, g, add);
  });
}

template <class T>
void forward(Cuda d, const LinearCrossEntropy& c, const View& loss, const View& dx, const View& dweight,
             const View& dbias) {
  using C = Wide<T>;
  constexpr bool rounds = !std::is_same_v<T, C>;
  const Index rows = c.classes.numel(), n = c.weight.shape[0], width = c.weight.shape[1];
  const Index ld = std::max<Index>(width, 1), logits_ld = std::max<Index>((n + 7) / 8 * 8, 8);
  const Index fits = chunk_bytes / (logits_ld * static_cast<Index>(sizeof(C)));
  const Index chunk = std::min(rows, c.chunk_rows > 0 ? c.chunk_rows : std::max<Index>(fits, 64));
  const bool gradient = dx || dweight || dbias;
  const DeviceScratch<C> logits_room(d, chunk * logits_ld), losses(d, rows), scale(d, 1);
  const DeviceScratch<T> rounded(d, rounds && gradient ? chunk * logits_ld : 0);
  const Classes classes{c.classes.as<const std::int32_t>(), n, c.ignore, c.unsmoothed};
  const T *x = c.x.as<const T>(), *w = c.weight.as<const T>();
  C* logits = logits_room.data();
  const T* dlogits = nullptr;
  if constexpr (rounds)
    dlogits = rounded.data();
  else
    dlogits = logits;
  find_scale(d, rows, classes, c.mean, scale.data());
  for (const View& sum : {dweight, dbias})
    if (sum && rows == 0) fill(d, sum, 0);
  for (Index at = 0; at < rows; at += chunk) {
    const Index m = std::min(chunk, rows - at);
    const Into into = at == 0 ? Into::set : Into::add;
    const Matrix<const T> from{x + at * width, ld}, weight{w, ld}, g{dlogits, logits_ld};
    gemm(d, m, n, width, from, {w, ld, true}, Matrix<C>{logits, logits_ld}, Into::set);
    rows_of<C, T>(d, m, at, classes, static_cast<C>(c.smoothing), scale.data(), c.bias.as<const C>(),
                  {logits, rounds ? rounded.data() : nullptr, static_cast<bool>(dbias), logits_ld},
                  losses.data(), gradient);
    if (dx) gemm(d, m, width, n, g, weight, Matrix<T>{dx.as<T>() + at * width, ld}, Into::set);
    if (dweight) gemm(d, n, width, m, {dlogits, logits_ld, true}, from, Matrix<C>{dweight.as<C>(), ld}, into);
    if (dbias)
      sum_forward(d, {logits, dtype_of<C>, {m, n}, {logits_ld, 1}}, 1,
                  {dbias.data, dtype_of<C>, {m, n}, {0, 1}}, into);
  }
  add_up(d, rows, losses.data(), scale.data(), loss.as<C>());
}

}  // namespace

void linear_cross_entropy_forward(Cuda d, const LinearCrossEntropy& c, const View& loss, const View& dx,
                                  const View& dweight, const View& dbias) {
  visit_wide(op, c.x.dtype, [&]<class T>() { forward<T>(d, c, loss, dx, dweight, dbias); });
}

void scale_gradient(Cuda d, const View& gradient, const View& dy, const Target& dx) {
  visit_wide(op, gradient.dtype, [&]<class T>() {
    scaled(d, gradient.numel(), gradient.as<const T>(), dy.as<const Wide<T>>(), dx.as<T>(),
           dx.into == Into::add);
  });
}

}  // namespace fovea
