#include <algorithm>
#include <vector>

#include "fovea/kernels/ntm_write.h"
#include "fovea/kernels/parallel.h"

namespace fovea {

void ntm_write_forward(Cpu, const View& memory, const View& w, const View& erase, const View& add,
                       const View& y) {
  const Index B = memory.shape[0], N = memory.shape[1], M = memory.shape[2], H = w.shape[1];
  visit_float("ntm_write", memory.dtype, [&]<class T>() {
    const T *rows = memory.as<const T>(), *weights = w.as<const T>();
    const T *erases = erase.as<const T>(), *adds = add.as<const T>();
    T* written = y.as<T>();
    parallel_for(B, N * M * H, 16384, [=](Index begin, Index end) {
      for (Index b = begin; b < end; ++b)
        for (Index i = 0; i < N; ++i) {
          const T* row = rows + (b * N + i) * M;
          T* out = written + (b * N + i) * M;
          for (Index h = 0; h < H; ++h) {  // all erases first: they commute
            const T wi = weights[(b * H + h) * N + i];
            const T* e = erases + (b * H + h) * M;
            const T* from = h == 0 ? row : out;
#pragma GCC ivdep
            for (Index m = 0; m < M; ++m) out[m] = from[m] * (1 - wi * e[m]);
          }
          for (Index h = 0; h < H; ++h) {
            const T wi = weights[(b * H + h) * N + i];
            const T* a = adds + (b * H + h) * M;
#pragma GCC ivdep
            for (Index m = 0; m < M; ++m) out[m] += wi * a[m];
          }
        }
    });
  });
}

void ntm_write_backward(Cpu, const View& memory, const View& w, const View& erase, const View& add,
                        const View& dy, const NtmWriteGradients& g) {
  const Index B = memory.shape[0], N = memory.shape[1], M = memory.shape[2], H = w.shape[1];
  visit_float("ntm_write", memory.dtype, [&]<class T>() {
    parallel_for(B, 3 * N * M * H, 65536, [&](Index begin, Index end) {
      thread_local std::vector<T> scratch;
      scratch.resize(static_cast<std::size_t>((2 * H + 2) * M));
      T* __restrict de = scratch.data(), * __restrict da = de + H * M, *others = da + H * M,
                    *through = others + M;
      for (Index b = begin; b < end; ++b) {
        const T *weights = w.as<const T>() + b * H * N, *erases = erase.as<const T>() + b * H * M,
                *adds = add.as<const T>() + b * H * M;
        // All of the memory's gradient before the others: inputs that are one tensor have one buffer.
        for (Index i = 0; g.memory && i < N; ++i) {
          const T* left = dy.as<const T>() + (b * N + i) * M;
          for (Index h = 0; h < H; ++h) {
            const T wi = weights[h * N + i];
            const T* e = erases + h * M;
            for (Index m = 0; m < M; ++m) through[m] = left[m] * (1 - wi * e[m]);
            left = through;
          }
          T* to = g.memory.as<T>() + (b * N + i) * M;
          if (g.memory.into == Into::set)
            std::copy_n(through, M, to);
          else
            for (Index m = 0; m < M; ++m) to[m] += through[m];
        }
        std::fill_n(de, 2 * H * M, T(0));
        for (Index i = 0; i < N; ++i) {
          const T *row = memory.as<const T>() + (b * N + i) * M, *d = dy.as<const T>() + (b * N + i) * M;
          for (Index h = 0; h < H; ++h) {
            const T* kept = row;  // the row as every other head's erase leaves it
            for (Index o = 0; o < H; ++o) {
              if (o == h) continue;
              const T wo = weights[o * N + i];
              const T* e = erases + o * M;
              for (Index m = 0; m < M; ++m) others[m] = kept[m] * (1 - wo * e[m]);
              kept = others;
            }
            // Forward was y = kept (1 - w e) + w a; so here:
            const T wi = weights[h * N + i];
            const T *e = erases + h * M, *a = adds + h * M;
            T* __restrict de_h = de + h * M, * __restrict da_h = da + h * M;
            T dw = 0;
#pragma omp simd reduction(+ : dw)
            for (Index m = 0; m < M; ++m) {
              const T dkept = d[m] * kept[m];
              dw += d[m] * a[m] - dkept * e[m];
              de_h[m] -= dkept * wi;
              da_h[m] += d[m] * wi;
            }
            if (g.w) {
              T& to = g.w.as<T>()[(b * H + h) * N + i];
              to = g.w.into == Into::set ? dw : to + dw;
            }
          }
        }
        const auto put = [&](const Target& target, const T* from) {
          if (!target) return;
          T* to = target.as<T>() + b * H * M;
          for (Index k = 0; k < H * M; ++k) to[k] = target.into == Into::set ? from[k] : to[k] + from[k];
        };
        put(g.erase, de);
        put(g.add, da);
      }
    });
  });
}

}  // namespace fovea
