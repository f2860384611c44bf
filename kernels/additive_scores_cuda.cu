#include "fovea/kernels/additive_scores.h"
#include "fovea/kernels/cuda_team.h"
#include "fovea/kernels/reduce.h"
#include "fovea/kernels/scalar_math.h"

// Forward a team takes one score. Backward a thread takes one of the A columns of a sentence, so that a tanh
// is made once and no two threads add to one place.

namespace fovea {
namespace {

constexpr auto op = "additive_scores";

struct Sizes {
  Index B, T, S, A;
  Sizes(const View& e, const View& v) : B(e.shape[0]), T(e.shape[1]), S(e.shape[2]), A(v.shape[0]) {}
};

template <class T>
void forward(Cuda d, Sizes n, const T* q_all, const T* k_all, const T* v, T* e) {
  each_row(d, n.B * n.T * n.S, n.A, [=] __device__(const auto& team, Index r) {
    const Index bt = r / n.S;
    const T *q = q_all + bt * n.A, *k = k_all + (bt / n.T * n.S + r - bt * n.S) * n.A;
    const T sum = team.template sum<T>(n.A, [&](Index a) { return v[a] * math::tanh(q[a] + k[a]); });
    if (team.lane == 0) e[r] = sum;
  });
}

// dv [B,A]: of every sentence apart.
template <class T>
void backward(Cuda d, Sizes n, const T* q_all, const T* k_all, const T* v, const T* de_all, T* dq_all,
              bool add_q, T* dk_all, bool add_k, T* dv) {
  each(d, n.B * n.A, [=] __device__(Index i) {
    const Index b = i / n.A, a = i - b * n.A;
    const T *q = q_all + b * n.T * n.A + a, *k = k_all + b * n.S * n.A + a, *de = de_all + b * n.T * n.S;
    T* dq = dq_all ? dq_all + b * n.T * n.A + a : nullptr;
    T* dk = dk_all ? dk_all + b * n.S * n.A + a : nullptr;
    // Cleared before anything is added: the two may be one buffer.
    if (dq && !add_q)
      for (Index t = 0; t < n.T; ++t) dq[t * n.A] = 0;
    if (dk && !add_k)
      for (Index s = 0; s < n.S; ++s) dk[s * n.A] = 0;
    T dweight = 0;
    for (Index t = 0; t < n.T; ++t) {
      T dquery = 0;
      for (Index s = 0; s < n.S; ++s) {
        const T g = de[t * n.S + s];
        if (g == 0) continue;
        const T h = math::tanh(q[t * n.A] + k[s * n.A]), p = g * v[a] * (1 - h * h);
        dquery += p;
        dweight += g * h;
        if (dk) dk[s * n.A] += p;
      }
      if (dq) dq[t * n.A] += dquery;
    }
    dv[i] = dweight;
  });
}

}  // namespace

void additive_scores_forward(Cuda d, const View& q, const View& k, const View& v, const View& e) {
  visit_float(op, q.dtype, [&]<class T>() {
    forward(d, Sizes(e, v), q.as<const T>(), k.as<const T>(), v.as<const T>(), e.as<T>());
  });
}

void additive_scores_backward(Cuda d, const View& q, const View& k, const View& v, const View& de,
                              const Target& dq, const Target& dk, const Target& dv) {
  const Sizes n(de, v);
  visit_float(op, q.dtype, [&]<class T>() {
    const DeviceScratch<T> parts(d, n.B * n.A);
    backward(d, n, q.as<const T>(), k.as<const T>(), v.as<const T>(), de.as<const T>(), dq.as<T>(),
             dq.into == Into::add, dk.as<T>(), dk.into == Into::add, parts.data());
    if (dv)
      sum_forward(d, {parts.data(), v.dtype, {n.B, n.A}, {n.A, 1}, true}, 1,
                  {dv.dx.data, v.dtype, {n.B, n.A}, {0, 1}}, dv.into);
  });
}

}  // namespace fovea
