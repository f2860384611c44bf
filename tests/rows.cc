#include "tests/rows.h"

#include <cmath>

#include "fovea/core/generator.h"
#include "fovea/core/gradcheck.h"
#include "fovea/core/tape.h"
#include "fovea/ops/create.h"

namespace fovea::tests {
namespace {

// As numbers that can be looked at.
Tensor on_host(const Tensor& t) { return cast(to(contiguous(t), Cpu{}), DType::f64); }

Inputs draw_all(const std::vector<Shape>& shapes, DType dtype, double low, double high) {
  Inputs out;
  unsigned seed = 1;
  for (const Shape& s : shapes) out.push_back(draw(s, dtype, low, high, seed++));
  return out;
}

// y and the gradients of sum(y * weights) for every input; the backward runs `times` times on one tape.
struct Run {
  Tensor y;
  std::vector<Tensor> dx;
};
Run run(const Function& f, const Inputs& inputs, int uses = 1) {
  Tape tape;
  Inputs watched;
  for (const Tensor& x : inputs) watched.push_back(tape.watch(x));
  Tensor y = f(watched);
  Run out{contiguous(y.detach()), {}};
  if (!Tape::tracks(y)) return out;
  const Tensor seed = to(draw(y.shape(), y.dtype(), -1, 1, 99), y.device());
  // A second use of every input: gradients must add, not overwrite.
  std::vector<Tensor> others;
  if (uses == 1) {
    tape.backward(y, {.seed = seed});
  } else {
    Tensor z = f(watched);
    Tensor both = Tensor::empty(y.shape(), y.dtype(), y.device());
    record("both", {y, z}, {both}, [](Backward& b) {
      b.add(0, clone(b.dy()));
      b.add(1, clone(b.dy()));
    });
    tape.backward(both, {.seed = seed});
  }
  for (const Tensor& x : watched) out.dx.push_back(tape.gradient(x));
  return out;
}

bool finite(const Tensor& t) {
  const Tensor c = on_host(t);
  for (double v : c.values<double>())
    if (!std::isfinite(v)) return false;
  return true;
}

bool has_nan(const Tensor& t) {
  const Tensor c = on_host(t);
  for (double v : c.values<double>())
    if (std::isnan(v)) return true;
  return false;
}

std::string describe(const Row& row, const std::vector<Shape>& shapes) {
  std::string text = cat(row.op, " (", row.variant, ") on");
  for (const Shape& s : shapes) text += cat(' ', s);
  return text;
}

void check_shapes(const Row& row, const std::vector<Shape>& shapes) {
  const std::string what = describe(row, shapes);
  INFO(what);
  const Inputs wide = draw_all(shapes, DType::f64, row.low, row.high);
  const GradcheckResult g = gradcheck(row.f, wide, {.tolerance = row.tolerance});
  CHECK_MESSAGE(g.ok, what, ": gradient error ", g.error, " at ", g.where);

  Inputs narrow;
  for (const Tensor& x : wide) narrow.push_back(cast(x, DType::f32));
  Inputs rounded;  // the same numbers in both precisions
  for (const Tensor& x : narrow) rounded.push_back(cast(x, DType::f64));
  const Run a = run(row.f, rounded), b = run(row.f, narrow), twice = run(row.f, rounded, 2);
  CHECK_MESSAGE(difference(b.y, a.y) <= row.float_tolerance, what, ": f32 differs from f64 by ",
                difference(b.y, a.y));
  CHECK(finite(a.y));
  for (std::size_t i = 0; i < a.dx.size(); ++i) {
    const double d = difference(b.dx[i], a.dx[i]);
    CHECK_MESSAGE(d <= 10 * row.float_tolerance, what, ": f32 gradient of input ", i, " differs by ", d);
    const double t = difference(twice.dx[i], cast(a.dx[i], DType::f64));
    const Tensor doubled = clone(a.dx[i]);
    for (double& v : std::span(static_cast<double*>(const_cast<void*>(doubled.raw())),
                               static_cast<std::size_t>(doubled.numel())))
      v *= 2;
    CHECK_MESSAGE(difference(twice.dx[i], doubled) <= 1e-9, what, ": used twice, input ", i,
                  " must get twice the gradient; it is off by ", t);
  }
  if (row.oracle) {
    const Run o = run(row.oracle, rounded);
    CHECK_MESSAGE(difference(a.y, o.y) <= 1e-10, what, ": differs from its composition by ",
                  difference(a.y, o.y));
    REQUIRE(o.dx.size() == a.dx.size());
    for (std::size_t i = 0; i < o.dx.size(); ++i)
      CHECK_MESSAGE(difference(a.dx[i], o.dx[i]) <= 1e-9, what, ": gradient of input ", i,
                    " differs from the composition's by ", difference(a.dx[i], o.dx[i]));
  }
  if (row.extremes) {
    for (DType dtype : {DType::f32, DType::f64}) {
      Inputs far;
      unsigned seed = 1;
      for (const Shape& s : shapes) {
        Tensor x = draw(s, dtype, -1, 1, seed++);
        visit_float("test", dtype, [&]<class T>() {
          T* v = static_cast<T*>(x.raw_mutable());
          for (Index k = 0; k < x.numel(); ++k) v[k] = v[k] < 0 ? T(-1000) : T(1000);
        });
        far.push_back(x);
      }
      const Run e = run(row.f, far);
      CHECK_MESSAGE(!has_nan(e.y), what, ": NaN on inputs of +-1000 in ", dtype);
      for (const Tensor& dx : e.dx)
        CHECK_MESSAGE(!has_nan(dx), what, ": NaN gradient on inputs of +-1000 in ", dtype);
    }
  }
}

#ifdef FOVEA_CUDA
// Says once in a run that there is none.
bool there_is_a_gpu() {
  static const bool there = [] {
    const bool found = cuda_device_count() > 0;
    if (!found) MESSAGE("no GPU: CPU against CUDA was skipped");
    return found;
  }();
  return there;
}
#endif

// The same on a GPU, where there is one: what it gives is what the host gives.
void check_parity(const Row& row, const std::vector<Shape>& shapes) {
#ifdef FOVEA_CUDA
  if (!there_is_a_gpu()) return;
  const std::string what = describe(row, shapes);
  INFO(what, " on CUDA");
  for (const DType dtype : {DType::f64, DType::f32}) {
    const double tolerance = dtype == DType::f64 ? 1e-9 : row.float_tolerance;
    Inputs here, there;
    for (const Tensor& x : draw_all(shapes, DType::f32, row.low, row.high)) {
      here.push_back(cast(x, dtype));
      there.push_back(to(here.back(), Cuda{}));
    }
    for (const int uses : {1, 2}) {
      const Run a = run(row.f, here, uses), b = run(row.f, there, uses);
      CHECK(!is_cpu(b.y.device()));
      CHECK_MESSAGE(difference(b.y, a.y) <= tolerance, what, ": CUDA differs by ", difference(b.y, a.y),
                    " in ", dtype);
      REQUIRE(a.dx.size() == b.dx.size());
      for (std::size_t i = 0; i < a.dx.size(); ++i)
        CHECK_MESSAGE(difference(b.dx[i], a.dx[i]) <= 10 * tolerance, what, ": CUDA gradient of input ", i,
                      " differs by ", difference(b.dx[i], a.dx[i]), " in ", dtype, ", used ", uses, " times");
    }
  }
#else
  (void)row, (void)shapes;
#endif
}

}  // namespace

void check(const Row& row) {
  for (const auto& shapes : row.shapes) {
    check_shapes(row, shapes);
    check_parity(row, shapes);
  }
}

Tensor draw(const Shape& shape, DType dtype, double low, double high, unsigned seed) {
  Generator random(seed, static_cast<std::uint64_t>(shape.numel()));
  return rand_uniform(shape, random, low, high, dtype);
}

double difference(const Tensor& a, const Tensor& b) {
  REQUIRE(a.shape() == b.shape());
  const Tensor x = on_host(a), y = on_host(b);
  const auto p = x.values<double>(), q = y.values<double>();
  double worst = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    const double d = p[i] == q[i] ? 0 : std::abs(p[i] - q[i]) / std::max(1.0, std::abs(q[i]));
    if (!(d <= worst)) worst = d;  // keeps a NaN
    if (std::isnan(worst)) break;
  }
  return worst;
}

Tensor beside(const Tensor& x, const Tensor& constant) { return to(constant, x.device()); }

std::vector<Device> devices() {
  std::vector<Device> all{Cpu{}};
  if (cuda_device_count() > 0) all.push_back(device_named("cuda"));
  return all;
}

void check_throws(const std::function<void()>& f, const std::vector<std::string>& parts) {
  std::string message;
  try {
    f();
  } catch (const Error& e) {
    message = e.what();
  }
  CHECK_MESSAGE(!message.empty(), "no Error was thrown");
  for (const std::string& part : parts)
    CHECK_MESSAGE(message.find(part) != std::string::npos, "'", message, "' does not contain '", part, "'");
}

}  // namespace fovea::tests
