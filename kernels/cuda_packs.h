#ifndef FOVEA_KERNELS_CUDA_PACKS_H_
#define FOVEA_KERNELS_CUDA_PACKS_H_

#include "fovea/kernels/convert.h"
#include "fovea/kernels/cuda_launch.h"
#include "fovea/kernels/rows.h"

/// Elementwise kernels, whose time is that of memory: a thread takes packs of neighbouring elements, each in
/// one access of up to 16 bytes.

namespace fovea {

/// n elements in registers, when the loops over them are unrolled.
template <class T, int n>
struct Pack {
  T x[n];
  __device__ T& operator[](int k) { return x[k]; }
  __device__ const T& operator[](int k) const { return x[k]; }
};

/// How many elements make a pack, where these types are read and written: 16 bytes of the largest.
template <class... T>
inline constexpr int pack_size = static_cast<int>(16 / std::max({sizeof(T)...}));

namespace detail {
template <class T, int n>
struct alignas(n * sizeof(T)) Access {
  T x[n];
};
// The elements of one access out of n of type T.
template <class T, int n>
inline constexpr int access_size = std::min(n, static_cast<int>(16 / sizeof(T)));
}  // namespace detail

/// Whether packs of n elements from there on can be read and written.
template <int n, class T>
bool aligned(const T* data) {
  return reinterpret_cast<std::uintptr_t>(data) % (detail::access_size<T, n> * sizeof(T)) == 0;
}
template <int n, class T, std::size_t N>
bool aligned(const std::array<T*, N>& data) {
  return std::all_of(data.begin(), data.end(), [](const T* p) { return aligned<n>(p); });
}

/// The pack at an aligned address, as numbers of type C.
template <class C, int n, class T>
__device__ Pack<C, n> load_pack(const T* from) {
  constexpr int size = detail::access_size<T, n>;
  Pack<C, n> to;
#pragma unroll
  for (int i = 0; i < n; i += size) {
    const auto x = *reinterpret_cast<const detail::Access<T, size>*>(from + i);
#pragma unroll
    for (int k = 0; k < size; ++k) to[i + k] = convert<C>(x.x[k]);
  }
  return to;
}
template <int n, class C, class T>
__device__ void store_pack(T* to, const C* from) {
  constexpr int size = detail::access_size<T, n>;
#pragma unroll
  for (int i = 0; i < n; i += size) {
    detail::Access<T, size> x;
#pragma unroll
    for (int k = 0; k < size; ++k) x.x[k] = convert<T>(from[i + k]);
    *reinterpret_cast<detail::Access<T, size>*>(to + i) = x;
  }
}

namespace detail {
// Where element i lies in operands that have no gaps and share their places.
struct Flat {
  static constexpr int operands = 1;
  Index n;

  Index size() const { return n; }
  bool in_packs(int) const { return true; }
  __device__ void places(Index i, Index* at) const { at[0] = i; }
  __device__ bool stretched(int) const { return false; }
};

// In operands of a broadcast shape.
template <int N>
struct Strided {
  static constexpr int operands = N;
  Rows<N> rows;

  Index size() const { return rows.count * rows.length; }
  // Whether packs of n start and end inside of rows, and lie together or are one element n times.
  bool in_packs(int n) const {
    if (rows.count > 1 && rows.length % n != 0) return false;
    for (std::size_t i = 0; i < N; ++i) {
      if (rows.step[i] != 0 && rows.step[i] != 1) return false;
      for (std::size_t k = 0; k < static_cast<std::size_t>(rows.outer); ++k)
        if (rows.step[i] == 1 && rows.stride[i][k] % n != 0) return false;
    }
    return true;
  }
  __device__ void places(Index i, Index* at) const {
    const Index r = rows.count == 1 ? 0 : i / rows.length, k = i - r * rows.length;
#pragma unroll
    for (std::size_t o = 0; o < N; ++o) at[o] = (r == 0 ? 0 : rows.offset(o, r)) + k * rows.step[o];
  }
  __device__ bool stretched(int operand) const { return rows.step[static_cast<std::size_t>(operand)] == 0; }
};
}  // namespace detail

/// What a thread takes of every operand: packs of n elements, `parts` of them so that more is on its way from
/// memory, or one element (n = 1) where packs cannot be had.
template <int n, int parts, class Layout>
class Taken {
 public:
  static constexpr int size = n * parts;

