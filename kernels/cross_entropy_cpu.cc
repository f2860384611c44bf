#include "fovea/kernels/cross_entropy.h"
#include "fovea/kernels/loops.h"
#include "fovea/kernels/scalar_math.h"

// With log-probabilities l_c = x_c - m - ln sum e^(x - m), a row's loss is -sum_c q_c l_c, where the target
// distribution q puts (1 - smoothing) w_y on the class y and smoothing / C w_c on every class c.

namespace fovea {
namespace {

constexpr auto op = "softmax_cross_entropy";

// What the mean divides by: the weights of the rows' classes, where a row counts 1 without weights and 0 if
// ignored.
template <class T>
double total_weight(const CrossEntropy& c) {
  const auto* y = c.classes.as<const std::int32_t>();
  const T* w = c.weights.as<const T>();
  const Index rows = c.classes.numel(), n = c.logits.shape.back();
  double total = 0;
  for (Index r = 0; r < rows; ++r) {
    if (y[r] == c.ignore) continue;
    require(y[r] >= 0 && y[r] < n, op, "class ", y[r], " of row ", r, " is outside 0 to ", n - 1,
            "; rows to leave out carry ignore_index");
    total += w ? static_cast<double>(w[y[r]]) : 1;
  }
  return total;
}

template <class T>
double sum_of_weights(const CrossEntropy& c) {
  const T* w = c.weights.as<const T>();
  const Index n = c.logits.shape.back();
  return w ? static_cast<double>(sum_of<T>(n, [&](Index k) { return w[k]; })) : static_cast<double>(n);
}

}  // namespace

void cross_entropy_forward(Cpu, const CrossEntropy& c, const View& losses, const View& loss) {
  const Index rows = c.classes.numel(), n = c.logits.shape.back();
  visit_float(op, c.logits.dtype, [&]<class T>() {
    const double total = total_weight<T>(c);
    const auto* classes = c.classes.as<const std::int32_t>();
    const T *w = c.weights.as<const T>(), share = static_cast<T>(c.smoothing / static_cast<double>(n)),
            all = static_cast<T>(sum_of_weights<T>(c));
    T *most = c.stats.as<T>(), *log_sum = most + rows, *out = losses.as<T>();
    parallel_for(rows, n, costly_grain, [&](Index begin, Index end) {
      for (Index r = begin; r < end; ++r) {
        const Index y = classes[r];
        if (y == c.ignore) {
          out[r] = 0;
          continue;
        }
        const T* x = c.logits.as<const T>() + r * n;
        const T m = most[r] = max_of<T>(n, [&](Index k) { return x[k]; });
        const T s = log_sum[r] = math::log(sum_of<T>(n, [&](Index k) { return math::exp(x[k] - m); }));
        T l = static_cast<T>(1 - c.smoothing) * (w ? w[y] : T(1)) * (s - (x[y] - m));
        if (share > 0)
          l += share * (s * all - (w ? sum_of<T>(n, [&](Index k) { return w[k] * (x[k] - m); })
                                     : sum_of<T>(n, [&](Index k) { return x[k] - m; })));
        out[r] = l;
      }
    });
    if (c.reduction == CrossEntropy::none) return;
    const double sum = sum_of_many<T>(rows, cheap_grain, [&](Index r) { return out[r]; });
    *loss.as<T>() = static_cast<T>(c.reduction == CrossEntropy::sum ? sum : total > 0 ? sum / total : 0);
  });
}

void cross_entropy_backward(Cpu, const CrossEntropy& c, const View& dy, const Target& dlogits) {
  const Index rows = c.classes.numel(), n = c.logits.shape.back();
  visit_float(op, c.logits.dtype, [&]<class T>() {
    const double total = c.reduction == CrossEntropy::mean ? total_weight<T>(c) : 1;
    const T divisor = static_cast<T>(total > 0 ? total : 1);
    const auto* classes = c.classes.as<const std::int32_t>();
    const T *w = c.weights.as<const T>(), share = static_cast<T>(c.smoothing / static_cast<double>(n)),
            all = static_cast<T>(sum_of_weights<T>(c));
    const T *most = c.stats.as<const T>(), *log_sum = most + rows, *up = dy.as<const T>();
    parallel_for(rows, n, costly_grain, [&](Index begin, Index end) {
      for (Index r = begin; r < end; ++r) {
        const Index y = classes[r];
        const T* x = c.logits.as<const T>() + r * n;
        T* dx = dlogits.as<T>() + r * n;
        if (y == c.ignore) {
          if (dlogits.into == Into::set) std::fill(dx, dx + n, T(0));
          continue;
        }
        // d(-sum q l)/dx_k = p_k sum_c q_c - q_k
        const T g = (c.reduction == CrossEntropy::none ? up[r] : up[0]) / divisor;
        const T hit = static_cast<T>(1 - c.smoothing) * (w ? w[y] : T(1)), scale = g * (hit + share * all);
        const T m = most[r], s = log_sum[r], rest = g * share;
        if (w)
          store(dx, n, dlogits.into, [=](Index k) { return scale * math::exp(x[k] - m - s) - rest * w[k]; });
        else
          store(dx, n, dlogits.into, [=](Index k) { return scale * math::exp(x[k] - m - s) - rest; });
        dx[y] -= g * hit;
      }
    });
  });
}

}  // namespace fovea
