#include "fovea/kernels/cuda_block.h"
#include "fovea/kernels/ntm_addressing.h"
#include "fovea/kernels/scalar_math.h"

// Forward a block takes a head of a sample, backward a sample, whose heads add to one gradient of the memory.
// Names follow the paper, as in ntm_addressing_cpu.cc.

namespace fovea {
namespace {

constexpr auto op = "ntm_addressing";

using Block = Team<sample_threads>;

struct Sizes {
  Index B, N, M, H, P, S, half;
  Sizes(const View& parameters, const View& memory)
      : B(memory.shape[0]),
        N(memory.shape[1]),
        M(memory.shape[2]),
        H(parameters.shape[1]),
        P(parameters.shape[2]),
        S(P - M - 3),
        half(S / 2) {}
  // j + d mod N, for |d| <= N
  __device__ Index around(Index j, Index d) const {
    const Index i = j + d;
    return i < 0 ? i + N : i < N ? i : i - N;
  }
};

// One head's parameters after their activations. The key and the shift weights lie in `room`, M + S numbers.
template <class T>
struct Head {
  T *k, *s;
  T beta, g, gamma, norm;

  __device__ Head(const Block& block, const Sizes& n, const T* raw, bool tanh_key, T* room)
      : k(room), s(room + n.M) {
    beta = math::softplus(raw[n.M]);
    g = math::sigmoid(raw[n.M + 1]);
    const T* shift = raw + n.M + 2;
    gamma = 1 + math::softplus(shift[n.S]);
    const T most = block.max<T>(n.S, [&](Index d) { return shift[d]; });
    const T sum = block.sum<T>(n.S, [&](Index d) { return s[d] = math::exp(shift[d] - most); });
    block.each(n.S, [&](Index d) { s[d] /= sum; });
    const T square = block.sum<T>(n.M, [&](Index m) {
      k[m] = tanh_key ? math::tanh(raw[m]) : raw[m];
      return k[m] * k[m];
    });
    norm = math::sqrt(square + ntm_epsilon<T> * ntm_epsilon<T>);
    block.wait();
  }
};

// y = softmax(f(0), ..., f(N - 1))
template <class T, class F>
__device__ void softmax(const Block& block, Index N, F f, T* y) {
  const T most = block.max<T>(N, f);
  const T sum = block.sum<T>(N, [&](Index j) { return y[j] = math::exp(f(j) - most); });
  block.each(N, [&](Index j) { y[j] *= 1 / sum; });
}

template <class T>
__global__ void __launch_bounds__(sample_threads)
    forward(Sizes n, const T* parameters, const T* memory, const T* w_previous, bool tanh_key, T* trace, T* w,
            T* room) {
  const Index N = n.N, M = n.M, b = blockIdx.x / n.H, h = blockIdx.x % n.H;
  const Block block;
  const Team<32> warp;
  const Head<T> head(block, n, parameters + blockIdx.x * n.P, tanh_key, block_room(room, M + n.S));
  T *traced = trace + b * (3 * n.H + 1) * N, *norms = traced + 3 * n.H * N;
  T *cosine = traced + 3 * h * N, *wc = cosine + N, *ws = wc + N;
  const T* before = w_previous + blockIdx.x * N;
  for (Index j = threadIdx.x / 32; j < N; j += sample_warps) {
    const T* row = memory + (b * N + j) * M;
    const T along = warp.sum<T>(M, [&](Index m) { return row[m] * head.k[m]; });
    const T square = warp.sum<T>(M, [&](Index m) { return row[m] * row[m]; });
    const T norm = math::sqrt(square + ntm_epsilon<T> * ntm_epsilon<T>);
    if (warp.lane == 0) cosine[j] = along / (norm * head.norm);
    if (warp.lane == 0 && h == 0) norms[j] = norm;
  }
  block.wait();
  softmax(
      block, N, [&](Index j) { return head.beta * cosine[j]; }, wc);
  block.wait();
  block.each(N, [&](Index j) {
    T sum = 0;  // ws(j) = sum_d wg(j - d) s(d), d from -half to half; s[d + half] is stored
    for (Index d = 0; d < n.S; ++d) {
      const Index i = n.around(j, n.half - d);
      sum += head.s[d] * (head.g * wc[i] + (1 - head.g) * before[i]);
    }
    ws[j] = sum;
  });
  // w = ws^gamma / sum, by logarithms: the power of 128 equal weights underflows in float at gamma 21.
  softmax(
      block, N, [&](Index j) { return head.gamma * math::log(ws[j] + ntm_tiny<T>); }, w + blockIdx.x * N);
}

template <class T>
struct Gradients {
  T *parameters, *memory, *w_previous;
  bool add_parameters, add_memory, add_w_previous;
  explicit Gradients(const NtmAddressingGradients& g)
      : parameters(g.parameters.as<T>()),
        memory(g.memory.as<T>()),
        w_previous(g.w_previous.as<T>()),
        add_parameters(g.parameters.into == Into::add),
        add_memory(g.memory.into == Into::add),
        add_w_previous(g.w_previous.into == Into::add) {}
};

template <class T>
__global__ void __launch_bounds__(sample_threads)
    backward(Sizes n, const T* parameters, const T* memory, const T* w_previous, bool tanh_key,
             const T* trace, const T* w, const T* dw, Gradients<T> to, T* room, Index room_size) {
  const Index N = n.N, M = n.M, S = n.S, b = blockIdx.x;
  const Block block;
  const Team<32> warp;
  T* own = block_room(room, room_size);
  T *ds = own + M + S, *t = ds + S, *u = t + N, *q = u + N;
  const T *rows = memory + b * N * M, *traced = trace + b * (3 * n.H + 1) * N, *norms = traced + 3 * n.H * N;
  for (Index h = 0; h < n.H; ++h) {
    const Index bh = b * n.H + h;
    const T* raw = parameters + bh * n.P;
    const Head<T> head(block, n, raw, tanh_key, own);
    const T *cosine = traced + 3 * h * N, *wc = cosine + N, *ws = wc + N;
    const T *before = w_previous + bh * N, *out = w + bh * N, *dout = dw + bh * N;

    // Sharpening: w = softmax(gamma log ws).
    const T mean = block.sum<T>(N, [&](Index j) { return out[j] * dout[j]; });
    const T dgamma = block.sum<T>(N, [&](Index j) {
      const T dlog = out[j] * (dout[j] - mean), x = ws[j] + ntm_tiny<T>;
      t[j] = dlog * head.gamma / x;  // the gradient of ws
      return dlog * math::log(x);
    });
    block.wait();
    // Shift: ws(i) = sum_d wg(i - d) s(d).
    for (Index d = threadIdx.x / 32; d < S; d += sample_warps) {
      const T sum = warp.sum<T>(N, [&](Index j) {
        const Index i = n.around(j, n.half - d);
        return t[j] * (head.g * wc[i] + (1 - head.g) * before[i]);
      });
      if (warp.lane == 0) ds[d] = sum;
    }
    block.each(N, [&](Index j) {
      T sum = 0;
      for (Index d = 0; d < S; ++d) sum += head.s[d] * t[n.around(j, d - n.half)];
      u[j] = sum;  // the gradient of wg
    });
    block.wait();
    // Gate: wg = g wc + (1 - g) before.
    const T dg = block.sum<T>(N, [&](Index j) { return u[j] * (wc[j] - before[j]); });
    const T spread = block.sum<T>(N, [&](Index j) { return u[j] * wc[j]; });
    // Content: wc = softmax(beta K), K = k.M / (|k| |M|).
    const T dbeta = block.sum<T>(N, [&](Index j) {
      const T da = wc[j] * head.g * (u[j] - spread), dc = head.beta * da;
      t[j] = dc / (norms[j] * head.norm);             // what k takes of the row, and the row of k
      q[j] = dc * cosine[j] / (norms[j] * norms[j]);  // what the row takes of itself
      return da * cosine[j];
    });
    block.wait();
    const T itself = head.beta * dbeta / (head.norm * head.norm);  // what k takes of itself
    T* dp = to.parameters ? to.parameters + bh * n.P : nullptr;
    column_sums<1, T>(
        N, M,
        [&](Index j, Index m, T* sum) {
          const T x = rows[j * M + m];
          *sum += t[j] * x;
          if (to.memory)
            put(to.memory + (b * N + j) * M + m, t[j] * head.k[m] - q[j] * x, to.add_memory || h > 0);
        },
        [&](Index m, const T* sum) {
          const T k = head.k[m], dk = *sum - itself * k;
          if (dp) put(dp + m, tanh_key ? dk * (1 - k * k) : dk, to.add_parameters);
        });
    if (dp) {
      const T mix = block.sum<T>(S, [&](Index d) { return ds[d] * head.s[d]; });
      block.each(S, [&](Index d) { put(dp + M + 2 + d, head.s[d] * (ds[d] - mix), to.add_parameters); });
      if (block.lane == 0) {
        put(dp + M, dbeta * math::sigmoid(raw[M]), to.add_parameters);
        put(dp + M + 1, dg * head.g * (1 - head.g), to.add_parameters);
        put(dp + M + 2 + S, dgamma * math::sigmoid(raw[M + 2 + S]), to.add_parameters);
      }
    }
    // Last, and after a wait: inputs that are one tensor have one buffer, which the first of them sets.
    block.wait();
    if (to.w_previous)
      block.each(N,
                 [&](Index j) { put(to.w_previous + bh * N + j, (1 - head.g) * u[j], to.add_w_previous); });
    block.wait();
  }
}

}  // namespace

void ntm_addressing_forward(Cuda d, const View& parameters, const View& memory, const View& w_previous,
                            bool tanh_key, const View& trace, const View& w) {
  const Sizes n(parameters, memory);
  if (n.B * n.H == 0) return;
  visit_float(op, memory.dtype, [&]<class T>() {
    const BlockRoom<T> room(d, n.B * n.H, n.M + n.S);
    launch(d, forward<T>, dim3(static_cast<unsigned>(n.B * n.H)), sample_threads, room.shared(), n,
           parameters.as<const T>(), memory.as<const T>(), w_previous.as<const T>(), tanh_key, trace.as<T>(),
           w.as<T>(), room.data());
  });
}

void ntm_addressing_backward(Cuda d, const View& parameters, const View& memory, const View& w_previous,
                             bool tanh_key, const View& trace, const View& w, const View& dw,
                             const NtmAddressingGradients& gradients) {
  const Sizes n(parameters, memory);
  if (n.B == 0) return;
  visit_float(op, memory.dtype, [&]<class T>() {
    const Index size = n.M + 2 * n.S + 3 * n.N;
    const BlockRoom<T> room(d, n.B, size);
    launch(d, backward<T>, dim3(static_cast<unsigned>(n.B)), sample_threads, room.shared(), n,
           parameters.as<const T>(), memory.as<const T>(), w_previous.as<const T>(), tanh_key,
           trace.as<const T>(), w.as<const T>(), dw.as<const T>(), Gradients<T>(gradients), room.data(),
           size);
  });
}

}  // namespace fovea
