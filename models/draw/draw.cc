#include "fovea/models/draw/draw.h"

#include "fovea/core/tape.h"
#include "fovea/ops/bce.h"
#include "fovea/ops/create.h"
#include "fovea/ops/draw_attention.h"
#include "fovea/ops/gaussian_kl.h"
#include "fovea/ops/join.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/sample.h"
#include "fovea/ops/views.h"

namespace fovea::draw {
namespace {

// A start value repeated for every batch element.
Tensor for_batch(const Tensor& x, Index batch) {
  return expand(unsqueeze(x, 0), x.shape().inserted(0, batch));
}

Tensor flat(const Tensor& x) { return flatten(x, 1); }

}  // namespace

Linear window_layer(Index hidden, DType dtype, Generator& random) {
  Linear layer({.in_features = hidden, .out_features = 5, .dtype = dtype}, random);
  init::normal(layer.weight, random, 0, 0.01);
  init::constant(layer.bias, 0);
  return layer;
}

LstmCell remembering_cell(Index inputs, Index hidden, DType dtype, Generator& random) {
  LstmCell cell({.input_size = inputs, .hidden_size = hidden, .dtype = dtype}, random);
  init::constant(cell.bias_ih, 0);
  cell.bias_hh = Parameter();  // would only be added to the other
  init::constant(slice(cell.bias_ih.detach(), 0, hidden, 2 * hidden), 1);
  return cell;
}

Tensor Bound::total() const { return reconstruction + sum(kl); }

Draw::Draw(const Options& o, Generator& random) : options(o) {
  require(o.height > 0 && o.width > 0 && o.channels > 0, "Draw",
          "height, width and channels must be at least 1");
  require(o.steps > 0 && o.latent > 0 && o.hidden > 0, "Draw", "steps, latent and hidden must be at least 1");
  require(!o.attention || (o.read_size > 0 && o.write_size > 0), "Draw",
          "read_size and write_size must be at least 1");
  const Index picture = o.channels * o.height * o.width, H = o.hidden;
  const Index read = o.attention ? o.channels * o.read_size * o.read_size : picture;
  const Index written = o.attention ? o.channels * o.write_size * o.write_size : picture;
  const auto layer = [&](Index in, Index out) {
    return Linear({.in_features = in, .out_features = out, .dtype = o.dtype}, random);
  };
  encoder = remembering_cell(2 * read + H, H, o.dtype, random);
  decoder = remembering_cell(o.latent, H, o.dtype, random);
  mu = layer(H, o.latent);
  log_sigma = layer(H, o.latent);
  write = layer(H, written);
  if (o.attention) {
    read_window = window_layer(H, o.dtype, random);
    write_window = window_layer(H, o.dtype, random);
  }
  if (!o.learned_start) return;
  canvas = Parameter(zeros({o.channels, o.height, o.width}, o.dtype));
  for (Parameter* p : {&encoder_h, &encoder_c, &decoder_h, &decoder_c}) *p = Parameter(zeros({H}, o.dtype));
}

Tensor Draw::start_canvas(Index batch) const {
  return canvas.defined() ? for_batch(canvas, batch)
                          : zeros({batch, options.channels, options.height, options.width}, options.dtype);
}

LstmState Draw::start_state(const LstmCell& cell, const Parameter& h, const Parameter& c, Index batch) const {
  return h.defined() ? LstmState{for_batch(h, batch), for_batch(c, batch)} : cell.initial_state(batch);
}

// What is read of the images and of what the canvas c lacks of them, side by side [B,..].
Tensor Draw::glimpse(const Tensor& images, const Tensor& c, const Tensor& h, Trace* trace) const {
  if (!options.attention) return concat({flat(images), flat(images - sigmoid(c))}, 1);
  const Tensor window = read_window.forward(h);
  if (trace) trace->read_windows.push_back(window.detach());
  return flat(draw_read(images, c, window, options.read_size));
}

// The canvas c with what is written on it.
Tensor Draw::drawn(const Tensor& c, const Tensor& h, Trace* trace) const {
  const Tensor w = write.forward(h);
  Tensor next;
  if (options.attention) {
    const Tensor window = write_window.forward(h);
    const Index N = options.write_size;
    next = draw_write(c, reshape(w, {h.size(0), options.channels, N, N}), window);
    if (trace) trace->write_windows.push_back(window.detach());
  } else {
    next = c + reshape(w, c.shape());
  }
  if (trace) trace->canvases.push_back(next.detach());
  return next;
}

Bound Draw::loss(const Tensor& images, Generator& random, Trace* trace) const {
  const Options& o = options;
  require(images.rank() == 4 && images.shape() == Shape{images.size(0), o.channels, o.height, o.width},
          "Draw", "images ", images.shape(), " must be [B,", o.channels, ",", o.height, ",", o.width, "]");
  require(images.dtype() == o.dtype, "Draw", "images are ", images.dtype(), "; this model takes ", o.dtype,
          " in [0, 1]");
  const Index B = images.size(0);
  Tensor c = start_canvas(B);
  LstmState enc = start_state(encoder, encoder_h, encoder_c, B);
  LstmState dec = start_state(decoder, decoder_h, decoder_c, B);
  std::vector<Tensor> kl;
  for (Index t = 0; t < o.steps; ++t) {
    enc = encoder.forward(concat({glimpse(images, c, dec.h, trace), dec.h}, 1), enc);
    const Tensor m = mu.forward(enc.h), s = log_sigma.forward(enc.h);
    kl.push_back(gaussian_kl(m, s));
    dec = decoder.forward(gaussian_sample(m, s, random), dec);
    c = drawn(c, dec.h, trace);
  }
  const double share = 1 / static_cast<double>(B);
  return {bce_with_logits(c, images, Reduction::sum) * share, sum(stack(kl, 0), 1) * share};
}

Tensor Draw::generate(Index n, Generator& random, Trace* trace) const {
  Tensor c = start_canvas(n);
  LstmState dec = start_state(decoder, decoder_h, decoder_c, n);
  const Tensor zero = zeros({n, options.latent}, options.dtype);
  for (Index t = 0; t < options.steps; ++t) {
    dec = decoder.forward(gaussian_sample(zero, zero, random), dec);
    c = drawn(c, dec.h, trace);
  }
  return sigmoid(c);
}

void Draw::each(Visitor& v) {
  v("encoder", encoder);
  v("decoder", decoder);
  v("mu", mu);
  v("log_sigma", log_sigma);
  if (options.attention) {
    v("read_window", read_window);
    v("write_window", write_window);
  }
  v("write", write);
  v("canvas", canvas);
  v("encoder_h", encoder_h);
  v("encoder_c", encoder_c);
  v("decoder_h", decoder_h);
  v("decoder_c", decoder_c);
}

}  // namespace fovea::draw
