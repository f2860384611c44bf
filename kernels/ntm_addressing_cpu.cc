#include <algorithm>
#include <vector>

#include "fovea/kernels/loops.h"
#include "fovea/kernels/ntm_addressing.h"
#include "fovea/kernels/parallel.h"
#include "fovea/kernels/scalar_math.h"

// One batch element at a time: its memory stays in the first-level cache while every head looks at it. Names
// follow the paper: k key, beta strength, g gate, s shift weights, gamma sharpening; wc content, wg gated, ws
// shifted weighting.

namespace fovea {
namespace {

// One head's parameters after their activations.
template <class T>
struct Head {
  T* k;
  T* s;
  T beta, g, gamma, norm;

  Head(const T* raw, Index M, Index S, bool tanh_key, T* buffer) : k(buffer), s(buffer + M) {
    for (Index m = 0; m < M; ++m) k[m] = tanh_key ? math::tanh(raw[m]) : raw[m];
    beta = math::softplus(raw[M]);
    g = math::sigmoid(raw[M + 1]);
    const T* shift = raw + M + 2;
    const T most = *std::max_element(shift, shift + S);
    T sum = 0;
    for (Index d = 0; d < S; ++d) sum += s[d] = math::exp(shift[d] - most);
    for (Index d = 0; d < S; ++d) s[d] /= sum;
    gamma = 1 + math::softplus(shift[S]);
    norm = math::sqrt(dot(k, k, M) + ntm_epsilon<T> * ntm_epsilon<T>);
  }
};

// y = softmax(x), x may be y.
template <class T>
void softmax_row(const T* x, T* y, Index n) {
  T most = x[0];
#pragma omp simd reduction(max : most)
  for (Index i = 0; i < n; ++i) most = x[i] > most ? x[i] : most;
  T sum = 0;
#pragma omp simd reduction(+ : sum)
  for (Index i = 0; i < n; ++i) {
    y[i] = math::exp(x[i] - most);
    sum += y[i];
  }
  const T scale = 1 / sum;
#pragma omp simd
  for (Index i = 0; i < n; ++i) y[i] *= scale;
}

// A row of N with S/2 wrapped elements on either side, so that the shifts need no modulus.
template <class T>
void wrap(const T* x, T* padded, Index N, Index half) {
  std::copy_n(x + N - half, half, padded);
  std::copy_n(x, N, padded + half);
  std::copy_n(x, half, padded + half + N);
}

template <class T>
void forward(const View& parameters, const View& memory, const View& w_previous, bool tanh_key,
             const View& trace, const View& w) {
  const Index B = memory.shape[0], N = memory.shape[1], M = memory.shape[2];
  const Index H = parameters.shape[1], P = parameters.shape[2], S = P - M - 3, half = S / 2;
  const T *heads = parameters.as<const T>(), *rows_of = memory.as<const T>(),
          *previous = w_previous.as<const T>();
  T *traces = trace.as<T>(), *weights = w.as<T>();
  parallel_for(B, N * (M + 16 * H), 16384, [=](Index begin, Index end) {
    thread_local std::vector<T> scratch;
    scratch.resize(static_cast<std::size_t>(P + N + 2 * half + N));
    T *head_buffer = scratch.data(), *padded = head_buffer + P, *wg = padded + N + 2 * half;
    for (Index b = begin; b < end; ++b) {
      const T* rows = rows_of + b * N * M;
      T* traced = traces + b * (3 * H + 1) * N;
      T* norms = traced + 3 * H * N;
      for (Index j = 0; j < N; ++j) norms[j] = dot(rows + j * M, rows + j * M, M);
#pragma omp simd
      for (Index j = 0; j < N; ++j) norms[j] = math::sqrt(norms[j] + ntm_epsilon<T> * ntm_epsilon<T>);
      for (Index h = 0; h < H; ++h) {
        const Head<T> head(heads + (b * H + h) * P, M, S, tanh_key, head_buffer);
        T *cosine = traced + 3 * h * N, *wc = cosine + N, *ws = wc + N;
        const T* before = previous + (b * H + h) * N;
        T* out = weights + (b * H + h) * N;
        for (Index j = 0; j < N; ++j) cosine[j] = dot(rows + j * M, head.k, M);
#pragma omp simd
        for (Index j = 0; j < N; ++j) cosine[j] /= norms[j] * head.norm;
#pragma omp simd
        for (Index j = 0; j < N; ++j) wg[j] = head.beta * cosine[j];
        softmax_row(wg, wc, N);
#pragma omp simd
        for (Index j = 0; j < N; ++j) wg[j] = head.g * wc[j] + (1 - head.g) * before[j];
        // ws(i) = sum_d wg(i - d) s(d), d from -half to half; s[d + half] is stored.
        wrap(wg, padded, N, half);
        std::fill_n(ws, N, T(0));
        for (Index d = 0; d < S; ++d) {
          const T weight = head.s[d];
          const T* shifted = padded + (S - 1 - d);
#pragma omp simd
          for (Index j = 0; j < N; ++j) ws[j] += weight * shifted[j];
        }
        // w = ws^gamma / sum, by logarithms: the power of 128 equal weights underflows in float at gamma 21.
#pragma omp simd
        for (Index j = 0; j < N; ++j) wg[j] = head.gamma * math::log(ws[j] + ntm_tiny<T>);
        softmax_row(wg, out, N);
      }
    }
  });
}

template <class T>
void backward(const View& parameters, const View& memory, const View& w_previous, bool tanh_key,
              const View& trace, const View& w, const View& dw, const NtmAddressingGradients& gradients) {
  const Index B = memory.shape[0], N = memory.shape[1], M = memory.shape[2];
  const Index H = parameters.shape[1], P = parameters.shape[2], S = P - M - 3, half = S / 2;
  const auto put = [](T& to, T x, Into into) { to = into == Into::set ? x : to + x; };
  parallel_for(B, N * (2 * M + 32 * H), 16384, [&](Index begin, Index end) {
    thread_local std::vector<T> scratch;
    scratch.resize(static_cast<std::size_t>(P + M + (N + 2 * half) + 3 * N));
    T *head_buffer = scratch.data(), *dk = head_buffer + P, *padded = dk + M, *t = padded + N + 2 * half,
      *u = t + N, *q = u + N;
    for (Index b = begin; b < end; ++b) {
      const T* rows = memory.as<const T>() + b * N * M;
      const T* traced = trace.as<const T>() + b * (3 * H + 1) * N;
      const T* norms = traced + 3 * H * N;
      T* d_rows = gradients.memory ? gradients.memory.as<T>() + b * N * M : nullptr;
      if (d_rows && gradients.memory.into == Into::set) std::fill_n(d_rows, N * M, T(0));
      for (Index h = 0; h < H; ++h) {
        const T* raw = parameters.as<const T>() + (b * H + h) * P;
        const Head<T> head(raw, M, S, tanh_key, head_buffer);
        const T *cosine = traced + 3 * h * N, *wc = cosine + N, *ws = wc + N;
        const T* before = w_previous.as<const T>() + (b * H + h) * N;
        const T *out = w.as<const T>() + (b * H + h) * N, *dout = dw.as<const T>() + (b * H + h) * N;
        T* dp = gradients.parameters ? gradients.parameters.as<T>() + (b * H + h) * P : nullptr;
        const Into pi = gradients.parameters.into;

        // Sharpening: w = softmax(gamma log ws).
        const T mean = dot(out, dout, N);
        T dgamma = 0;
#pragma omp simd reduction(+ : dgamma)
        for (Index j = 0; j < N; ++j) {
          const T du = out[j] * (dout[j] - mean);
          dgamma += du * math::log(ws[j] + ntm_tiny<T>);
          t[j] = du * head.gamma / (ws[j] + ntm_tiny<T>);  // the gradient of ws
        }
        // Shift: ws(i) = sum_d wg(i - d) s(d).
        T ds[64];
        wrap(t, padded, N, half);
        std::fill_n(u, N, T(0));
        for (Index d = 0; d < S; ++d) {
          const T weight = head.s[d];
          const T* shifted = padded + d;
#pragma omp simd
          for (Index j = 0; j < N; ++j) u[j] += weight * shifted[j];  // the gradient of wg
        }
#pragma omp simd
        for (Index j = 0; j < N; ++j) q[j] = head.g * wc[j] + (1 - head.g) * before[j];
        wrap(q, padded, N, half);
        for (Index d = 0; d < S; ++d) ds[d] = dot(t, padded + (S - 1 - d), N);
        // Gate: wg = g wc + (1 - g) before.
        T dg = 0, spread = 0;
#pragma omp simd reduction(+ : dg, spread)
        for (Index j = 0; j < N; ++j) {
          dg += u[j] * (wc[j] - before[j]);
          spread += u[j] * wc[j];
        }
        // Content: wc = softmax(beta K), K = k.M / (|k| |M|).
        T dbeta = 0, along = 0;
#pragma omp simd reduction(+ : dbeta, along)
        for (Index j = 0; j < N; ++j) {
          const T da = wc[j] * head.g * (u[j] - spread);
          dbeta += da * cosine[j];
          const T dc = head.beta * da;
          along += dc * cosine[j];
          t[j] = dc / (norms[j] * head.norm);             // what k takes of the row, and the row of k
          q[j] = dc * cosine[j] / (norms[j] * norms[j]);  // what the row takes of itself
        }
        const T own = along / (head.norm * head.norm);
        for (Index m = 0; m < M; ++m) dk[m] = -own * head.k[m];
        if (d_rows) {
          for (Index j = 0; j < N; ++j) {
            const T tj = t[j], qj = q[j];
            const T* row = rows + j * M;
            T* d_row = d_rows + j * M;
#pragma omp simd
            for (Index m = 0; m < M; ++m) {
              dk[m] += tj * row[m];
              d_row[m] += tj * head.k[m] - qj * row[m];
            }
          }
        } else {
          for (Index j = 0; j < N; ++j)
#pragma omp simd
            for (Index m = 0; m < M; ++m) dk[m] += t[j] * rows[j * M + m];
        }
        if (dp) {
          for (Index m = 0; m < M; ++m)
            put(dp[m], tanh_key ? dk[m] * (1 - head.k[m] * head.k[m]) : dk[m], pi);
          put(dp[M], dbeta * math::sigmoid(raw[M]), pi);
          put(dp[M + 1], dg * head.g * (1 - head.g), pi);
          T mix = 0;
          for (Index d = 0; d < S; ++d) mix += ds[d] * head.s[d];
          for (Index d = 0; d < S; ++d) put(dp[M + 2 + d], head.s[d] * (ds[d] - mix), pi);
          put(dp[M + 2 + S], dgamma * math::sigmoid(raw[M + 2 + S]), pi);
        }
        // Last: inputs that are one tensor have one buffer, which the first of them sets.
        if (gradients.w_previous) {
          T* d_before = gradients.w_previous.as<T>() + (b * H + h) * N;
          const T keep = 1 - head.g;
          if (gradients.w_previous.into == Into::set)
#pragma omp simd
            for (Index j = 0; j < N; ++j) d_before[j] = keep * u[j];
          else
#pragma omp simd
            for (Index j = 0; j < N; ++j) d_before[j] += keep * u[j];
        }
      }
    }
  });
}

}  // namespace

void ntm_addressing_forward(Cpu, const View& parameters, const View& memory, const View& w_previous,
                            bool tanh_key, const View& trace, const View& w) {
  visit_float("ntm_addressing", memory.dtype,
              [&]<class T>() { forward<T>(parameters, memory, w_previous, tanh_key, trace, w); });
}

void ntm_addressing_backward(Cpu, const View& parameters, const View& memory, const View& w_previous,
                             bool tanh_key, const View& trace, const View& w, const View& dw,
                             const NtmAddressingGradients& gradients) {
  visit_float("ntm_addressing", memory.dtype, [&]<class T>() {
    backward<T>(parameters, memory, w_previous, tanh_key, trace, w, dw, gradients);
  });
}

}  // namespace fovea
