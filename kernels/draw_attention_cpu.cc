#include <algorithm>
#include <vector>

#include "fovea/kernels/draw_attention.h"
#include "fovea/kernels/draw_filters.h"
#include "fovea/kernels/loops.h"

// Everything is done image by image: filters, products and their gradients stay in the first cache.

namespace fovea {
namespace {

using namespace draw_filters;

constexpr Index grain = 65536;

// The sizes that all functions share.
struct Sizes {
  Index batch, channels, height, width, n;
  Sizes(const View& image, const View& fx)
      : batch(image.shape[0]),
        channels(image.shape[1]),
        height(image.shape[2]),
        width(image.shape[3]),
        n(fx.shape[1]) {}
  Index image() const { return channels * height * width; }
  Index cost() const { return image() * n; }
};

// ---- Small products, vectorised along rows of w numbers; four at a time, because a loop over so few numbers
// costs as much to start as to run.

// y [m,w] (+)= factor a [m,k] x [k,w], with a's element (i, l) at i row + l column.
template <class T>
void product(Index m, Index k, Index w, const T* a, Index row, Index column, const T* x, T* y, Into into,
             T factor = 1) {
  for (Index i = 0; i < m; ++i) {
    T* out = y + i * w;
    Into how = into;
    Index l = 0;
    for (; l + 4 <= k; l += 4) {
      const T *p = a + i * row + l * column, *x0 = x + l * w, *x1 = x0 + w, *x2 = x1 + w, *x3 = x2 + w;
      const T c0 = factor * p[0], c1 = factor * p[column], c2 = factor * p[2 * column],
              c3 = factor * p[3 * column];
      store(out, w, how, [=](Index j) { return c0 * x0[j] + c1 * x1[j] + (c2 * x2[j] + c3 * x3[j]); });
      how = Into::add;
    }
    for (; l < k; ++l) {
      const T c = factor * a[i * row + l * column];
      store(out, w, how, [=, from = x + l * w](Index j) { return c * from[j]; });
      how = Into::add;
    }
  }
}

// y [m,k] (+)= factor a [m,w] x [k,w]^T
template <class T>
void dots(Index m, Index k, Index w, const T* a, const T* x, T* y, Into into, T factor = 1) {
  const auto put = [=](Index at, T sum) { y[at] = into == Into::set ? factor * sum : y[at] + factor * sum; };
  for (Index i = 0; i < m; ++i) {
    const T* p = a + i * w;
    Index l = 0;
    for (; l + 4 <= k; l += 4) {
      const T *x0 = x + l * w, *x1 = x0 + w, *x2 = x1 + w, *x3 = x2 + w;
      T s0 = 0, s1 = 0, s2 = 0, s3 = 0;
#pragma omp simd reduction(+ : s0, s1, s2, s3)
      for (Index j = 0; j < w; ++j) {
        s0 += p[j] * x0[j];
        s1 += p[j] * x1[j];
        s2 += p[j] * x2[j];
        s3 += p[j] * x3[j];
      }
      put(i * k + l, s0);
      put(i * k + l + 1, s1);
      put(i * k + l + 2, s2);
      put(i * k + l + 3, s3);
    }
    for (; l < k; ++l) put(i * k + l, sum_of<T>(w, [p, q = x + l * w](Index j) { return p[j] * q[j]; }));
  }
}

// Runs f<T>(b, scratch) for every image, with `numbers` of scratch.
template <class T, class F>
void for_images(Index batch, Index cost, Index numbers, F&& f) {
  parallel_for(batch, cost, grain, [&](Index begin, Index end) {
    thread_local std::vector<T> scratch;
    scratch.resize(static_cast<std::size_t>(numbers));
    for (Index b = begin; b < end; ++b) f(b, scratch.data());
  });
}

}  // namespace

void draw_filterbank_forward(Cpu, const View& window, const View& fx, const View& fy, const View& gamma) {
  const Index B = window.shape[0], N = fx.shape[1], W = fx.shape[2], H = fy.shape[2];
  visit_float("draw_filterbank", window.dtype, [&]<class T>() {
    for_images<T>(B, 4 * N * (W + H), 0, [&](Index b, T*) {
      const DrawGeometry<T> g(window.as<const T>() + b * 5, H, W, N);
      make_filters(x_axis(g, N, W), fx.as<T>() + b * N * W);
      make_filters(y_axis(g, N, H), fy.as<T>() + b * N * H);
      gamma.as<T>()[b] = g.gamma;
    });
  });
}

void draw_filterbank_backward(Cpu, const View& window, const View& fx, const View& fy, const View& dfx,
                              const View& dfy, const View& dgamma, const Target& dwindow) {
  const Index B = window.shape[0], N = fx.shape[1], W = fx.shape[2], H = fy.shape[2];
  visit_float("draw_filterbank", window.dtype, [&]<class T>() {
    for_images<T>(B, 4 * N * (W + H), 0, [&](Index b, T*) {
      const T* five = window.as<const T>() + b * 5;
      const DrawGeometry<T> g(five, H, W, N);
      AxisGradient<T> x, y;
      if (dfx)
        x = filters_gradient(x_axis(g, N, W), fx.as<const T>() + b * N * W, dfx.as<const T>() + b * N * W);
      if (dfy)
        y = filters_gradient(y_axis(g, N, H), fy.as<const T>() + b * N * H, dfy.as<const T>() + b * N * H);
      put_window(five, g, x, y, dgamma ? dgamma.as<const T>()[b] * g.gamma : T(0), H, W,
                 dwindow.as<T>() + b * 5, dwindow.into == Into::add);
    });
  });
}

void draw_read_forward(Cpu, const View& image, const View& canvas, const View& window, const View& fx,
                       const View& fy, const View& error, const View& rows, const View& y) {
  const Sizes s(image, fx);
  const Index C = s.channels, H = s.height, W = s.width, N = s.n, S = y.shape[1];
  visit_float("draw_read", image.dtype, [&]<class T>() {
    for_images<T>(s.batch, 2 * s.cost(), 0, [&](Index b, T*) {
      const DrawGeometry<T> g(window.as<const T>() + b * 5, H, W, N);
      T *fxb = fx.as<T>() + b * N * W, *fyb = fy.as<T>() + b * N * H;
      make_filters(x_axis(g, N, W), fxb);
      make_filters(y_axis(g, N, H), fyb);
      const T* x = image.as<const T>() + b * s.image();
      T* e = error.as<T>() + (error ? b * s.image() : 0);
      if (canvas) {
        const T* c = canvas.as<const T>() + b * s.image();
        store(e, s.image(), Into::set, [=](Index k) { return x[k] - math::sigmoid(c[k]); });
      }
      for (Index i = 0; i < S; ++i) {
        const T* source = i < C ? x + i * H * W : e + (i - C) * H * W;
        T* row = rows.as<T>() + (b * S + i) * N * W;
        product(N, H, W, fyb, H, Index{1}, source, row, Into::set);
        dots(N, N, W, row, fxb, y.as<T>() + (b * S + i) * N * N, Into::set, g.gamma);
      }
    });
  });
}

void draw_read_backward(Cpu, const View& image, const View& error, const View& window, const View& fx,
                        const View& fy, const View& rows, const View& dy, const DrawReadGradients& to) {
  const Sizes s(image, fx);
  const Index C = s.channels, H = s.height, W = s.width, N = s.n, S = dy.shape[1];
  visit_float("draw_read", image.dtype, [&]<class T>() {
    for_images<T>(s.batch, 4 * s.cost(), N * (2 * W + H) + H * W, [&](Index b, T* scratch) {
      const T* five = window.as<const T>() + b * 5;
      const DrawGeometry<T> g(five, H, W, N);
      const T *fxb = fx.as<const T>() + b * N * W, *fyb = fy.as<const T>() + b * N * H;
      T *dfx = scratch, *drow = dfx + N * W, *dfy = drow + N * W, *through = dfy + N * H;
      std::fill_n(dfx, N * W, T(0));
      std::fill_n(dfy, N * H, T(0));
      for (Index i = 0; i < S; ++i) {
        const bool of_image = i < C;
        const Index at = b * s.image() + (of_image ? i : i - C) * H * W;
        const T* source = (of_image ? image : error).as<const T>() + at;
        const T* d = dy.as<const T>() + (b * S + i) * N * N;
        // Forward was row = fy source, y = gamma row fx^T; so here:
        product(N, N, W, d, N, Index{1}, fxb, drow, Into::set, g.gamma);
        if (to.window) {
          product(N, N, W, d, Index{1}, N, rows.as<const T>() + (b * S + i) * N * W, dfx, Into::add, g.gamma);
          dots(N, H, W, drow, source, dfy, Into::add);
        }
        if (!to.image && (of_image || !to.canvas)) continue;
        product(H, N, W, fyb, Index{1}, H, drow, through, Into::set);
        if (to.image)
          store(to.image.as<T>() + at, H * W, of_image ? to.image.into : Into::add,
                [=](Index k) { return through[k]; });
        if (to.canvas && !of_image)  // with p = sigmoid(canvas) the source was image - p
          store(to.canvas.as<T>() + at, H * W, to.canvas.into, [=, x = image.as<const T>() + at](Index k) {
            const T p = x[k] - source[k];
            return -through[k] * p * (1 - p);
          });
      }
      if (!to.window) return;
      const AxisGradient<T> x = filters_gradient(x_axis(g, N, W), fxb, dfx),
                            y = filters_gradient(y_axis(g, N, H), fyb, dfy);
      put_window(five, g, x, y, x.scale, H, W, to.window.as<T>() + b * 5,
                 to.window.into == Into::add);  // gamma is a factor as any of fx's is
    });
  });
}

void draw_write_forward(Cpu, const View& canvas, const View& patch, const View& window, const View& fx,
                        const View& fy, const View& y) {
  const Sizes s(y, fx);
  const Index C = s.channels, H = s.height, W = s.width, N = s.n;
  visit_float("draw_write", patch.dtype, [&]<class T>() {
    for_images<T>(s.batch, s.cost(), N * W, [&](Index b, T* row) {
      const DrawGeometry<T> g(window.as<const T>() + b * 5, H, W, N);
      T *fxb = fx.as<T>() + b * N * W, *fyb = fy.as<T>() + b * N * H, *out = y.as<T>() + b * s.image();
      make_filters(x_axis(g, N, W), fxb);
      make_filters(y_axis(g, N, H), fyb);
      if (canvas) std::copy_n(canvas.as<const T>() + b * s.image(), s.image(), out);
      for (Index c = 0; c < C; ++c) {
        product(N, N, W, patch.as<const T>() + (b * C + c) * N * N, N, Index{1}, fxb, row, Into::set,
                1 / g.gamma);
        product(H, N, W, fyb, Index{1}, H, row, out + c * H * W, canvas ? Into::add : Into::set);
      }
    });
  });
}

void draw_write_backward(Cpu, const View& patch, const View& window, const View& fx, const View& fy,
                         const View& dy, const DrawWriteGradients& to) {
  const Sizes s(dy, fx);
  const Index C = s.channels, H = s.height, W = s.width, N = s.n;
  visit_float("draw_write", patch.dtype, [&]<class T>() {
    for_images<T>(s.batch, 3 * s.cost(), N * (3 * W + H), [&](Index b, T* scratch) {
      const T* five = window.as<const T>() + b * 5;
      const DrawGeometry<T> g(five, H, W, N);
      const T *fxb = fx.as<const T>() + b * N * W, *fyb = fy.as<const T>() + b * N * H;
      T *dfx = scratch, *row = dfx + N * W, *drow = row + N * W, *dfy = drow + N * W;
      std::fill_n(dfx, N * W, T(0));
      std::fill_n(dfy, N * H, T(0));
      for (Index c = 0; c < C; ++c) {
        const T *w = patch.as<const T>() + (b * C + c) * N * N, *d = dy.as<const T>() + (b * C + c) * H * W;
        // Forward was row = w fx / gamma, y = fy^T row; so here:
        product(N, H, W, fyb, H, Index{1}, d, drow, Into::set);
        if (to.patch)
          dots(N, N, W, drow, fxb, to.patch.as<T>() + (b * C + c) * N * N, to.patch.into, 1 / g.gamma);
        if (!to.window) continue;
        product(N, N, W, w, N, Index{1}, fxb, row, Into::set, 1 / g.gamma);
        product(N, N, W, w, Index{1}, N, drow, dfx, Into::add, 1 / g.gamma);
        dots(N, H, W, row, d, dfy, Into::add);
      }
      if (!to.window) return;
      const AxisGradient<T> x = filters_gradient(x_axis(g, N, W), fxb, dfx),
                            y = filters_gradient(y_axis(g, N, H), fyb, dfy);
      put_window(five, g, x, y, -x.scale, H, W, to.window.as<T>() + b * 5,
                 to.window.into == Into::add);  // 1 / gamma is a factor as any of fx's is
    });
  });
}

}  // namespace fovea
