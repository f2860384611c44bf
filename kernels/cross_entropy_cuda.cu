#include "fovea/kernels/cross_entropy.h"
#include "fovea/kernels/cuda_sums.h"
#include "fovea/kernels/scalar_math.h"

// With log-probabilities l_c = x_c - m - ln sum e^(x - m), a row's loss is -sum_c q_c l_c, where the target
// distribution q puts (1 - smoothing) w_y on the class y and smoothing / C w_c on every class c.

namespace fovea {
namespace {

constexpr auto op = "softmax_cross_entropy";

// CrossEntropy by its pointers.
template <class T>
struct Call {
  Index rows, n;
  const T *x, *w;
  const std::int32_t* classes;
  T *most, *log_sum;
  T smoothing;
  Index ignore;
  bool mean, each_row;

  explicit Call(const CrossEntropy& c)
      : rows(c.classes.numel()),
        n(c.logits.shape.back()),
        x(c.logits.as<const T>()),
        w(c.weights.as<const T>()),
        classes(c.classes.as<const std::int32_t>()),
        most(c.stats.as<T>()),
        log_sum(most + rows),
        smoothing(static_cast<T>(c.smoothing)),
        ignore(c.ignore),
        mean(c.reduction == CrossEntropy::mean),
        each_row(c.reduction == CrossEntropy::none) {}

  __device__ T weight(Index k) const { return w ? w[k] : T(1); }
  // Rows that are ignored, or of a class that there is not, count nothing.
  __device__ bool counts(Index y) const { return y != ignore && y >= 0 && y < n; }
};

// What the mean divides by: the weights of the rows' classes.
template <class T>
void total_weight(Cuda d, Call<T> c, double* total) {
  sum_all(
      d, c.rows, [=] __device__(Index r) { return c.counts(c.classes[r]) ? c.weight(c.classes[r]) : T(0); },
      [=] __device__(double sum) { *total = sum; });
}

template <class T>
void forward(Cuda d, Call<T> c, T* losses, T* loss) {
  const T share = c.smoothing / static_cast<T>(c.n);
  const detail::Fault bad{op, nullptr, 0, 0, c.n};
  detail::Fault* fault = detail::cuda_fault(d);
  each_row(d, c.rows, c.n, [=] __device__(const auto& team, Index r) {
    const Index y = c.classes[r];
    if (!c.counts(y)) {
      if (team.lane != 0) return;
      losses[r] = 0;
      if (y != c.ignore) note_fault(fault, {bad.op, bad.what, y, r, bad.limit});
      return;
    }
    const T* x = c.x + r * c.n;
    const T m = team.template max<T>(c.n, [&](Index k) { return x[k]; });
    const T s = math::log(team.template sum<T>(c.n, [&](Index k) { return math::exp(x[k] - m); }));
    T l = (1 - c.smoothing) * c.weight(y) * (s - (x[y] - m));
    if (share > 0)
      l += share * team.template sum<T>(c.n, [&](Index k) { return c.weight(k) * (s - (x[k] - m)); });
    if (team.lane != 0) return;
    c.most[r] = m;
    c.log_sum[r] = s;
    losses[r] = l;
  });
  if (c.each_row) return;
  const DeviceScratch<double> room(d, 1);
  double* total = room.data();
  if (c.mean) total_weight(d, c, total);
  sum_all(
      d, c.rows, [=] __device__(Index r) { return losses[r]; },
      [=] __device__(double sum) {
        *loss = static_cast<T>(!c.mean ? sum : *total > 0 ? sum / *total : 0);
      });
}

template <class T>
void backward(Cuda d, Call<T> c, const T* dy, T* dx_all, bool add) {
  const T share = c.smoothing / static_cast<T>(c.n);
  const DeviceScratch<double> room(d, 1);
  double* total = room.data();
  if (c.mean) total_weight(d, c, total);
  each_row(d, c.rows, c.n, [=] __device__(const auto& team, Index r) {
    const Index y = c.classes[r];
    const T* x = c.x + r * c.n;
    T* dx = dx_all + r * c.n;
    if (!c.counts(y)) {
      if (!add) team.each(c.n, [&](Index k) { dx[k] = 0; });
      return;
    }
    // d(-sum q l)/dx_k = p_k sum_c q_c - q_k
    T all = static_cast<T>(c.n);
    if (share > 0 && c.w) all = team.template sum<T>(c.n, [&](Index k) { return c.w[k]; });
    const T divisor = c.mean && *total > 0 ? static_cast<T>(*total) : T(1);
    const T g = dy[c.each_row ? r : 0] / divisor, hit = (1 - c.smoothing) * c.weight(y);
    const T scale = g * (hit + share * all), rest = g * share, m = c.most[r], s = c.log_sum[r];
    team.each(c.n, [&](Index k) {
      const T p = math::exp(x[k] - m - s);
      put(dx + k, scale * p - rest * c.weight(k) - (k == y ? g * hit : T(0)), add);
    });
  });
}

}  // namespace

void cross_entropy_forward(Cuda d, const CrossEntropy& c, const View& losses, const View& loss) {
  visit_float(op, c.logits.dtype, [&]<class T>() { forward(d, Call<T>(c), losses.as<T>(), loss.as<T>()); });
}

void cross_entropy_backward(Cuda d, const CrossEntropy& c, const View& dy, const Target& dlogits) {
  visit_float(op, c.logits.dtype, [&]<class T>() {
    backward(d, Call<T>(c), dy.as<const T>(), dlogits.as<T>(), dlogits.into == Into::add);
  });
}

}  // namespace fovea
