#ifndef FOVEA_MODELS_STN_LEARNER_H_
#define FOVEA_MODELS_STN_LEARNER_H_

#include <optional>
#include <string>
#include <vector>

#include "fovea/models/data/labelled_images.h"
#include "fovea/models/data/loader.h"
#include "fovea/models/stn/stn.h"
#include "fovea/models/training/learner.h"

namespace fovea::stn {

/// Everything that decides a training run but for the digits that it is made of.
struct Settings : FamilySettings<Settings> {
  static constexpr const char* family = "stn";

  std::string task = "cluttered";
  std::string data = "drawn";       ///< what scenes are made of; a name for the caller
  std::string placement = "image";  ///< image, features, chain, parallel or none; see Stn::Placement
  std::string kind = "affine";      ///< affine, projective, tps or attention
  std::string net = "cnn";          ///< cnn, or fcn: fully connected
  Index size = 28;                  ///< pixels a side of what the transformer gives
  std::string padding = "zeros";    ///< what lies around a picture: zeros or border
  double theta_reg = 0;             ///< weight of |theta - identity|^2
  double loc_lr_mult = 1;           ///< the localisation net's learning rate, as a multiple
  bool fresh = true;                ///< distort every digit anew in every epoch
  bool with_baseline = false;       ///< train the two baselines beside it, on the same batches
  std::string dtype = "f32";        ///< of weights and arithmetic: f32 or f64

  std::vector<Setting> own();
};

/// r, rts, p, e, cluttered and addition.
std::vector<std::string> task_names();
/// What a task is, in a line.
std::string about(const std::string& task);

/// The settings that learn a task well here ("default"), or the paper's: SGD, batches of 256 ("paper").
Settings settings_for(const std::string& task, const std::string& net, const std::string& preset);

/// The network of these settings, for pictures [B,C,H,W] of a size.
Stn::Options network_for(const Settings& settings, const Shape& picture);

/// Scenes of a task from digits `indices`. Chance comes from `random` alone.
LabelledImages scenes(const std::string& task, const LabelledImages& digits, std::span<const Index> indices,
                      const Generator& random);

/// A classifier with transformers that learns a task, and the baselines when asked for.
class Learner : public fovea::Learner {
 public:
  /// Scenes are made of the digits [N,1,28,28].
  Learner(const Settings& settings, PictureSet digits);

  const Settings& settings() const { return settings_; }
  std::string settings_json() const override { return settings_.to_json(); }
  Index batches_per_epoch() const { return loader_.batches_per_epoch(); }

  /// The networks: the one with transformers; then, when there are baselines, the same classifier on the
  /// plainly resampled picture, and one on the picture in full size, with no fewer parameters than the first.
  const std::vector<Stn>& models() const { return models_.all; }

  /// Pictures [B,C,H,W] as the networks take them: 0 to 1, in their type; still on the host.
  Tensor input(const Tensor& pictures) const;

  /// What the first network does with such pictures, straight from a set of scenes; all of it on the host.
  Stn::Look look(const Tensor& pictures) const;

  /// Scenes of test digits `from` to `from + count - 1`, always the same.
  LabelledImages test_scenes(Index from, Index count) const;

  /// What the first `count` test scenes (0: all) were taken for.
  struct Score {
    std::vector<double> error_percent;          ///< of each model
    std::vector<std::vector<Index>> confusion;  ///< of the first: [class][answer]
  };
  Score evaluate(Index count = 0) const;

 private:
  struct Models {
    std::vector<Stn> all;
    void each(Visitor& v);
  };

  Batch draw() override;
  Tensor cost(const Batch& batch) override;
  std::vector<NamedTensor> tensors() override;
  void load(const std::vector<NamedTensor>& tensors) override;
  Loader* loader() override { return &loader_; }

  Settings settings_;
  PictureSet digits_;
  Models models_;
  Loader loader_;
};

}  // namespace fovea::stn

#endif  // FOVEA_MODELS_STN_LEARNER_H_
