#include <filesystem>

#include "fovea/models/gpt/pretrained.h"
#include "fovea/models/layers/weights_file.h"
#include "fovea/models/text/byte_bpe.h"
#include "fovea/ops/create.h"
#include "fovea/ops/gather.h"
#include "fovea/ops/views.h"
#include "tests/errors.h"
#include "tests/golden.h"
#include "tests/rows.h"
#include "tests/scratch.h"

namespace fovea::tests {
namespace {

namespace fs = std::filesystem;
using gpt::Gpt;
using gpt::load_pretrained;

// What tests/golden/gpt2.py made the folders' expectations of.
constexpr auto text =
    "The man who was Thursday\u2019s friend said: \"It\u2019s 12 o'clock\"  \U0001f600 and went.";

fs::path folder(const char* name) { return test_dir() / "golden/gpt2" / name; }
NpzFile expected() { return golden("gpt2/expected.npz"); }

Tensor every_fifth(const Tensor& logits) {
  std::vector<std::int32_t> rows;
  for (Index i = 0; i < logits.size(1); i += 5) rows.push_back(static_cast<std::int32_t>(i));
  return index_select(select(logits, 0, 0), 0, Tensor::from(rows, {static_cast<Index>(rows.size())}));
}

// The fixture in a folder of its own, to be spoiled.
struct Copy {
  Scratch scratch{"gpt2"};
  Copy() { fs::copy(folder("whole"), scratch.path, fs::copy_options::recursive); }
  std::string load_error() const {
    return error_of([&] { load_pretrained(scratch.path); });
  }
  std::string with_config(const std::string& from, const std::string& to) const {
    std::string config;
    std::getline(std::ifstream(scratch.path / "config.json"), config, '\0');
    const std::string before = config;
    REQUIRE(config.find(from) != config.npos);
    scratch.write("config.json", config.replace(config.find(from), from.size(), to));
    const std::string message = load_error();
    scratch.write("config.json", before);
    return message;
  }
  std::string with_weights(const std::function<void(std::vector<NamedTensor>&)>& change) const {
    std::vector<NamedTensor> tensors;
    {
      const SafetensorsFile file(folder("whole") / "model.safetensors");
      for (const std::string& name : file.names()) tensors.push_back({name, file.get(name)});
    }
    change(tensors);
    save_safetensors(scratch.path / "model.safetensors", tensors);
    return load_error();
  }
};

}  // namespace

TEST_CASE("gpt pretrained: f32, f16 in shards, and bf16, as transformers computes them") {
  const Tensor ids = expected().get("ids");
  for (const char* name : {"whole", "shards", "bf16"}) {
    CAPTURE(name);
    const Gpt model = load_pretrained(folder(name));
    CHECK(difference(every_fifth(model.forward(ids)), expected().get(cat(name, "/logits"))) <= 1e-5);
  }
  Generator random;
  const Gpt model = load_pretrained(folder("whole"));
  CHECK(difference(model.generate(slice(ids, 1, 0, 8), 16, {.temperature = 0}, random),
                   expected().get("greedy")) == 0);
}

TEST_CASE("gpt pretrained: the tokenizers of both layouts") {
  const Tensor ids = expected().get("ids");
  for (const char* name : {"whole", "shards"}) {
    const ByteBpe tokenizer = ByteBpe::load(folder(name));
    const std::vector<std::int32_t> got = tokenizer.encode(text);
    CHECK(difference(Tensor::from(std::span(got), {1, static_cast<Index>(got.size())}), ids) == 0);
    CHECK(tokenizer.decode(got) == text);
    const Scratch saved("gpt2-saved");
    tokenizer.save_tokenizer(saved.path);
    const ByteBpe again = ByteBpe::load(saved.path);
    CHECK(again.size() == tokenizer.size());
    CHECK(again.added("<|endoftext|>") == tokenizer.added("<|endoftext|>"));
    const std::string more = std::string(text) + "<|endoftext|> it's 12  words\n\tand \xc3\xa9.";
    CHECK(again.encode(more) == tokenizer.encode(more));
  }
  const Scratch scratch("gpt2-template");
  std::string file;
  std::getline(std::ifstream(folder("shards") / "tokenizer.json"), file, '\0');
  const std::string plain = R"("single":[{"Sequence")";
  REQUIRE(file.find(plain) != file.npos);
  file.replace(file.find(plain), plain.size(), R"("single":[{"SpecialToken":{"id":"<s>"}},{"Sequence")");
  scratch.write("tokenizer.json", file);
  CHECK(contains(error_of([&] { ByteBpe::load(scratch.path); }), "post_processor.single puts tokens around"));
}

TEST_CASE("gpt pretrained: what is saved is read again; biases that were not there are 0") {
  const Tensor ids = expected().get("ids");
  Generator random(3);
  Gpt read = load_pretrained(folder("whole")),
      made({.vocabulary = 500, .block_size = 60, .layers = 1, .heads = 2, .embed_dim = 8, .bias = false},
           random);
  for (Gpt* model : {&read, &made}) {
    const Scratch scratch("gpt2-saved");
    save_pretrained(*model, scratch.path / "new");
    Gpt again = load_pretrained(scratch.path / "new");
    CHECK(difference(again.forward(ids), model->forward(ids)) == 0);
    CHECK(again.options.bias);
    CHECK(again.options.activation == model->options.activation);
    CHECK(again.options.dropout == model->options.dropout);
    CHECK(again.options.block_size == model->options.block_size);
  }
  CHECK(named_tensors(made).size() < named_tensors(read).size());
}

TEST_CASE("gpt pretrained: what does not fit is named") {
  const Copy copy;
  const auto rename = [](const char* to) {
    return [to](std::vector<NamedTensor>& tensors) {
      for (NamedTensor& t : tensors)
        if (t.name == "transformer.h.1.mlp.c_fc.weight") t.name = to;
    };
  };
  std::string message = copy.with_weights(rename("transformer.h.1.mlp.c_fd.weight"));
  CHECK(contains(message,
                 "missing: transformer.h.1.mlp.c_fc.weight (the nearest there is "
                 "transformer.h.1.mlp.c_fd.weight)"));
  message = copy.with_weights([](auto& tensors) {
    for (NamedTensor& t : tensors)
      if (t.name == "transformer.h.0.attn.c_attn.weight") t.tensor = zeros({72, 24});
  });
  CHECK(contains(message, "mismatched: transformer.h.0.attn.c_attn.weight: (72,24)"));
  CHECK(copy.with_weights([](auto& tensors) {
    for (NamedTensor& t : tensors)
      if (t.name.starts_with("transformer.")) t.name.erase(0, 12);
    tensors.push_back({"h.0.attn.bias", zeros({1, 1, 53, 53})});
  }) == "");
  CHECK(contains(copy.with_config("\"n_layer\": 2", "\"n_layer\": 1"), "unexpected: transformer.h.1."));
}

TEST_CASE("gpt pretrained: configurations that are not, or ask for what is not there") {
  const Copy copy;
  const auto with = [&](const char* from, const char* to, const char* message) {
    INFO(to);
    CHECK_MESSAGE(contains(copy.with_config(from, to), message), copy.with_config(from, to));
  };
  with("\"model_type\": \"gpt2\"", "\"model_type\": \"bert\"", "model_type is 'bert'; only 'gpt2'");
  with("gelu_new", "silu", "activation_function is 'silu'");
  with("\"scale_attn_weights\": true", "\"scale_attn_weights\": false", "scale_attn_weights is false");
  with("\"tie_word_embeddings\": true", "\"tie_word_embeddings\": false", "tie_word_embeddings is false");
  with("\"add_cross_attention\": false", "\"add_cross_attention\": true", "add_cross_attention is true");
  with("\"attn_pdrop\": 0.1", "\"attn_pdrop\": 0.2", "attn_pdrop is not resid_pdrop");
  with("\"n_inner\": null", "\"n_inner\": 7", "n_inner is 7; Fovea's GPT has 4 n_embd, 96");
  with("\"n_embd\": 24", "\"n_embd\": 25", "n_head 3 must divide n_embd 25");
  with("\"n_embd\": 24", "\"n_embd\": 0", "n_embd is 0");
  with("\"n_head\": 3", "\"n_head\": -3", "n_head is -3");
  with("\"n_layer\": 2", "\"n_layer\": 2147483647", "describes a model of");
  with("\"vocab_size\": 500", "\"vocab_size\": 2147483647", "describes a model of");
  with("\"vocab_size\": 500", "\"no\": 500", "has no vocab_size");
  with("\"n_positions\": 53", "\"no\": 53", "has no n_positions");
  CHECK(copy.with_config("\"n_positions\": 53", "\"n_ctx\": 53") == "");
  with("{", "", "no JSON at offset");
  copy.scratch.write("model.safetensors", "nonsense");
  CHECK(contains(copy.load_error(), "model.safetensors"));
  fs::remove(copy.scratch.path / "model.safetensors");
  CHECK(contains(copy.load_error(), "neither model.safetensors nor"));
  fs::remove(copy.scratch.path / "config.json");
  CHECK(contains(copy.load_error(), "config.json"));
}

}  // namespace fovea::tests
