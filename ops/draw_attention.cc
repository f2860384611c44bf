#include "fovea/ops/draw_attention.h"

#include <cmath>

#include "fovea/core/arithmetic.h"
#include "fovea/core/tape.h"
#include "fovea/kernels/draw_attention.h"
#include "fovea/ops/create.h"
#include "fovea/ops/one_device.h"

namespace fovea {
namespace {

void check_window(const char* op, const Tensor& window, Index n, Index height, Index width) {
  require(window.rank() == 2 && window.size(1) == 5, op, "window ", window.shape(), " must be [B,5]");
  require(n > 0 && height > 0 && width > 0, op, "needs at least one filter and one pixel; got N = ", n,
          " on ", height, " x ", width);
}

void check_image(const char* op, const char* what, const Tensor& image, const Tensor& window) {
  require(image.rank() == 4 && image.size(1) > 0, op, what, " ", image.shape(),
          " must be four sizes, B first");
  require(image.size(0) == window.size(0), op, what, " ", image.shape(), " and window ", window.shape(),
          " differ in batch size");
  require(image.dtype() == window.dtype(), op, "types differ: ", what, " ", image.dtype(), ", window ",
          window.dtype(), "; cast() one of them");
}

// Room for the filters that a kernel makes.
struct Filters {
  Tensor x, y;
  Filters(const Tensor& window, Index n, Index height, Index width)
      : x(Tensor::empty({window.size(0), n, width}, window.dtype(), window.device())),
        y(Tensor::empty({window.size(0), n, height}, window.dtype(), window.device())) {}
};

// `canvas` may be undefined.
Tensor read(const Tensor& image, const Tensor& canvas, const Tensor& window, Index n) {
  constexpr auto op = "draw_read";
  require(image.rank() == 4, op, "image ", image.shape(), " must be [B,C,H,W]");
  const Index B = image.size(0), C = image.size(1), H = image.size(2), W = image.size(3);
  check_window(op, window, n, H, W);
  check_image(op, "image", image, window);
  detail::require_one_device(op, {image, canvas, window});
  const bool both = canvas.defined();
  if (both)
    require(canvas.shape() == image.shape() && canvas.dtype() == image.dtype(), op, "canvas ", canvas.dtype(),
            canvas.shape(), " must be as the image ", image.dtype(), image.shape());
  const Tensor x = detail::packed(image), c = both ? detail::packed(canvas) : canvas,
               w = detail::packed(window);
  const auto empty = [&](const Shape& shape) { return Tensor::empty(shape, x.dtype(), x.device()); };
  const Index S = both ? 2 * C : C;
  const Filters f(w, n, H, W);
  Tensor error = both ? empty(x.shape()) : Tensor(), rows = empty({B, S, n, W}), y = empty({B, S, n, n});
  std::visit(
      [&](auto d) {
        draw_read_forward(d, view_of(x), view_of(c), view_of(w), view_of(f.x), view_of(f.y), view_of(error),
                          view_of(rows), view_of(y));
      },
      x.device());
  record(op, {image, canvas, window}, {y},
         [x = Saved(x), error = Saved(error), w = Saved(w), fx = Saved(f.x), fy = Saved(f.y),
          rows = Saved(rows)](Backward& b) {
           const DrawReadGradients g{target_of(b, 0), target_of(b, 1), target_of(b, 2)};
           std::visit(
               [&](auto d) {
                 draw_read_backward(d, view_of(x.get()), view_of(error.get()), view_of(w.get()),
                                    view_of(fx.get()), view_of(fy.get()), view_of(rows.get()),
                                    view_of(b.dy()), g);
               },
               x->device());
         });
  return y;
}

Tensor write(const Tensor& canvas, const Tensor& patch, const Tensor& window, Index height, Index width) {
  constexpr auto op = "draw_write";
  require(patch.rank() == 4 && patch.size(2) == patch.size(3), op, "patch ", patch.shape(),
          " must be [B,C,N,N]");
  const Index B = patch.size(0), C = patch.size(1), n = patch.size(2);
  check_window(op, window, n, height, width);
  check_image(op, "patch", patch, window);
  detail::require_one_device(op, {canvas, patch, window});
  if (canvas.defined())
    require(canvas.shape() == Shape{B, C, height, width} && canvas.dtype() == patch.dtype(), op, "canvas ",
            canvas.dtype(), canvas.shape(), " does not fit patch ", patch.dtype(), patch.shape());
  const Tensor c = canvas.defined() ? detail::packed(canvas) : canvas, p = detail::packed(patch),
               w = detail::packed(window);
  const Filters f(w, n, height, width);
  Tensor y = Tensor::empty({B, C, height, width}, p.dtype(), p.device());
  std::visit(
      [&](auto d) {
        draw_write_forward(d, view_of(c), view_of(p), view_of(w), view_of(f.x), view_of(f.y), view_of(y));
      },
      p.device());
  record(op, {canvas, patch, window}, {y},
         [p = Saved(p), w = Saved(w), fx = Saved(f.x), fy = Saved(f.y)](Backward& b) {
           if (b.wants(1) || b.wants(2)) {
             const DrawWriteGradients g{target_of(b, 1), target_of(b, 2)};
             std::visit(
                 [&](auto d) {
                   draw_write_backward(d, view_of(p.get()), view_of(w.get()), view_of(fx.get()),
                                       view_of(fy.get()), view_of(b.dy()), g);
                 },
                 p->device());
           }
           if (b.wants(0)) b.add(0, b.dy());
         });
  return y;
}

}  // namespace

DrawFilters draw_filterbank(const Tensor& window, Index n, Index height, Index width) {
  constexpr auto op = "draw_filterbank";
  check_window(op, window, n, height, width);
  const Tensor w = detail::packed(window);
  const Filters f(w, n, height, width);
  DrawFilters out{f.x, f.y, Tensor::empty({w.size(0)}, w.dtype(), w.device())};
  std::visit(
      [&](auto d) {
        draw_filterbank_forward(d, view_of(w), view_of(out.x), view_of(out.y), view_of(out.gamma));
      },
      w.device());
  record(op, {window}, {out.x, out.y, out.gamma},
         [w = Saved(w), fx = Saved(out.x), fy = Saved(out.y)](Backward& b) {
           const Target dw = target_of(b, 0);
           std::visit(
               [&](auto d) {
                 draw_filterbank_backward(d, view_of(w.get()), view_of(fx.get()), view_of(fy.get()),
                                          view_of(b.dy(0)), view_of(b.dy(1)), view_of(b.dy(2)), dw);
               },
               w->device());
         });
  return out;
}

std::vector<DrawGrid> draw_grids(const Tensor& window, Index n, Index height, Index width) {
  check_window("draw_grids", window, n, height, width);
  const Tensor w = to(window, Cpu{});
  std::vector<DrawGrid> grids;
  for (Index b = 0; b < w.size(0); ++b) {
    double five[5];
    for (Index k = 0; k < 5; ++k) five[k] = w.at({b, k});
    const DrawGeometry<double> g(five, height, width, n);
    grids.push_back({g.x, g.y, g.stride, std::sqrt(0.5 / g.sharpness), g.gamma,
                     static_cast<double>(n - 1) / 2 * g.stride});
  }
  return grids;
}

Tensor draw_read(const Tensor& image, const Tensor& window, Index n) {
  return read(image, Tensor(), window, n);
}
Tensor draw_read(const Tensor& image, const Tensor& canvas, const Tensor& window, Index n) {
  require(canvas.defined(), "draw_read", "the canvas is undefined; leave it out to read the image alone");
  return read(image, canvas, window, n);
}

Tensor draw_write(const Tensor& patch, const Tensor& window, Index height, Index width) {
  return write(Tensor(), patch, window, height, width);
}
Tensor draw_write(const Tensor& canvas, const Tensor& patch, const Tensor& window) {
  require(canvas.rank() == 4, "draw_write", "canvas ", canvas.shape(), " must be [B,C,H,W]");
  return write(canvas, patch, window, canvas.size(2), canvas.size(3));
}

}  // namespace fovea
