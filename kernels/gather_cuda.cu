#include "fovea/kernels/around.h"
#include "fovea/kernels/convert.h"
#include "fovea/kernels/copy.h"
#include "fovea/kernels/cuda_sums.h"
#include "fovea/kernels/gather.h"

// What meets in one place is added by one thread, in the order of k: the same bits every time.

namespace fovea {
namespace {

using Position = std::int32_t;

// Calls f with what is added to: y itself, or beside bf16 its numbers as f32, which are then rounded once.
template <class T, class F>
void add_to(Cuda d, const View& y, F f) {
  using C = Wide<T>;
  if constexpr (std::is_same_v<C, T>) {
    f(y.as<T>());
  } else {
    const DeviceScratch<C> room(d, y.numel());
    const View wide{room.data(), dtype_of<C>, y.shape, y.strides, y.packed};
    copy(d, wide, y);
    f(room.data());
    copy(d, y, wide);
  }
}

template <class T>
void gather(Cuda d, Around from, Around to, const T* x, const Position* p, T* y) {
  each(d, to.outer * to.size * to.inner, [=] __device__(Index i) {
    const Index o = i / (to.size * to.inner), c = i % to.inner, k = p[i];
    y[i] = 0 <= k && k < from.size ? x[(o * from.size + k) * from.inner + c] : T{};
  });
}

// A thread takes a column, its neighbours those beside it.
template <class C, class T>
void scatter_columns(Cuda d, Around from, Around to, const T* x, const Position* p, C* y) {
  each(d, from.outer * from.inner, [=] __device__(Index i) {
    const Index o = i / from.inner, c = i - o * from.inner;
    for (Index k = 0; k < from.size; ++k) {
      const Index at = (o * from.size + k) * from.inner + c, place = p[at];
      if (0 <= place && place < to.size) y[(o * to.size + place) * to.inner + c] += convert<C>(x[at]);
    }
  });
}

// A warp takes a column, 32 elements at a time: those of one place are added by the first of their lanes.
template <class C, class T>
void scatter_rows(Cuda d, Around from, Around to, const T* x, const Position* p, C* y) {
  each_warp(d, from.outer * from.inner, [=] __device__(const Team<32>& team, Index i) {
    const Index o = i / from.inner, c = i - o * from.inner;
    for (Index base = 0; base < from.size; base += 32) {
      const Index k = base + team.lane, at = (o * from.size + k) * from.inner + c;
      const bool there = k < from.size;
      const Position place = there ? p[at] : -1;
      const C value = there ? convert<C>(x[at]) : C(0);
      C* sum_at = y + (o * to.size + place) * to.inner + c;
      bool first = 0 <= place && place < to.size;
      C sum = first ? *sum_at : C(0);
      const int lanes = from.size - base < 32 ? static_cast<int>(from.size - base) : 32;
      for (int lane = 0; lane < lanes; ++lane) {
        const Position other = __shfl_sync(all_lanes, place, lane);
        const C its_value = __shfl_sync(all_lanes, value, lane);
        if (other != place) continue;
        first &= lane >= team.lane;
        sum += its_value;
      }
      if (first) *sum_at = sum;
      team.wait();
    }
  });
}

template <class T>
void select(Cuda d, Around from, Around to, const T* x, const Position* p, T* y) {
  each(d, to.outer * to.size * to.inner, [=] __device__(Index i) {
    const Index row = i / to.inner, c = i - row * to.inner, o = row / to.size, k = p[row - o * to.size];
    y[i] = 0 <= k && k < from.size ? x[(o * from.size + k) * from.inner + c] : T{};
  });
}

// A warp takes a row of dx, or some columns of one where rows are few, and looks for what belongs there.
template <class C, class T>
void collect(Cuda d, Around from, Around to, const T* dy, const Position* p, C* dx) {
  const Index parts = slabs_for(to.outer * to.size * 32, to.inner, 32);
  each_warp(d, to.outer * to.size * parts, [=] __device__(const Team<32>& team, Index task) {
    const Index row = task / parts, part = task - row * parts, o = row / to.size, place = row - o * to.size;
    const Index begin = to.inner * part / parts, end = to.inner * (part + 1) / parts;
    for (Index base = 0; base < from.size; base += 32) {
      const Index k = base + team.lane;
      const unsigned hits = __ballot_sync(all_lanes, k < from.size && p[k] == place);
      for (Index c = begin + team.lane; hits != 0 && c < end; c += 32) {
        C sum = dx[row * to.inner + c];
        for (unsigned rest = hits; rest != 0; rest &= rest - 1)
          sum += convert<C>(dy[(o * from.size + base + __ffs(static_cast<int>(rest)) - 1) * from.inner + c]);
        dx[row * to.inner + c] = sum;
      }
    }
  });
}

template <class T>
void one_hot(Cuda d, Index elements, Index classes, const Position* p, T* y) {
  const T one = convert<T>(1.0f);
  each(d, elements, [=] __device__(Index i) { y[i] = p[i / classes] == i % classes ? one : T{}; });
}

const Position* positions(const View& index) { return index.as<const Position>(); }

}  // namespace

Index first_outside(Cuda d, const char* op, const View& index, Index limit) {
  const Position* p = positions(index);
  detail::Fault* fault = detail::cuda_fault(d);
  each(d, index.numel(), [=] __device__(Index k) {
    if (p[k] < 0 || p[k] >= limit) note_fault(fault, {op, nullptr, p[k], k, limit});
  });
  return -1;
}

void gather_forward(Cuda d, const View& x, int dim, const View& index, const View& y) {
  visit_any(x.dtype, [&]<class T>() {
    gather(d, Around(x.shape, dim), Around(y.shape, dim), x.as<const T>(), positions(index), y.as<T>());
  });
}

void scatter_add_forward(Cuda d, const View& x, int dim, const View& index, const View& y) {
  const Around from(x.shape, dim), to(y.shape, dim);
  visit_wide("scatter_add", x.dtype, [&]<class T>() {
    add_to<T>(d, y, [&](auto* sums) {
      if (from.inner < 32)
        scatter_rows(d, from, to, x.as<const T>(), positions(index), sums);
      else
        scatter_columns(d, from, to, x.as<const T>(), positions(index), sums);
    });
  });
}

void index_select_forward(Cuda d, const View& x, int dim, const View& index, const View& y) {
  visit_any(x.dtype, [&]<class T>() {
    select(d, Around(x.shape, dim), Around(y.shape, dim), x.as<const T>(), positions(index), y.as<T>());
  });
}

void index_select_backward(Cuda d, const View& dy, int dim, const View& index, const View& dx) {
  visit_wide("index_select", dy.dtype, [&]<class T>() {
    add_to<T>(d, dx, [&](auto* sums) {
      collect(d, Around(dy.shape, dim), Around(dx.shape, dim), dy.as<const T>(), positions(index), sums);
    });
  });
}

void one_hot_forward(Cuda d, const View& index, const View& y) {
  visit_any(y.dtype, [&]<class T>() { one_hot(d, y.numel(), y.shape.back(), positions(index), y.as<T>()); });
}

}  // namespace fovea