  /// Pack number `pack` and those that follow it, `apart` from each other, before `end`.
  __device__ Taken(const Layout& layout, Index pack, Index apart, Index end)
      : first_(pack * n), layout_(layout) {
#pragma unroll
    for (int p = 0; p < parts; ++p) {
      there_[p] = p == 0 || pack + p * apart < end;
      layout.places((pack + p * apart) * n, at_[p]);
    }
  }

  /// The number of its first element.
  __device__ Index first() const { return first_; }

  /// Its elements of an operand as numbers of type C.
  template <class C, class T>
  __device__ Pack<C, size> load(const T* from, int operand = 0) const {
    Pack<C, size> x{};
#pragma unroll
    for (int p = 0; p < parts; ++p) {
      if (!there_[p]) continue;
      const T* here = from + at_[p][operand];
      if (n == 1 || layout_.stretched(operand)) {
        const C all = convert<C>(*here);
#pragma unroll
        for (int k = 0; k < n; ++k) x[p * n + k] = all;
      } else {
        const auto pack = load_pack<C, n>(here);
#pragma unroll
        for (int k = 0; k < n; ++k) x[p * n + k] = pack[k];
      }
    }
    return x;
  }

  template <class C, class T>
  __device__ void store(T* to, const Pack<C, size>& x, int operand = 0) const {
#pragma unroll
    for (int p = 0; p < parts; ++p)
      if (there_[p]) store_pack<n>(to + at_[p][operand], x.x + p * n);
  }

  /// Sets them, or adds to them: what Into means.
  template <class C, class T>
  __device__ void put(T* to, Pack<C, size> x, bool add, int operand = 0) const {
    if (add) {
      const auto old = load<C>(to, operand);
#pragma unroll
      for (int k = 0; k < size; ++k) x[k] = static_cast<C>(old[k] + x[k]);
    }
    store(to, x, operand);
  }

 private:
  Index first_;
  const Layout& layout_;
  bool there_[parts];
  Index at_[parts][Layout::operands];
};

/// Calls f(at) with what this thread takes of `packs` packs, and of the single elements that follow them: the
/// threads of the whole grid take it all. A part of each_pack().
template <int n, int parts, class Layout, class F>
__device__ void take_packs(const Layout& layout, Index all, Index packs, F f) {
  const Index threads = Index(gridDim.x) * block_threads;
  for (Index p = Index(blockIdx.x) * block_threads * parts + threadIdx.x; p < packs; p += threads * parts)
    f(Taken<n, parts, Layout>(layout, p, block_threads, packs));
  for (Index i = packs * n + Index(blockIdx.x) * block_threads + threadIdx.x; i < all; i += threads)
    f(Taken<1, 1, Layout>(layout, i, 0, all));
}

namespace detail {
template <int n, int parts, class Layout, class F>
__global__ void __launch_bounds__(block_threads) run_packs(Layout layout, Index all, Index packs, F f) {
  take_packs<n, parts>(layout, all, packs, f);
}

template <int n, int parts, class Layout, class F>
void launch_packs(Cuda d, const Layout& layout, bool aligned, F f) {
  const Index all = layout.size();
  if (all == 0) return;
  const Index packs = aligned && layout.in_packs(n) ? all / n : 0;
  const Index tasks = packs > 0 ? (packs + parts - 1) / parts : all;
  const Index blocks = std::min((tasks + block_threads - 1) / block_threads, most_blocks);
  launch(d, run_packs<n, parts, Layout, F>, dim3(static_cast<unsigned>(blocks)), block_threads, 0, layout,
         all, packs, f);
}
}  // namespace detail

/// Calls f(at) with what each thread takes of operands of a broadcast shape, until all is taken:
/// `each_pack<4>(d, Rows<2>(shape, {&x.strides, &y.strides}), aligned<4>(x) && aligned<4>(y),
/// [=] __device__(const auto& at) { at.store(y, at.template load<float>(x, 0), 1); })`. f is called for packs
/// of n where rows have them and all operands are aligned, and for single elements.
template <int n, int parts = 1, int N, class F>
void each_pack(Cuda d, const Rows<N>& rows, bool aligned, F f) {
  detail::launch_packs<n, parts>(d, detail::Strided<N>{rows}, aligned, f);
}

/// The same where all operands are `count` elements without gaps.
template <int n, int parts = 1, class F>
void each_pack(Cuda d, Index count, bool aligned, F f) {
  detail::launch_packs<n, parts>(d, detail::Flat{count}, aligned, f);
}

}  // namespace fovea

#endif  // FOVEA_KERNELS_CUDA_PACKS_H_
