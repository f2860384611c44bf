#include "fovea/ops/conv2d.h"

#include "fovea/core/arithmetic.h"
#include "fovea/core/tape.h"
#include "fovea/kernels/conv2d.h"
#include "fovea/ops/one_device.h"

namespace fovea {
namespace {

// What both ops check: ranks, types, options and the bias, for `out` channels.
void check(const char* op, const char* weight_shape, const Tensor& x, const Tensor& weight,
           const Tensor& bias, Index out, HeightWidth stride, HeightWidth padding, HeightWidth dilation) {
  detail::require_one_device(op, {x, weight, bias});
  require(x.dtype() == weight.dtype(), op, "x is ", x.dtype(), " but the weight is ", weight.dtype(),
          "; cast() one of them");
  require(weight.numel() > 0, op, "weight ", weight.shape(), " has no elements; it must be ", weight_shape,
          " with sizes of at least 1");
  require(x.size(1) > 0 && x.size(2) > 0 && x.size(3) > 0, op, "x ", x.shape(),
          " has images without elements; only B may be 0");
  require(stride.h > 0 && stride.w > 0 && dilation.h > 0 && dilation.w > 0, op, "stride ", stride,
          " and dilation ", dilation, " must be at least 1");
  require(padding.h >= 0 && padding.w >= 0, op, "padding ", padding, " is negative; slice() x instead");
  if (!bias.defined()) return;
  require(bias.shape() == Shape{out}, op, "bias is ", bias.shape(), "; for weight ", weight.shape(),
          " it must be (", out, "), one for each output channel");
  require(bias.dtype() == x.dtype(), op, "bias is ", bias.dtype(), " but x is ", x.dtype(),
          "; cast() one of them");
}

void check_ranks(const char* op, const char* weight_shape, const Tensor& x, const Tensor& weight,
                 Index groups) {
  require(x.rank() == 4, op, "x is ", x.shape(), "; it must be [B,C,H,W]: unsqueeze() or reshape() it");
  require(weight.rank() == 4, op, "weight is ", weight.shape(), "; it must be ", weight_shape);
  require(groups > 0, op, "groups is ", groups, "; it must be at least 1");
}

}  // namespace

Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& o) {
  constexpr auto op = "conv2d", weight_shape = "[O,C/groups,KH,KW]";
  check_ranks(op, weight_shape, x, weight, o.groups);
  const Index out = weight.size(0);
  require(x.size(1) == weight.size(1) * o.groups, op, "x ", x.shape(), " has ", x.size(1),
          " channels; weight ", weight.shape(), " with groups ", o.groups, " takes ",
          weight.size(1) * o.groups);
  require(out % o.groups == 0, op, "the ", out, " output channels of weight ", weight.shape(),
          " do not divide by groups ", o.groups);
  check(op, weight_shape, x, weight, bias, out, o.stride, o.padding, o.dilation);
  const auto size = [&](int d, Index stride, Index padding, Index dilation) {
    const Index reach = dilation * (weight.size(d) - 1) + 1, room = x.size(d) + 2 * padding;
    require(reach <= room, op, "the kernel of weight ", weight.shape(), " with dilation ", o.dilation,
            " spans ", reach, d == 2 ? " rows" : " columns", " but x ", x.shape(), " with padding ",
            o.padding, " has ", room, "; pad more or use a smaller kernel");
    return (room - reach) / stride + 1;
  };
  const Shape shape{x.size(0), out, size(2, o.stride.h, o.padding.h, o.dilation.h),
                    size(3, o.stride.w, o.padding.w, o.dilation.w)};
  const ConvWindow window{
      {o.stride.h, o.stride.w}, {o.padding.h, o.padding.w}, {o.dilation.h, o.dilation.w}, o.groups};

  const Tensor px = detail::packed(x), w = detail::packed(weight);
  const Tensor pb = bias.defined() ? detail::packed(bias) : bias;
  Tensor y = Tensor::empty(shape, x.dtype(), x.device());
  if (y.numel() > 0)
    std::visit([&](auto d) { conv2d_forward(d, view_of(px), view_of(w), view_of(pb), window, {view_of(y)}); },
               x.device());
  record(op, {x, weight, bias}, {y}, [x = Saved(px), w = Saved(w), window](Backward& b) {
    if (b.dy().numel() == 0) return;
    const View dy = view_of(b.dy());
    const Target dx = target_of(b, 0), dw = target_of(b, 1), db = target_of(b, 2);
    std::visit(
        [&](auto d) {
          if (dx) conv2d_input_gradient(d, dy, view_of(w.get()), {}, window, dx);
          if (dw) conv2d_weight_gradient(d, dy, view_of(x.get()), window, dw);
          if (db) conv2d_bias_gradient(d, dy, db);
        },
        b.dy().device());
  });
  return y;
}

// In the convolution that this one transposes, x and y have changed places.
Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const ConvTranspose2dOptions& o) {
  constexpr auto op = "conv_transpose2d", weight_shape = "[C,O/groups,KH,KW]";
  check_ranks(op, weight_shape, x, weight, o.groups);
  const Index out = weight.size(1) * o.groups;
  require(x.size(1) == weight.size(0), op, "x ", x.shape(), " has ", x.size(1), " channels; weight ",
          weight.shape(), " takes ", weight.size(0));
  require(x.size(1) % o.groups == 0, op, "the ", x.size(1), " channels of x ", x.shape(),
          " do not divide by groups ", o.groups);
  check(op, weight_shape, x, weight, bias, out, o.stride, o.padding, o.dilation);
  const auto size = [&](int d, Index stride, Index padding, Index dilation, Index extra) {
    require(extra >= 0 && extra < std::max(stride, dilation), op, "output_padding ", o.output_padding,
            " must be at least 0 and less than stride ", o.stride, " or dilation ", o.dilation);
    const Index n = (x.size(d) - 1) * stride - 2 * padding + dilation * (weight.size(d) - 1) + extra + 1;
    require(n > 0, op, "x ", x.shape(), " and weight ", weight.shape(), " with padding ", o.padding,
            " leave no ", d == 2 ? "rows" : "columns", " of y; pad less");
    return n;
  };
  const Shape shape{x.size(0), out, size(2, o.stride.h, o.padding.h, o.dilation.h, o.output_padding.h),
                    size(3, o.stride.w, o.padding.w, o.dilation.w, o.output_padding.w)};
  const ConvWindow window{
      {o.stride.h, o.stride.w}, {o.padding.h, o.padding.w}, {o.dilation.h, o.dilation.w}, o.groups};

  const Tensor px = detail::packed(x), w = detail::packed(weight);
  const Tensor pb = bias.defined() ? detail::packed(bias) : bias;
  Tensor y = Tensor::empty(shape, x.dtype(), x.device());
  if (y.numel() > 0)
    std::visit(
        [&](auto d) { conv2d_input_gradient(d, view_of(px), view_of(w), view_of(pb), window, {view_of(y)}); },
        x.device());
  record(op, {x, weight, bias}, {y}, [x = Saved(px), w = Saved(w), window](Backward& b) {
    if (b.dy().numel() == 0) return;
    const View dy = view_of(b.dy());
    const Target dx = target_of(b, 0), dw = target_of(b, 1), db = target_of(b, 2);
    std::visit(
        [&](auto d) {
          if (dx) conv2d_forward(d, dy, view_of(w.get()), {}, window, dx);
          if (dw) conv2d_weight_gradient(d, view_of(x.get()), dy, window, dw);
          if (db) conv2d_bias_gradient(d, dy, db);
        },
        b.dy().device());
  });
  return y;
}

}  // namespace fovea
