#include "fovea/models/layers/config_file.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "fovea/core/byte_reader.h"
#include "fovea/core/gzip.h"

namespace fovea {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

std::string shown(const json& v) {
  return v.dump(-1, ' ', false, json::error_handler_t::replace).substr(0, 60);
}

// The first of several names is the one that is written.
constexpr std::pair<const char*, Activation> activations[] = {{"gelu", Activation::gelu},
                                                              {"gelu_new", Activation::gelu_tanh},
                                                              {"gelu_pytorch_tanh", Activation::gelu_tanh},
                                                              {"relu", Activation::relu}};

}  // namespace

struct ConfigFile::Tree {
  fs::path path;
  json value;
};

ConfigFile::ConfigFile(const fs::path& path) {
  constexpr std::uint64_t longest = std::uint64_t{1} << 26;
  const std::string text = read_text(path, longest, "pretrained");
  try {
    tree_ = std::make_shared<Tree>(Tree{path, json::parse(text)});
  } catch (const json::parse_error& e) {
    fail("pretrained", path.string(), ": no JSON at offset ", e.byte > 0 ? e.byte - 1 : 0);
  } catch (const json::out_of_range&) {
    fail("pretrained", path.string(), ": has a number that is too large");
  }
}

std::string ConfigFile::path() const { return tree_->path.string(); }

bool ConfigFile::has(const char* key) const {
  check(tree_->value.is_object(), "is no object");
  return tree_->value.contains(key) && !tree_->value[key].is_null();
}

Index ConfigFile::count(const char* key, std::optional<Index> otherwise) const {
  constexpr Index most = std::numeric_limits<std::int32_t>::max();
  if (!has(key) && otherwise) return *otherwise;
  check(has(key), "has no ", key);
  const json& v = tree_->value[key];
  check(v.is_number_unsigned() && v.get<std::uint64_t>() <= most, key, " is ", shown(v),
        ", no whole number up to ", most);
  return v.get<Index>();
}

double ConfigFile::number(const char* key, double low, double high, double otherwise) const {
  if (!has(key)) return otherwise;
  const json& v = tree_->value[key];
  check(v.is_number() && v >= low && v < high, key, " is ", shown(v), ", no number from ", low, " to ", high);
  return v.get<double>();
}

bool ConfigFile::boolean(const char* key, bool otherwise) const {
  if (!has(key)) return otherwise;
  check(tree_->value[key].is_boolean(), key, " is neither true nor false");
  return tree_->value[key].get<bool>();
}

std::string ConfigFile::text(const char* key, const std::string& otherwise) const {
  if (!has(key)) return otherwise;
  check(tree_->value[key].is_string(), key, " is no string");
  return tree_->value[key].get<std::string>();
}

std::vector<std::string> ConfigFile::one_or_more(const char* key) const {
  if (!has(key)) return {};
  if (!tree_->value[key].is_array()) return {text(key, "")};
  std::vector<std::string> out;
  for (const json& item : tree_->value[key]) {
    check(item.is_string(), key, "[", out.size(), "] is ", shown(item), ", no string");
    out.push_back(item.get<std::string>());
  }
  return out;
}

Activation ConfigFile::activation(const char* key, const char* otherwise) const {
  const std::string name = text(key, otherwise);
  const auto* found = std::ranges::find(activations, name, [](const auto& a) { return a.first; });
  check(found != std::end(activations), key, " is ", in_quotes(name),
        "; there are gelu, gelu_new, gelu_pytorch_tanh and relu");
  return found->second;
}

const char* config_name(Activation activation) {
  return std::ranges::find(activations, activation, [](const auto& a) { return a.second; })->first;
}

std::map<std::string, std::string> ConfigFile::texts(const char* key) const {
  check(has(key) && tree_->value[key].is_object(), "has no ", key);
  std::map<std::string, std::string> out;
  for (const auto& [name, text] : tree_->value[key].items()) {
    check(text.is_string(), key, ": ", in_quotes(name), " is ", shown(text), ", no string");
    out.emplace(name, text.get<std::string>());
  }
  return out;
}

std::vector<std::string> ConfigFile::switches(const char* prefix) const {
  check(tree_->value.is_object(), "is no object");
  std::vector<std::string> out;
  for (const auto& [key, value] : tree_->value.items())
    if (key.starts_with(prefix) && value == true) out.push_back(key);
  return out;
}

std::vector<std::string> ConfigFile::column(const char* key) const {
  check(tree_->value.is_array(), "is no list");
  std::vector<std::string> out;
  for (const json& row : tree_->value) {
    const bool there = row.is_object() && row.contains(key) && row[key].is_string();
    check(there, "entry ", out.size(), " has no ", key);
    out.push_back(row[key].get<std::string>());
  }
  return out;
}

WeightsFolder::WeightsFolder(const fs::path& folder) : source(folder / "model.safetensors") {
  if (fs::exists(source)) {
    const SafetensorsFile file(source);
    for (const std::string& name : file.names()) in.emplace(name, file);
    return;
  }
  source = folder / "model.safetensors.index.json";
  require(fs::exists(source), "pretrained", folder.string(), " has neither model.safetensors nor ",
          source.filename().string(),
          fs::exists(folder / "pytorch_model.bin")
              ? "; pytorch_model.bin is not read: save it anew with transformers"
              : "");
  const ConfigFile index(source);
  std::map<std::string, SafetensorsFile> shards;
  for (const auto& [name, shard] : index.texts("weight_map")) {
    index.check(!shard.empty() && fs::path(shard).filename() == shard && shard != ".." && shard != ".",
                "weight_map: ", in_quotes(shard), " is no name of a file in this folder");
    auto at = shards.find(shard);
    if (at == shards.end()) at = shards.emplace(shard, SafetensorsFile(folder / shard)).first;
    index.check(at->second.contains(name), "weight_map: ", shard, " has no tensor ", in_quotes(name));
    in.emplace(name, at->second);
  }
}

}  // namespace fovea
