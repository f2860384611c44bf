#include "fovea/models/draw/classifier.h"

#include <algorithm>
#include <cmath>

#include "fovea/ops/create.h"
#include "fovea/ops/draw_attention.h"
#include "fovea/ops/views.h"

namespace fovea::draw {

DrawClassifier::DrawClassifier(const Options& o, Generator& random) : options(o) {
  require(o.height > 0 && o.width > 0 && o.channels > 0 && o.classes > 0, "DrawClassifier",
          "height, width, channels and classes must be at least 1");
  require(o.steps > 0 && o.hidden > 0 && o.read_size > 0, "DrawClassifier",
          "steps, hidden and read_size must be at least 1");
  encoder = remembering_cell(o.channels * o.read_size * o.read_size, o.hidden, o.dtype, random);
  read_window = Linear({.in_features = o.hidden, .out_features = 5, .dtype = o.dtype}, random);
  init_window(read_window, 0, random);
  // Filters that are narrow beside their stride miss most of a large picture, and what wide ones average is
  // dim.
  const double stride = static_cast<double>(std::max(o.height, o.width) - 1) /
                        static_cast<double>(std::max<Index>(o.read_size - 1, 1));
  init::constant(slice(read_window.bias.detach(), 0, 2, 3), 2 * std::log(std::max(stride / 2, 0.5)));
  init::constant(slice(read_window.bias.detach(), 0, 4, 5), 2);
  out = Linear({.in_features = o.hidden, .out_features = o.classes, .dtype = o.dtype}, random);
  encoder_h = Parameter(zeros({o.hidden}, o.dtype));
  encoder_c = Parameter(zeros({o.hidden}, o.dtype));
}

Tensor DrawClassifier::forward(const Tensor& images, Trace* trace) const {
  const Options& o = options;
  require(images.rank() == 4 && images.shape() == Shape{images.size(0), o.channels, o.height, o.width},
          "DrawClassifier", "images ", images.shape(), " must be [B,", o.channels, ",", o.height, ",",
          o.width, "]");
  require(images.dtype() == o.dtype, "DrawClassifier", "images are ", images.dtype(), "; this model takes ",
          o.dtype, " in [0, 1]");
  const Shape state{images.size(0), o.hidden};
  LstmState s{expand(unsqueeze(encoder_h, 0), state), expand(unsqueeze(encoder_c, 0), state)};
  for (Index t = 0; t < o.steps; ++t) {
    const Tensor window = read_window.forward(s.h);
    if (trace) trace->read_windows.push_back(window.detach());
    s = encoder.forward(flatten(draw_read(images, window, o.read_size), 1), s);
  }
  return out.forward(s.h);
}

void DrawClassifier::each(Visitor& v) {
  v("encoder", encoder);
  v("read_window", read_window);
  v("out", out);
  v("encoder_h", encoder_h);
  v("encoder_c", encoder_c);
}

}  // namespace fovea::draw
