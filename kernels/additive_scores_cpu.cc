#include "fovea/kernels/additive_scores.h"
#include "fovea/kernels/loops.h"
#include "fovea/kernels/scalar_math.h"
#include "fovea/kernels/scratch.h"

namespace fovea {
namespace {

constexpr auto op = "additive_scores";

template <class T>
void clear(const Target& t) {
  if (t && t.into == Into::set) std::fill_n(t.as<T>(), t.dx.numel(), T(0));
}

template <class T>
void add(T* to, const T* from, Index n) {
  store(to, n, Into::add, [from](Index a) { return from[a]; });
}

}  // namespace

void additive_scores_forward(Cpu, const View& q, const View& k, const View& v, const View& e) {
  const Index B = e.shape[0], T_ = e.shape[1], S = e.shape[2], A = v.shape[0];
  visit_float(op, q.dtype, [&]<class T>() {
    const T* weight = v.as<const T>();
    parallel_for(B, T_ * S * A, costly_grain, [&](Index begin, Index end) {
      for (Index bt = begin * T_; bt < end * T_; ++bt) {
        const T *query = q.as<const T>() + bt * A, *keys = k.as<const T>() + bt / T_ * S * A;
        for (Index s = 0; s < S; ++s) {
          const T* key = keys + s * A;
          e.as<T>()[bt * S + s] =
              sum_of<T>(A, [=](Index a) { return weight[a] * math::tanh(query[a] + key[a]); });
        }
      }
    });
  });
}

void additive_scores_backward(Cpu, const View& q, const View& k, const View& v, const View& de,
                              const Target& dq, const Target& dk, const Target& dv) {
  const Index B = de.shape[0], T_ = de.shape[1], S = de.shape[2], A = v.shape[0];
  visit_float(op, q.dtype, [&]<class T>() {
    clear<T>(dq);
    clear<T>(dk);
    clear<T>(dv);
    const T* weight = v.as<const T>();
    // dv of every sentence apart, so that its sum does not depend on the threads.
    const Scratch<T> dv_part(B * A);
    parallel_with_scratch<T>(B, T_ * S * A, costly_grain, 2 * A, [&](Index b, T* room) {
      T *dquery = room, *none = room + A, *dweight = dv_part.data() + b * A;
      std::fill_n(dweight, A, T(0));
      for (Index t = 0; t < T_; ++t) {
        const T *query = q.as<const T>() + (b * T_ + t) * A, *up = de.as<const T>() + (b * T_ + t) * S;
        std::fill_n(dquery, A, T(0));
        for (Index s = 0; s < S; ++s) {
          const T g = up[s];
          if (g == 0) continue;
          const T* key = k.as<const T>() + (b * S + s) * A;
          T* dkey = dk ? dk.as<T>() + (b * S + s) * A : none;
#pragma GCC ivdep
          for (Index a = 0; a < A; ++a) {
            const T h = math::tanh(query[a] + key[a]), p = g * weight[a] * (1 - h * h);
            dquery[a] += p;
            dkey[a] += p;
            dweight[a] += g * h;
          }
        }
        if (dq) add(dq.as<T>() + (b * T_ + t) * A, dquery, A);
      }
    });
    if (dv)
      for (Index b = 0; b < B; ++b) add(dv.as<T>(), dv_part.data() + b * A, A);
  });
}

}  // namespace fovea
