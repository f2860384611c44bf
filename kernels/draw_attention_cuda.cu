#include "fovea/kernels/draw_attention.h"
#include "fovea/kernels/draw_cuda.h"

// A block takes one channel of a sample, in one launch: filters, products and their gradients stay in shared
// memory. Every block of a sample makes its filters anew, which costs less than waiting for one that does.

namespace fovea {
namespace {

using namespace draw_cuda;

template <class T, class... P, class... A>
void start(Cuda d, Index blocks, std::size_t shared, void (*kernel)(P...), const A&... arguments) {
  if (blocks > 0)
    launch(d, kernel, dim3(static_cast<unsigned>(blocks)), sample_threads, shared, arguments...);
}

// ---- the filters alone

template <class T>
__global__ void __launch_bounds__(sample_threads)
    filterbank_forward(Sizes s, const T* window, T* fx, T* fy, T* gamma) {
  const Index b = blockIdx.x;
  const DrawGeometry<T> g = s.geometry(window + b * 5);
  make_filters<T>(x_axis(g, s.n, s.width), fx + b * s.nw(), nullptr);
  make_filters<T>(y_axis(g, s.n, s.height), fy + b * s.nh(), nullptr);
  if (threadIdx.x == 0) gamma[b] = g.gamma;
}

template <class T>
__global__ void __launch_bounds__(sample_threads)
    filterbank_backward(Sizes s, const T* window, const T* fx, const T* fy, const T* dfx, const T* dfy,
                        const T* dgamma, T* dwindow, bool add) {
  const Index b = blockIdx.x;
  const DrawGeometry<T> g = s.geometry(window + b * 5);
  AxisGradient<T> x, y;
  if (dfx) x = filters_gradient(x_axis(g, s.n, s.width), fx + b * s.nw(), dfx + b * s.nw());
  if (dfy) y = filters_gradient(y_axis(g, s.n, s.height), fy + b * s.nh(), dfy + b * s.nh());
  if (threadIdx.x == 0)
    put_window(window + b * 5, g, x, y, dgamma ? dgamma[b] * g.gamma : T(0), s.height, s.width,
               dwindow + b * 5, add);
}

// ---- reading

// y and `rows` have the sources of the image first, then those of the error.
template <class T>
struct Read {
  const T *image, *canvas, *window;
  T *fx, *fy, *error, *rows, *y;
};

template <class T>
__global__ void __launch_bounds__(sample_threads) read_forward(Sizes s, Read<T> p, T* more_room) {
  const Index b = blockIdx.x / s.channels, c = blockIdx.x - b * s.channels;
  T* own_x = block_room(more_room, 2 * s.nw() + s.nh());
  T *own_y = own_x + s.nw(), *row = own_y + s.nh();
  const DrawGeometry<T> g = s.geometry(p.window + b * 5);
  const T* source = p.image + blockIdx.x * s.area();
  if (p.error) {
    T* error = p.error + blockIdx.x * s.area();
    const T* canvas = p.canvas + blockIdx.x * s.area();
    Block().each(s.area(), [&](Index k) { error[k] = source[k] - math::sigmoid(canvas[k]); });
  }
  make_both(s, g, b, c == 0, own_x, own_y, p.fx, p.fy);
  const Index sources = p.error ? 2 : 1;
  for (Index i = 0; i < sources; ++i) {
    const Index at = (b * sources + i) * s.channels + c;
    T *rows = p.rows + at * s.nw(), *y = p.y + at * s.nn();
    product(s.n, s.height, s.width, own_y, s.height, Index{1},
            i == 0 ? source : p.error + blockIdx.x * s.area(),
            [&](Index k, T sum) { rows[k] = row[k] = sum; });
    __syncthreads();
    dots(s.n, s.n, s.width, row, own_x, [&](Index k, T sum) { y[k] = g.gamma * sum; });
    __syncthreads();
  }
}

template <class T>
struct ReadBack {
  const T *image, *error, *window, *fx, *fy, *rows, *dy;
  T *dimage, *dcanvas, *dwindow;
  bool add_image, add_canvas, add_window;
};

// Forward was row = fy source, y = gamma row fx^T.
template <class T>
__global__ void __launch_bounds__(sample_threads) read_backward(Sizes s, ReadBack<T> p, T* more_room) {
  const Index b = blockIdx.x / s.channels, c = blockIdx.x - b * s.channels, here = blockIdx.x * s.area();
  T* dfx = block_room(more_room, 2 * s.nw() + s.nh());
  T *drow = dfx + s.nw(), *dfy = drow + s.nw();
  const T *fx = p.fx + b * s.nw(), *fy = p.fy + b * s.nh();
  const DrawGeometry<T> g = s.geometry(p.window + b * 5);
  const Index sources = p.error ? 2 : 1;
  for (Index i = 0; i < sources; ++i) {
    const Index at = (b * sources + i) * s.channels + c;
    const T *source = (i == 0 ? p.image : p.error) + here, *d = p.dy + at * s.nn(),
            *rows = p.rows + at * s.nw();
    product(s.n, s.n, s.width, d, s.n, Index{1}, fx, [&](Index k, T sum) { drow[k] = g.gamma * sum; });
    __syncthreads();
    if (p.dwindow) {
      product(s.n, s.n, s.width, d, Index{1}, s.n, rows,
              [&](Index k, T sum) { put(dfx + k, g.gamma * sum, i > 0); });
      dots(s.n, s.height, s.width, drow, source, [&](Index k, T sum) { put(dfy + k, sum, i > 0); });
    }
    if (p.dimage || (p.dcanvas && i == 1))
      product(s.height, s.n, s.width, fy, Index{1}, s.height, drow, [&](Index k, T through) {
        if (p.dimage) put(p.dimage + here + k, through, p.add_image || i > 0);
        if (!p.dcanvas || i == 0) return;
        const T q = p.image[here + k] - source[k];  // with q = sigmoid(canvas) the source was image - q
        put(p.dcanvas + here + k, -through * q * (1 - q), p.add_canvas);
      });
    __syncthreads();
  }
  if (!p.dwindow) return;
  const AxisGradient<T> x = filters_gradient(x_axis(g, s.n, s.width), fx, dfx),
                        y = filters_gradient(y_axis(g, s.n, s.height), fy, dfy);
  if (threadIdx.x == 0)  // gamma is a factor as any of fx's is
    put_window(p.window + b * 5, g, x, y, x.scale, s.height, s.width, p.dwindow + blockIdx.x * 5,
               p.add_window);
}

// ---- writing

template <class T>
__global__ void __launch_bounds__(sample_threads)
    write_forward(Sizes s, const T* canvas, const T* patch, const T* window, T* fx, T* fy, T* y,
                  T* more_room) {
  const Index b = blockIdx.x / s.channels, here = blockIdx.x * s.area();
  T* own_x = block_room(more_room, 2 * s.nw() + s.nh());
  T *own_y = own_x + s.nw(), *row = own_y + s.nh();
  const DrawGeometry<T> g = s.geometry(window + b * 5);
  make_both(s, g, b, blockIdx.x % s.channels == 0, own_x, own_y, fx, fy);
  product(s.n, s.n, s.width, patch + blockIdx.x * s.nn(), s.n, Index{1}, own_x,
          [&](Index k, T sum) { row[k] = sum / g.gamma; });
  __syncthreads();
  product(s.height, s.n, s.width, own_y, Index{1}, s.height, row,
          [&](Index k, T sum) { y[here + k] = canvas ? canvas[here + k] + sum : sum; });
}

template <class T>
struct WriteBack {
  const T *patch, *window, *fx, *fy, *dy;
  T *dpatch, *dwindow;
  bool add_patch, add_window;
};

// Forward was row = patch fx / gamma, y = fy^T row.
template <class T>
__global__ void __launch_bounds__(sample_threads) write_backward(Sizes s, WriteBack<T> p, T* more_room) {
  const Index b = blockIdx.x / s.channels;
  T* dfx = block_room(more_room, 3 * s.nw() + s.nh());
  T *row = dfx + s.nw(), *drow = row + s.nw(), *dfy = drow + s.nw();
  const T *fx = p.fx + b * s.nw(), *fy = p.fy + b * s.nh(), *patch = p.patch + blockIdx.x * s.nn(),
          *d = p.dy + blockIdx.x * s.area();
  const DrawGeometry<T> g = s.geometry(p.window + b * 5);
  const T share = 1 / g.gamma;
  product(s.n, s.height, s.width, fy, s.height, Index{1}, d, [&](Index k, T sum) { drow[k] = sum; });
  if (p.dwindow)
    product(s.n, s.n, s.width, patch, s.n, Index{1}, fx, [&](Index k, T sum) { row[k] = share * sum; });
  __syncthreads();
  if (p.dpatch) {
    T* to = p.dpatch + blockIdx.x * s.nn();
    dots(s.n, s.n, s.width, drow, fx, [&](Index k, T sum) { put(to + k, share * sum, p.add_patch); });
  }
  if (!p.dwindow) return;
  product(s.n, s.n, s.width, patch, Index{1}, s.n, drow, [&](Index k, T sum) { dfx[k] = share * sum; });
  dots(s.n, s.height, s.width, row, d, [&](Index k, T sum) { dfy[k] = sum; });
  __syncthreads();
  const AxisGradient<T> x = filters_gradient(x_axis(g, s.n, s.width), fx, dfx),
                        y = filters_gradient(y_axis(g, s.n, s.height), fy, dfy);
  if (threadIdx.x == 0)  // 1 / gamma is a factor as any of fx's is
    put_window(p.window + b * 5, g, x, y, -x.scale, s.height, s.width, p.dwindow + blockIdx.x * 5,
               p.add_window);
}

// A sample's one "image" of the filters' sizes.
Sizes sizes_of(const View& fx, const View& fy) {
  return {{nullptr, fx.dtype, {fx.shape[0], 1, fy.shape[2], fx.shape[2]}, {}}, fx};
}

}  // namespace

void draw_filterbank_forward(Cuda d, const View& window, const View& fx, const View& fy, const View& gamma) {
  const Sizes s = sizes_of(fx, fy);
  visit_float("draw_filterbank", window.dtype, [&]<class T>() {
    start<T>(d, s.batch, 0, filterbank_forward<T>, s, window.as<const T>(), fx.as<T>(), fy.as<T>(),
             gamma.as<T>());
  });
}

void draw_filterbank_backward(Cuda d, const View& window, const View& fx, const View& fy, const View& dfx,
                              const View& dfy, const View& dgamma, const Target& dwindow) {
  const Sizes s = sizes_of(fx, fy);
  visit_float("draw_filterbank", window.dtype, [&]<class T>() {
    start<T>(d, s.batch, 0, filterbank_backward<T>, s, window.as<const T>(), fx.as<const T>(),
             fy.as<const T>(), dfx.as<const T>(), dfy.as<const T>(), dgamma.as<const T>(), dwindow.as<T>(),
             dwindow.into == Into::add);
  });
}

void draw_read_forward(Cuda d, const View& image, const View& canvas, const View& window, const View& fx,
                       const View& fy, const View& error, const View& rows, const View& y) {
  const Sizes s(image, fx);
  visit_float("draw_read", image.dtype, [&]<class T>() {
    const BlockRoom<T> room(d, s.batch * s.channels, 2 * s.nw() + s.nh());
    const Read<T> p{image.as<const T>(), canvas.as<const T>(), window.as<const T>(), fx.as<T>(),
                    fy.as<T>(),          error.as<T>(),        rows.as<T>(),         y.as<T>()};
    start<T>(d, s.batch * s.channels, room.shared(), read_forward<T>, s, p, room.data());
  });
}

void draw_read_backward(Cuda d, const View& image, const View& error, const View& window, const View& fx,
                        const View& fy, const View& rows, const View& dy, const DrawReadGradients& to) {
  const Sizes s(image, fx);
  visit_float("draw_read", image.dtype, [&]<class T>() {
    const BlockRoom<T> room(d, s.batch * s.channels, 2 * s.nw() + s.nh());
    const WindowShares<T> window_shares(d, s, to.window);
    const ReadBack<T> p{.image = image.as<const T>(),
                        .error = error.as<const T>(),
                        .window = window.as<const T>(),
                        .fx = fx.as<const T>(),
                        .fy = fy.as<const T>(),
                        .rows = rows.as<const T>(),
                        .dy = dy.as<const T>(),
                        .dimage = to.image.as<T>(),
                        .dcanvas = to.canvas.as<T>(),
                        .dwindow = window_shares.shares(),
                        .add_image = to.image.into == Into::add,
                        .add_canvas = to.canvas.into == Into::add,
                        .add_window = window_shares.add()};
    start<T>(d, s.batch * s.channels, room.shared(), read_backward<T>, s, p, room.data());
    window_shares.add_up();
  });
}

void draw_write_forward(Cuda d, const View& canvas, const View& patch, const View& window, const View& fx,
                        const View& fy, const View& y) {
  const Sizes s(y, fx);
  visit_float("draw_write", patch.dtype, [&]<class T>() {
    const BlockRoom<T> room(d, s.batch * s.channels, 2 * s.nw() + s.nh());
    start<T>(d, s.batch * s.channels, room.shared(), write_forward<T>, s, canvas.as<const T>(),
             patch.as<const T>(), window.as<const T>(), fx.as<T>(), fy.as<T>(), y.as<T>(), room.data());
  });
}

void draw_write_backward(Cuda d, const View& patch, const View& window, const View& fx, const View& fy,
                         const View& dy, const DrawWriteGradients& to) {
  const Sizes s(dy, fx);
  visit_float("draw_write", patch.dtype, [&]<class T>() {
    const BlockRoom<T> room(d, s.batch * s.channels, 3 * s.nw() + s.nh());
    const WindowShares<T> window_shares(d, s, to.window);
    const WriteBack<T> p{.patch = patch.as<const T>(),
                         .window = window.as<const T>(),
                         .fx = fx.as<const T>(),
                         .fy = fy.as<const T>(),
                         .dy = dy.as<const T>(),
                         .dpatch = to.patch.as<T>(),
                         .dwindow = window_shares.shares(),
                         .add_patch = to.patch.into == Into::add,
                         .add_window = window_shares.add()};
    start<T>(d, s.batch * s.channels, room.shared(), write_backward<T>, s, p, room.data());
    window_shares.add_up();
  });
}

}  // namespace fovea
