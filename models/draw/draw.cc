#include "fovea/models/draw/draw.h"

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

}  // namespace

void init_window(Linear& layer, Index first, Generator& random) {
  init::normal(slice(layer.weight.detach(), 0, first, first + 5), random, 0, 0.01);
  init::constant(slice(layer.bias.detach(), 0, first, first + 5), 0);
}

LstmCell remembering_cell(Index inputs, Index hidden, DType dtype, Generator& random) {
  LstmCell cell({.input_size = inputs, .hidden_size = hidden, .dtype = dtype}, random);
  init::constant(cell.bias_ih, 0);
  cell.bias_hh = Parameter();  // would only be added to the other
  init::constant(slice(cell.bias_ih.detach(), 0, hidden, 2 * hidden), 1);
  return cell;
}

Tensor Bound::total() const { return reconstruction + sum(kl); }

// What one step leaves to the next.
struct Draw::State {
  Tensor c;  // the canvas
  LstmState enc, dec;
  Tensor patch = {}, write_window = {}, read_window = {};  // what dec.h says
};

Draw::Draw(const Options& o, Generator& random) : options(o) {
  require(o.height > 0 && o.width > 0 && o.channels > 0, "Draw",
          "height, width and channels must be at least 1");
  require(o.steps > 0 && o.latent > 0 && o.hidden > 0, "Draw", "steps, latent and hidden must be at least 1");
  require(!o.attention || (o.read_size > 0 && o.write_size > 0), "Draw",
          "read_size and write_size must be at least 1");
  const Index picture = o.channels * o.height * o.width, H = o.hidden;
  const Index read = o.attention ? o.channels * o.read_size * o.read_size : picture;
  const Index patch = o.attention ? o.channels * o.write_size * o.write_size : picture;
  encoder = remembering_cell(2 * read + H, H, o.dtype, random);
  decoder = remembering_cell(o.latent, H, o.dtype, random);
  latent = Linear({.in_features = H, .out_features = 2 * o.latent, .dtype = o.dtype}, random);
  heads =
      Linear({.in_features = H, .out_features = patch + (o.attention ? 10 : 0), .dtype = o.dtype}, random);
  if (o.attention)
    for (Index window : {patch, patch + 5}) init_window(heads, window, random);
  if (!o.learned_start) return;
  canvas = Parameter(zeros({o.channels, o.height, o.width}, o.dtype));
  for (Parameter* p : {&encoder_h, &encoder_c, &decoder_h, &decoder_c}) *p = Parameter(zeros({H}, o.dtype));
}

Draw::State Draw::start(Index batch) const {
  const Options& o = options;
  State s;
  if (o.learned_start) {
    s = {for_batch(canvas, batch),
         {for_batch(encoder_h, batch), for_batch(encoder_c, batch)},
         {for_batch(decoder_h, batch), for_batch(decoder_c, batch)}};
  } else {
    s = {zeros({batch, o.channels, o.height, o.width}, o.dtype, heads.weight.device()),
         encoder.initial_state(batch), decoder.initial_state(batch)};
  }
  if (o.attention) look(s);
  return s;
}

// Has the heads read dec.h.
void Draw::look(State& s) const {
  const Tensor all = heads.forward(s.dec.h);
  const Options& o = options;
  if (!o.attention) {
    s.patch = reshape(all, s.c.shape());
    return;
  }
  const Index N = o.write_size;
  const std::vector<Tensor> parts = split(all, {o.channels * N * N, 5, 5}, 1);
  s.patch = reshape(parts[0], {s.c.size(0), o.channels, N, N});
  s.write_window = parts[1];
  s.read_window = parts[2];
}

// What is seen of the images and of what the canvas lacks of them, side by side [B,..].
Tensor Draw::read(const Tensor& images, const State& s, Trace* trace) const {
  if (!options.attention) return concat({flatten(images, 1), flatten(images - sigmoid(s.c), 1)}, 1);
  if (trace) trace->read_windows.push_back(s.read_window.detach());
  return flatten(draw_read(images, s.c, s.read_window, options.read_size), 1);
}

void Draw::write(State& s, Trace* trace) const {
  look(s);
  s.c = options.attention ? draw_write(s.c, s.patch, s.write_window) : s.c + s.patch;
  if (!trace) return;
  trace->canvases.push_back(s.c.detach());
  if (options.attention) trace->write_windows.push_back(s.write_window.detach());
}

Bound Draw::loss(const Tensor& images, Generator& random, Trace* trace) const {
  const Options& o = options;
  require(images.rank() == 4 && images.shape() == Shape{images.size(0), o.channels, o.height, o.width},
          "Draw", "images ", images.shape(), " must be [B,", o.channels, ",", o.height, ",", o.width, "]");
  require(images.dtype() == o.dtype, "Draw", "images are ", images.dtype(), "; this model takes ", o.dtype,
          " in [0, 1]");
  State s = start(images.size(0));
  std::vector<Tensor> kl;
  for (Index t = 0; t < o.steps; ++t) {
    s.enc = encoder.forward(concat({read(images, s, trace), s.dec.h}, 1), s.enc);
    const std::vector<Tensor> q = split(latent.forward(s.enc.h), 2, 1);  // mu and log sigma of z_t
    kl.push_back(gaussian_kl(q[0], q[1]));
    s.dec = decoder.forward(gaussian_sample(q[0], q[1], random), s.dec);
    write(s, trace);
  }
  const double share = 1 / static_cast<double>(images.size(0));
  return {bce_with_logits(s.c, images, Reduction::sum) * share, sum(stack(kl, 0), 1) * share};
}

Tensor Draw::generate(Index n, Generator& random, Trace* trace) const {
  State s = start(n);
  const Tensor zero = zeros({n, options.latent}, options.dtype, heads.weight.device());
  for (Index t = 0; t < options.steps; ++t) {
    s.dec = decoder.forward(gaussian_sample(zero, zero, random), s.dec);
    write(s, trace);
  }
  return sigmoid(s.c);
}

void Draw::each(Visitor& v) {
  v("encoder", encoder);
  v("decoder", decoder);
  v("latent", latent);
  v("heads", heads);
  v("canvas", canvas);
  v("encoder_h", encoder_h);
  v("encoder_c", encoder_c);
  v("decoder_h", decoder_h);
  v("decoder_c", decoder_c);
}

}  // namespace fovea::draw
