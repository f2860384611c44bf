#include "fovea/models/bert/pretrained.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "fovea/core/atomic_file.h"
#include "fovea/core/byte_reader.h"
#include "fovea/core/gzip.h"
#include "fovea/models/layers/weights_file.h"

namespace fovea::bert {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr auto op = "pretrained";

/// A JSON file whose members are asked for by type; every complaint names the file.
class JsonFile {
 public:
  explicit JsonFile(const fs::path& path) : path_(path) {
    constexpr std::uint64_t longest = std::uint64_t{1} << 26;
    const std::string text = read_text(path, longest, op);
    try {
      value = json::parse(text);
    } catch (const json::parse_error& e) {
      fail(op, path.string(), ": no JSON at offset ", e.byte > 0 ? e.byte - 1 : 0);
    }
  }

  template <class... Parts>
  void check(bool ok, const Parts&... parts) const {
    require(ok, op, path_.string(), ": ", parts...);
  }
  bool has(const char* key) const {
    check(value.is_object(), "is no object");
    return value.contains(key) && !value[key].is_null();
  }
  Index count(const char* key, std::optional<Index> otherwise = {}) const {
    constexpr Index most = std::numeric_limits<std::int32_t>::max();
    if (!has(key) && otherwise) return *otherwise;
    check(has(key), "has no ", key);
    const json& v = value[key];
    check(v.is_number_unsigned() && v.get<std::uint64_t>() <= most, key, " is ", shown(v),
          ", no whole number up to ", most);
    return v.get<Index>();
  }
  double number(const char* key, double low, double high, double otherwise) const {
    if (!has(key)) return otherwise;
    check(value[key].is_number() && value[key] >= low && value[key] < high, key, " is ", shown(value[key]),
          ", no number from ", low, " to ", high);
    return value[key].get<double>();
  }
  bool boolean(const char* key, bool otherwise) const {
    if (!has(key)) return otherwise;
    check(value[key].is_boolean(), key, " is neither true nor false");
    return value[key].get<bool>();
  }
  std::string text(const char* key, const char* otherwise) const {
    if (!has(key)) return otherwise;
    check(value[key].is_string(), key, " is no string");
    return value[key].get<std::string>();
  }

  json value;

