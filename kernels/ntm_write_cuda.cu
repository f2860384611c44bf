#include "fovea/kernels/cuda_block.h"
#include "fovea/kernels/ntm_write.h"

// Forward a warp takes a row of the memory; backward a block takes a sample.

namespace fovea {
namespace {

constexpr auto op = "ntm_write";

template <class T>
struct Write {
  Index N, M, H;
  const T *memory, *w, *erase, *add;  // of all samples, or of one

  Write(const View& m, const View& w, const View& erase, const View& add)
      : N(m.shape[1]),
        M(m.shape[2]),
        H(w.shape[1]),
        memory(m.as<const T>()),
        w(w.as<const T>()),
        erase(erase.as<const T>()),
        add(add.as<const T>()) {}
  __device__ Write sample(Index b) const {
    Write s = *this;
    s.memory += b * N * M;
    s.w += b * H * N;
    s.erase += b * H * M;
    s.add += b * H * M;
    return s;
  }
  // x as the erases of all heads but `but` leave it at (i, m) of this sample.
  __device__ T kept(T x, Index i, Index m, Index but = -1) const {
    for (Index h = 0; h < H; ++h)
      if (h != but) x *= 1 - w[h * N + i] * erase[h * M + m];
    return x;
  }
};

template <class T>
void forward(Cuda d, Index rows, Write<T> all, T* y) {
  each_row(d, rows, all.M, [=] __device__(const auto& team, Index r) {
    const Index b = r / all.N, i = r - b * all.N;
    const Write<T> s = all.sample(b);
    team.each(s.M, [&](Index m) {
      T out = s.kept(s.memory[i * s.M + m], i, m);
      for (Index h = 0; h < s.H; ++h) out += s.w[h * s.N + i] * s.add[h * s.M + m];
      y[r * s.M + m] = out;
    });
  });
}

template <class T>
struct Gradient {
  T* to;
  bool add;
  explicit Gradient(const Target& t) : to(t.as<T>()), add(t.into == Into::add) {}
};

// Inputs that are one tensor have one buffer for their gradients, so they are done one after the other.
template <class T>
__global__ void __launch_bounds__(sample_threads)
    backward(Write<T> all, const T* dy, Gradient<T> dmemory, Gradient<T> dw, Gradient<T> derase,
             Gradient<T> dadd) {
  const Index b = blockIdx.x, N = all.N, M = all.M, H = all.H;
  const Write<T> s = all.sample(b);
  const T* up = dy + b * N * M;
  const Team<32> warp;
  if (dmemory.to) {
    for (Index i = threadIdx.x / 32; i < N; i += sample_warps)
      warp.each(M, [&](Index m) {
        put(dmemory.to + (b * N + i) * M + m, s.kept(up[i * M + m], i, m), dmemory.add);
      });
    __syncthreads();
  }
  if (dw.to) {
    for (Index i = threadIdx.x / 32; i < N; i += sample_warps)
      for (Index h = 0; h < H; ++h) {
        const T sum = warp.template sum<T>(M, [&](Index m) {
          const Index at = i * M + m;
          return up[at] * (s.add[h * M + m] - s.kept(s.memory[at], i, m, h) * s.erase[h * M + m]);
        });
        if (warp.lane == 0) put(dw.to + (b * H + h) * N + i, sum, dw.add);
      }
    __syncthreads();
  }
  if (!derase.to && !dadd.to) return;
  for (Index h = 0; h < H; ++h)
    column_sums<2, T>(
        N, M,
        [&](Index i, Index m, T* sums) {
          const T g = up[i * M + m] * s.w[h * N + i];
          sums[0] -= g * s.kept(s.memory[i * M + m], i, m, h);
          sums[1] += g;
        },
        [&](Index m, const T* sums) {
          const Index at = (b * H + h) * M + m;
          if (derase.to) put(derase.to + at, sums[0], derase.add);
          if (dadd.to) put(dadd.to + at, sums[1], dadd.add);
        });
}

}  // namespace

void ntm_write_forward(Cuda d, const View& memory, const View& w, const View& erase, const View& add,
                       const View& y) {
  visit_float(op, memory.dtype, [&]<class T>() {
    forward<T>(d, memory.shape[0] * memory.shape[1], {memory, w, erase, add}, y.as<T>());
  });
}

void ntm_write_backward(Cuda d, const View& memory, const View& w, const View& erase, const View& add,
                        const View& dy, const NtmWriteGradients& g) {
  const Index B = memory.shape[0];
  if (B == 0) return;
  visit_float(op, memory.dtype, [&]<class T>() {
    launch(d, backward<T>, dim3(static_cast<unsigned>(B)), sample_threads, 0, Write<T>(memory, w, erase, add),
           dy.as<const T>(), Gradient<T>(g.memory), Gradient<T>(g.w), Gradient<T>(g.erase),
           Gradient<T>(g.add));
  });
}

}  // namespace fovea
