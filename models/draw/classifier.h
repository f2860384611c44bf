#ifndef FOVEA_MODELS_DRAW_CLASSIFIER_H_
#define FOVEA_MODELS_DRAW_CLASSIFIER_H_

#include "fovea/models/draw/draw.h"

namespace fovea::draw {

/// DRAW's encoder as a classifier that looks at a picture T times and then decides (section 4.1 and table 1
/// of the paper: 100 x 100 cluttered digits, 12 x 12 glimpses, 4 or 8 of them):
///   r_t = read(x, h_{t-1}),  h_t = LSTM(r_t, h_{t-1}),  logits = W h_T + b
/// It starts by looking at the whole picture with a sigma of half a stride and an intensity of e^2.
struct DrawClassifier {
  struct Options {
    Index height = 100, width = 100, channels = 1;
    Index classes = 10;
    Index steps = 8;  ///< T
    Index hidden = 256;
    Index read_size = 12;  ///< N
    DType dtype = DType::f32;
  };

  DrawClassifier() = default;
  DrawClassifier(const Options& options, Generator& random);

  /// images [B,C,H,W] -> logits [B,classes]. Of a trace, only the read windows are filled.
  Tensor forward(const Tensor& images, Trace* trace = nullptr) const;
  void each(Visitor& v);

  Options options;
  LstmCell encoder;
  Linear read_window, out;
  Parameter encoder_h, encoder_c;
};

}  // namespace fovea::draw

#endif  // FOVEA_MODELS_DRAW_CLASSIFIER_H_
