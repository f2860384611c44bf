#ifndef FOVEA_MODELS_LAYERS_CONFIG_FILE_H_
#define FOVEA_MODELS_LAYERS_CONFIG_FILE_H_

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fovea/core/error.h"
#include "fovea/core/safetensors.h"
#include "fovea/core/shape.h"
#include "fovea/ops/linear.h"

/// Folders in Hugging Face's layout: config.json, and model.safetensors or its shards. All files are taken
/// for hostile; every complaint is an Error that names the file.

namespace fovea {

/// A JSON file whose members are asked for by type. A member that is null counts as absent.
class ConfigFile {
 public:
  /// Throws where it is no JSON.
  explicit ConfigFile(const std::filesystem::path& path);

  template <class... Parts>
  void check(bool ok, const Parts&... parts) const {
    require(ok, "pretrained", path(), ": ", parts...);
  }
  bool has(const char* key) const;
  /// A whole number from 0 to 2^31 - 1. Throws where there is none and no `otherwise`.
  Index count(const char* key, std::optional<Index> otherwise = {}) const;
  /// From `low` up to, but without, `high`.
  double number(const char* key, double low, double high, double otherwise) const;
  bool boolean(const char* key, bool otherwise) const;
  std::string text(const char* key, const std::string& otherwise) const;
  /// A text, or a list of them; empty where there is none.
  std::vector<std::string> one_or_more(const char* key) const;
  /// By Hugging Face's names: gelu, gelu_new, gelu_pytorch_tanh, relu.
  Activation activation(const char* key, const char* otherwise) const;

  /// The member `key`, an object of nothing but texts.
  std::map<std::string, std::string> texts(const char* key) const;
  /// The members that are true and whose names begin like this, sorted.
  std::vector<std::string> switches(const char* prefix) const;
  /// The text `key` of every object in a list, which the file is.
  std::vector<std::string> column(const char* key) const;

 private:
  struct Tree;
  std::string path() const;
  std::shared_ptr<const Tree> tree_;
};

/// The name that a config.json has for it.
const char* config_name(Activation activation);

/// The weights in a folder. Files stay mapped as long as this or a tensor of it lives.
struct WeightsFolder {
  std::filesystem::path source;               ///< model.safetensors, or the index of its shards
  std::map<std::string, SafetensorsFile> in;  ///< where each tensor lies, by name

  /// Throws where there are none, or shards are not as the index says.
  explicit WeightsFolder(const std::filesystem::path& folder);
};

}  // namespace fovea

#endif  // FOVEA_MODELS_LAYERS_CONFIG_FILE_H_