 private:
  static std::string shown(const json& v) {
    return v.dump(-1, ' ', false, json::error_handler_t::replace).substr(0, 60);
  }
  fs::path path_;
};

constexpr std::pair<const char*, Activation> activations[] = {{"gelu", Activation::gelu},
                                                              {"gelu_new", Activation::gelu_tanh},
                                                              {"gelu_pytorch_tanh", Activation::gelu_tanh},
                                                              {"relu", Activation::relu}};

Options read_config(const fs::path& path) {
  const JsonFile file(path);
  const std::string type = file.text("model_type", "");
  file.check(type == "bert", "model_type is ", in_quotes(type), "; only 'bert' is read");
  file.check(!file.boolean("is_decoder", false) && !file.boolean("add_cross_attention", false),
             "asks for a decoder; only encoders are read");
  const std::string positions = file.text("position_embedding_type", "absolute");
  file.check(positions == "absolute", "position_embedding_type is ", in_quotes(positions),
             "; only 'absolute' is read");
  const std::string act = file.text("hidden_act", "gelu");
  const auto* activation = std::find_if(std::begin(activations), std::end(activations),
                                        [&](const auto& a) { return a.first == act; });
  file.check(activation != std::end(activations), "hidden_act is ", in_quotes(act),
             "; there are gelu, gelu_new, gelu_pytorch_tanh and relu");
  Options o{.vocabulary = file.count("vocab_size"),
            .positions = file.count("max_position_embeddings"),
            .segments = file.count("type_vocab_size", 2),
            .layers = file.count("num_hidden_layers"),
            .heads = file.count("num_attention_heads"),
            .hidden = file.count("hidden_size"),
            .intermediate = file.count("intermediate_size"),
            .activation = activation->second,
            .eps = file.number("layer_norm_eps", 0, 1, 1e-12),
            .dropout = file.number("hidden_dropout_prob", 0, 1, 0.1),
            .attention_dropout = file.number("attention_probs_dropout_prob", 0, 1, 0.1),
            .tied = file.boolean("tie_word_embeddings", true)};
  file.check(o.heads > 0 && o.hidden % o.heads == 0, "num_attention_heads ", o.heads,
             " must divide hidden_size ", o.hidden);
  return o;
}

/// Where each tensor lies: the files stay mapped.
struct Weights {
  fs::path source;
  std::map<std::string, SafetensorsFile> in;  // by the tensors' names in the files
};

Weights open_weights(const fs::path& folder) {
  const fs::path whole = folder / "model.safetensors", index = folder / "model.safetensors.index.json";
  Weights out{whole, {}};
  if (fs::exists(whole)) {
    const SafetensorsFile file(whole);
    for (const std::string& name : file.names()) out.in.emplace(name, file);
    return out;
  }
  require(fs::exists(index), op, folder.string(), " has neither model.safetensors nor ",
          index.filename().string(),
          fs::exists(folder / "pytorch_model.bin")
              ? "; pytorch_model.bin is not read: save it anew with transformers"
              : "");
  out.source = index;
  const JsonFile file(index);
  file.check(file.has("weight_map") && file.value["weight_map"].is_object(), "has no weight_map");
  std::map<std::string, SafetensorsFile> shards;
  for (const auto& [name, shard] : file.value["weight_map"].items()) {
    file.check(shard.is_string(), "weight_map: ", in_quotes(name), " names no file");
    const std::string shard_name = shard.get<std::string>();
    file.check(!shard_name.empty() && fs::path(shard_name).filename() == shard_name && shard_name != "..",
               "weight_map: ", in_quotes(shard_name), " is no name of a file in this folder");
    auto at = shards.find(shard_name);
    if (at == shards.end()) at = shards.emplace(shard_name, SafetensorsFile(folder / shard_name)).first;
    file.check(at->second.contains(name), "weight_map: ", shard_name, " has no tensor ", in_quotes(name));
    out.in.emplace(name, at->second);
  }
  return out;
}

void replace_end(std::string& text, std::string_view end, std::string_view by) {
  if (text.ends_with(end)) text.replace(text.size() - end.size(), end.size(), by);
}

/// A tensor's name as BertModel has it, or of the head.
std::string plain_name(std::string name) {
  if (name.starts_with("bert.")) name.erase(0, 5);
  replace_end(name, ".gamma", ".weight");
  replace_end(name, ".beta", ".bias");
  return name;
}

/// How many values a model of these options has, as a number that does not overflow.
double size_of(const Options& o) {
  const auto d = [](Index n) { return static_cast<double>(n); };
  return d(o.hidden) * (d(o.vocabulary) + d(o.positions) + d(o.segments) +
                        d(o.layers) * (4.0 * d(o.hidden) + 2.0 * d(o.intermediate)));
}

}  // namespace

Pretrained load_pretrained(const fs::path& folder) {
  Options options = read_config(folder / "config.json");
  const Weights weights = open_weights(folder);

  Pretrained out;
  std::map<std::string, std::string> stored;  // by plain name, the name in the file
  double values = 0;
  for (const auto& [name, file] : weights.in) {
    const std::string plain = plain_name(name);
    if (plain == "embeddings.position_ids") continue;  // 0, 1, 2, ..., which old versions saved
    const auto of = [&](const char* part) { return plain.starts_with(part); };
    if (!of("embeddings.") && !of("encoder.") && !of("pooler.") && !of("cls.predictions.")) {
      out.ignored.push_back(name);
      continue;
    }
    const auto [at, is_new] = stored.emplace(plain, name);
    require(is_new, op, weights.source.string(), " has both ", in_quotes(at->second), " and ",
            in_quotes(name), ", which are one tensor");
    values += static_cast<double>(file.shape(name).numel());
  }
  const auto any = [&](const char* part) {
    const auto at = stored.lower_bound(part);
    return at != stored.end() && at->first.starts_with(part);
  };
  options.pooler = any("pooler.");
  options.head = any("cls.predictions.");
  // A config is a few bytes, and must not decide alone how much memory is taken.
  require(size_of(options) < 4 * values + 1e7, op, folder.string(), ": config.json describes a model of ",
          size_of(options), " values, but the files hold ", values);

  std::vector<NamedTensor> tensors;
  for (const auto& [plain, name] : stored) {
    const bool prefixed = options.head && !plain.starts_with("cls.");
    tensors.push_back({prefixed ? "bert." + plain : plain, weights.in.at(name).get(name)});
  }
  out.model = Bert::unset(options);
  load_tensors(out.model, tensors, true, weights.source.string());
  return out;
}

