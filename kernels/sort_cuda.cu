#include <bit>

#include "fovea/kernels/convert.h"
#include "fovea/kernels/cuda_launch.h"
#include "fovea/kernels/rows.h"
#include "fovea/kernels/sort.h"

// A block sorts a stretch of a line in its shared memory by Batcher's bitonic network (1968). Where a line
// has several, each entry then finds its place by counting in all of them the entries that come before it.

namespace fovea {
namespace {

constexpr Index longest_stretch = 2048;

struct Entry {
  std::uint64_t key;
  Index at;  // decides ties, so that the order is that of a stable sort
};
__device__ bool before(const Entry& a, const Entry& b) {
  return a.key != b.key ? a.key < b.key : a.at < b.at;
}

// The bits of a number as one that orders as it does; NaN is last, -0 equals 0. All dtypes fit double.
__device__ std::uint64_t key_of(double x, bool descending) {
  if (x != x) return ~std::uint64_t{0};
  const auto bits = std::bit_cast<std::uint64_t>(x == 0 ? 0.0 : x);
  const std::uint64_t key = bits >> 63 ? ~bits : bits | std::uint64_t{1} << 63;
  return descending ? ~key : key;
}

// What is sorted, and where the first k of every line go.
template <class T>
struct Job {
  Rows<2> lines;
  Index n, k, stretches, kept;  // kept: of each stretch
  const T* x;
  Index x_step;
  T* values;
  std::int32_t* indices;
  Index y_step;
  bool descending;

  constexpr Index start(std::size_t operand, Index line) const {
    const Index r = line / lines.length;
    return lines.offset(operand, r) + (line - r * lines.length) * lines.step[operand];
  }
  constexpr Index length(Index stretch) const {
    const Index rest = n - stretch * longest_stretch;
    return rest < longest_stretch ? rest : longest_stretch;
  }
  constexpr Index kept_of(Index stretch) const { return kept < length(stretch) ? kept : length(stretch); }
  __device__ Entry entry(Index line, Index i) const {
    return {key_of(convert<double>(x[start(0, line) + i * x_step]), descending), i};
  }
  __device__ void store(Index line, Index place, Index from) const {
    const Index to = start(1, line) + place * y_step;
    values[to] = x[start(0, line) + from * x_step];
    indices[to] = static_cast<std::int32_t>(from);
  }
};

// `room`: a power of two, at least the longest stretch.
template <class T>
__global__ void sort_stretches(Job<T> job, Index tasks, int room, Entry* sorted) {
  Entry* entries = dynamic_shared<Entry>();
  const int me = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);
  for (Index task = blockIdx.x; task < tasks; task += gridDim.x) {
    const Index line = task / job.stretches, stretch = task - line * job.stretches;
    const Index first = stretch * longest_stretch, length = job.length(stretch);
    for (int i = me; i < room; i += threads)  // what fills it up comes last
      entries[i] = i < length ? job.entry(line, first + i) : Entry{~std::uint64_t{0}, job.n + i};
    __syncthreads();
    for (int size = 2; size <= room; size *= 2)
      for (int half = size / 2; half > 0; half /= 2) {
        for (int i = me; i < room / 2; i += threads) {
          const int low = i / half * 2 * half + i % half;
          const Entry a = entries[low], b = entries[low + half];
          if (before(b, a) != ((low & size) == 0)) continue;
          entries[low] = b;
          entries[low + half] = a;
        }
        __syncthreads();
      }
    for (Index i = me; i < job.kept_of(stretch); i += threads)
      if (job.stretches == 1)
        job.store(line, i, entries[i].at);
      else
        sorted[task * job.kept + i] = entries[i];
    __syncthreads();
  }
}

// How many of n sorted entries come before e.
__device__ Index count_before(const Entry* sorted, Index n, const Entry& e) {
  Index low = 0;
  while (low < n) {
    const Index middle = (low + n) / 2;
    if (before(sorted[middle], e))
      low = middle + 1;
    else
      n = middle;
  }
  return low;
}

template <class T>
void merge(Cuda d, Job<T> job, Index tasks, const Entry* sorted) {
  each(d, tasks * job.kept, [=] __device__(Index i) {
    const Index task = i / job.kept, place_here = i - task * job.kept;
    const Index line = task / job.stretches, stretch = task - line * job.stretches;
    if (place_here >= job.kept_of(stretch)) return;
    const Entry e = sorted[i];
    Index place = 0;
    for (Index s = 0; s < job.stretches && place < job.k; ++s)
      place += count_before(sorted + (line * job.stretches + s) * job.kept, job.kept_of(s), e);
    if (place < job.k) job.store(line, place, e.at);
  });
}

template <class T>
void sort(Cuda d, const Job<T>& job) {
  const Index tasks = job.lines.count * job.lines.length * job.stretches;
  if (tasks == 0) return;
  const auto room = static_cast<int>(std::bit_ceil(static_cast<std::uint64_t>(job.length(0))));
  const DeviceScratch<Entry> sorted(d, job.stretches > 1 ? tasks * job.kept : 0);
  launch(d, sort_stretches<T>, dim3(static_cast<unsigned>(std::min(tasks, most_blocks))),
         std::clamp(room / 2, 32, 512), static_cast<std::size_t>(room) * sizeof(Entry), job, tasks, room,
         sorted.data());
  if (job.stretches > 1) merge(d, job, tasks, sorted.data());
}

}  // namespace

void sort_forward(Cuda d, const View& x, int dim, bool descending, const View& values, const View& indices) {
  const Index n = x.shape[dim], k = values.shape[dim];
  if (k == 0) return;
  const Shape from = x.strides.erased(dim), to = values.strides.erased(dim);
  visit_any(x.dtype, [&]<class T>() {
    sort(d, Job<T>{.lines = Rows<2>(x.shape.erased(dim), {&from, &to}),
                   .n = n,
                   .k = k,
                   .stretches = (n + longest_stretch - 1) / longest_stretch,
                   .kept = std::min(k, longest_stretch),
                   .x = x.as<const T>(),
                   .x_step = x.strides[dim],
                   .values = values.as<T>(),
                   .indices = indices.as<std::int32_t>(),
                   .y_step = values.strides[dim],
                   .descending = descending});
  });
}

}  // namespace fovea
