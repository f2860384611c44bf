#include "fovea/kernels/attention_cuda_tile.h"

// The matrix of scores is never stored (Rabe and Staats 2021; Dao et al. 2022): a block takes a tile of
// queries and goes over the keys with the largest score and the sum of exponentials so far, and scales what
// it has down when a larger one comes.

namespace fovea {
namespace {

using namespace attention;

// The 16 threads that hold a row of a tile lie in one half of a warp.
template <class T, class F>
__device__ T across_row(T x, F combine) {
  for (int m = side / 2; m > 0; m /= 2) x = combine(x, __shfl_xor_sync(0xffffffffu, x, m));
  return x;
}

template <class T, int squares>
__global__ void __launch_bounds__(threads, blocks_together)
    forward(Problem<T> a, Heads<T> y, T* log_sums, Index tiles, Index slices) {
  using Q = Tile<T>;
  constexpr T none = -std::numeric_limits<T>::infinity();
  __shared__ Shared<T> shared;
  Index block = blockIdx.x;
  const Index slice = block % slices;
  block /= slices;
  const Index i0 = (tiles - 1 - block % tiles) * Q::size;  // the last see the most keys: they start first
  block /= tiles;
  const Index b = block / a.H, h = block % a.H, i = i0 + row<T>();
  const Index e0 = slice * squares * Q::size;

  T out[squares][Q::pack][Q::pack] = {}, most[Q::pack], total[Q::pack] = {};
  for (T& m : most) m = none;
  const Index keys = a.seen(std::min<Index>(i0 + Q::size, a.Lq) - 1);
  for (Index j = 0; j < keys; j += Q::size) {
    typename Q::Square w = {};
    add_products(shared, a.queries(b, h, i0), a.keys(b, h, j), w);
    const std::uint32_t dropped = a.dropped(b, h, i, j + column(0), a.Lk, 1);
#pragma unroll
    for (int r = 0; r < Q::pack; ++r) {
      T m = most[r];
#pragma unroll
      for (int c = 0; c < Q::pack; ++c) {
        w[r][c] = a.score(w[r][c], b, h, i + r, j + column(c));
        m = w[r][c] > m ? w[r][c] : m;
      }
      m = across_row(m, [](T x, T z) { return x > z ? x : z; });
      // Where nothing was kept the largest is -inf: 0 in its place makes every e^(x - largest) 0, not NaN.
      const T base = m == none ? T(0) : m, shrink = math::exp(most[r] - base);
      most[r] = m;
      T sum = 0;
#pragma unroll
      for (int c = 0; c < Q::pack; ++c) {
        w[r][c] = math::exp(w[r][c] - base);
        sum += w[r][c];
        w[r][c] *= a.factor(dropped >> (r * Q::pack + c));
      }
      total[r] = total[r] * shrink + across_row(sum, [](T x, T z) { return x + z; });
#pragma unroll
      for (int k = 0; k < squares; ++k)
        for (int c = 0; c < Q::pack; ++c) out[k][r][c] *= shrink;
    }
    keep(shared, w);
#pragma unroll
    for (int k = 0; k < squares; ++k) add_weighted(shared, a.values(b, h, j), e0 + k * Q::size, out[k]);
  }
#pragma unroll
  for (int r = 0; r < Q::pack; ++r) {
    if (i + r >= a.Lq) continue;
    const T scale = total[r] == 0 ? T(0) : 1 / total[r];
    T* to = y.at(b, h, i + r);
#pragma unroll
    for (int k = 0; k < squares; ++k)
#pragma unroll
      for (int c = 0; c < Q::pack; ++c) {
        const Index e = e0 + k * Q::size + output_column<T>() + c;
        if (e < a.E) to[e] = out[k][r][c] * scale;
      }
    if (column(0) == 0 && slice == 0)
      log_sums[(b * a.H + h) * a.Lq + i + r] = total[r] == 0 ? -none : most[r] + math::log(total[r]);
  }
}

}  // namespace

void attention_forward(Cuda d, const Attention& a, const View& y, const View& log_sums) {
  if (a.q.dtype == DType::bf16) return forward_bf16(d, a, y, log_sums);
  visit_float("scaled_dot_product_attention", a.q.dtype, [&]<class T>() {
    const Problem<T> p(a);
    const Index n = tiles<T>(p.Lq);
    with_slices<T>(p.E, [&](auto squares, Index slices) {
      const Index blocks = p.B * p.H * n * slices;
      if (blocks > 0)
        launch(d, forward<T, squares>, dim3(static_cast<unsigned>(blocks)), threads, 0, p, Heads<T>(y),
               log_sums.as<T>(), n, slices);
    });
  });
}

}  // namespace fovea