void save_pretrained(Bert& model, const fs::path& folder) {
  fs::create_directories(folder);
  const Options& o = model.options;
  const auto* activation = std::find_if(std::begin(activations), std::end(activations),
                                        [&](const auto& a) { return a.second == o.activation; });
  const nlohmann::ordered_json config{{"architectures", {o.head ? "BertForMaskedLM" : "BertModel"}},
                                      {"model_type", "bert"},
                                      {"vocab_size", o.vocabulary},
                                      {"max_position_embeddings", o.positions},
                                      {"type_vocab_size", o.segments},
                                      {"num_hidden_layers", o.layers},
                                      {"num_attention_heads", o.heads},
                                      {"hidden_size", o.hidden},
                                      {"intermediate_size", o.intermediate},
                                      {"hidden_act", activation->first},
                                      {"layer_norm_eps", o.eps},
                                      {"hidden_dropout_prob", o.dropout},
                                      {"attention_probs_dropout_prob", o.attention_dropout},
                                      {"tie_word_embeddings", o.tied}};
  save_parameters(model, folder / "model.safetensors");
  write_atomically(folder / "config.json", config.dump(2) + "\n", op);
}

SentenceOptions read_sentence_options(const fs::path& folder, Index positions) {
  SentenceOptions out{.longest = positions};
  fs::path pooling = folder / "1_Pooling";
  if (fs::exists(folder / "modules.json")) {
    const JsonFile file(folder / "modules.json");
    file.check(file.value.is_array(), "is no list");
    for (const json& module : file.value) {
      file.check(module.is_object() && module.contains("type") && module["type"].is_string(),
                 "has a module without type");
      const std::string type = module["type"].get<std::string>();
      const std::string last = type.substr(type.rfind('.') + 1);
      if (last == "Normalize") out.normalize = true;
      file.check(last == "Transformer" || last == "Pooling" || last == "Normalize", "module ",
                 in_quotes(type), " is not known; there are Transformer, Pooling and Normalize");
    }
  }
  if (fs::exists(pooling / "config.json")) {
    const JsonFile file(pooling / "config.json");
    std::vector<std::string> modes;
    if (file.has("pooling_mode")) modes.push_back(file.text("pooling_mode", ""));
    for (const auto& [key, value] : file.value.items())
      if (key.starts_with("pooling_mode_") && value == true) modes.push_back(key.substr(13));
    file.check(modes.size() == 1, "asks for ", modes.size(), " kinds of pooling; Fovea does one");
    file.check(modes[0].starts_with("mean") ? modes[0] == "mean" || modes[0] == "mean_tokens"
                                            : modes[0] == "cls" || modes[0] == "cls_token",
               "asks for pooling by ", in_quotes(modes[0]), "; Fovea does mean and cls");
    out.pooling = modes[0].starts_with("cls") ? Pooling::cls : Pooling::mean;
  }
  if (fs::exists(folder / "sentence_bert_config.json")) {
    const JsonFile file(folder / "sentence_bert_config.json");
    out.longest = std::min(positions, file.count("max_seq_length", positions));
    file.check(out.longest >= 2, "max_seq_length is ", out.longest, "; [CLS] and [SEP] alone are 2");
  }
  return out;
}

}  // namespace fovea::bert
