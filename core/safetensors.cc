#include "fovea/core/safetensors.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "fovea/core/stored.h"

namespace fovea {
namespace {

using nlohmann::json;
using Entry = SafetensorsFile::Entry;

constexpr const char* op = "safetensors";
constexpr std::uint64_t longest_header = 100'000'000;

// Every type of the format, with its bits and, when Fovea reads it, what it is.
struct Type {
  std::string_view name;
  std::uint64_t bits;
  std::optional<Stored> stored = std::nullopt;
};
constexpr Type types[] = {
    {"F32", 32, Stored::f32},
    {"F64", 64, Stored::f64},
    {"BF16", 16, Stored::bf16},
    {"I32", 32, Stored::i32},
    {"U8", 8, Stored::u8},
    {"BOOL", 8, Stored::boolean},
    {"F16", 16, Stored::f16},
    {"I64", 64, Stored::i64},
    {"I8", 8},
    {"I16", 16},
    {"U16", 16},
    {"U32", 32},
    {"U64", 64},
    {"C64", 64},
    {"F4", 4},
    {"F6_E2M3", 6},
    {"F6_E3M2", 6},
    {"F8_E4M3", 8},
    {"F8_E5M2", 8},
    {"F8_E8M0", 8},
    {"F8_E4M3FNUZ", 8},
    {"F8_E5M2FNUZ", 8},
};

const Type* find_type(std::string_view name) {
  const auto* t = std::find_if(std::begin(types), std::end(types), [&](auto& x) { return x.name == name; });
  return t == std::end(types) ? nullptr : t;
}

/// An iterator over the header that lets others see how far it has come.
struct Position {
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;
  const char* at;
  const char** seen;
  reference operator*() const { return *at; }
  Position& operator++() {
    *seen = ++at;
    return *this;
  }
  bool operator==(const Position& other) const { return at == other.at; }
  bool operator!=(const Position& other) const { return at != other.at; }
};

/// Takes the header's JSON token by token. It builds no tree, and its few states admit nothing but
/// {name: {dtype: string, shape: [count ...], data_offsets: [count, count]}, "__metadata__": {name: string}}.
class Header {
 public:
  Header(ByteReader& in, std::map<std::string, Entry, std::less<>>& entries, Metadata& metadata)
      : in_(in), entries_(entries), metadata_(metadata) {}

  void parse(std::string_view text) {
    start_ = seen_ = text.data();
    const char* const end = text.data() + text.size();
    // The JSON library takes a zero byte for the end and would not look at what follows.
    if (const auto zero = text.find('\0'); zero != text.npos) in_.fail_at(8 + zero, "header", "a zero byte");
    json::sax_parse(Position{start_, &seen_}, Position{end, &seen_}, this);
  }

  bool start_object(std::size_t) {
    if (state_ == State::nothing) return go(State::file);
    if (state_ != State::entry_value) unexpected("an object");
    if (name_ == "__metadata__") {
      if (std::exchange(has_metadata_, true)) fail("is there twice");
      return go(State::metadata);
    }
    const auto [at, is_new] = entries_.try_emplace(name_);
    if (!is_new) fail("is there twice");
    entry_ = &at->second;
    entry_->offset = offset();
    fields_ = 0;
    return go(State::entry);
  }

  bool end_object() {
    if (state_ == State::file) return go(State::finished);
    if (state_ == State::entry && fields_ != 7) fail("wants dtype, shape and data_offsets");
    return go(State::file);
  }

  bool key(std::string& key) {
    if (state_ == State::file) {
      name_ = std::move(key);
      return go(State::entry_value);
    }
    if (state_ == State::metadata) {
      field_ = std::move(key);
      return go(State::metadata_value);
    }
    field_ = std::move(key);
    const unsigned bit = field_ == "dtype" ? 1 : field_ == "shape" ? 2 : field_ == "data_offsets" ? 4 : 0;
    if (bit == 0) fail("unknown field ", in_quotes(field_));
    if (fields_ & bit) fail(field_, " is there twice");
    fields_ |= bit;
    return go(bit == 1 ? State::dtype : bit == 2 ? State::shape : State::offsets);
  }

  bool string(std::string& text) {
    if (state_ == State::metadata_value) {
      if (!metadata_.emplace(field_, text).second) fail(in_quotes(field_), " is there twice");
      return go(State::metadata);
    }
    if (state_ != State::dtype) unexpected("a string");
    if (!find_type(text)) fail("unknown dtype ", in_quotes(text));
    entry_->dtype = std::move(text);
    return go(State::entry);
  }

  bool start_array(std::size_t) {
    if (state_ != State::shape && state_ != State::offsets) unexpected("a list");
    numbers_.clear();
    return go(state_ == State::shape ? State::shape_list : State::offset_list);
  }

  bool number_unsigned(std::uint64_t value) {
    if (state_ != State::shape_list && state_ != State::offset_list) unexpected("a number");
    if (numbers_.size() == 64) fail(field_, " has more than 64 numbers");
    numbers_.push_back(value);
    return true;
  }

  bool end_array() {
    if (state_ == State::shape_list) {
      entry_->shape = numbers_;
    } else {
      if (numbers_.size() != 2) fail("data_offsets wants two numbers, not ", numbers_.size());
      entry_->begin = numbers_[0];
      entry_->end = numbers_[1];
    }
    return go(State::entry);
  }

  bool null() { unexpected("null"); }
  bool boolean(bool) { unexpected("a truth value"); }
  bool number_integer(std::int64_t) { unexpected("a negative number"); }
  bool number_float(double, const std::string&) { unexpected("a number that is no count"); }
  bool binary(json::binary_t&) { unexpected("binary"); }
  bool parse_error(std::size_t position, const std::string&, const json::exception& e) {
    in_.fail_at(7 + position, "header", std::string_view(e.what()).substr(0, 300));  // it quotes the text
  }

 private:
  enum class State {
    nothing,
    file,
    metadata,
    metadata_value,
    entry_value,
    entry,
    dtype,
    shape,
    shape_list,
    offsets,
    offset_list,
    finished,
  };

  bool go(State next) {
    state_ = next;
    return true;
  }
  /// Just behind the token that is being looked at.
  std::uint64_t offset() const { return 8 + static_cast<std::uint64_t>(seen_ - start_); }
  template <class... Parts>
  [[noreturn]] void fail(const Parts&... parts) {
    in_.fail_at(offset(), "header", in_quotes(name_), ": ", parts...);
  }
  [[noreturn]] void unexpected(const char* what) {
    fail(field_, field_.empty() ? "" : ": ", what, " is out of place");
  }

  ByteReader& in_;
  std::map<std::string, Entry, std::less<>>& entries_;
  Metadata& metadata_;
  const char* start_ = nullptr;
  const char* seen_ = nullptr;
  State state_ = State::nothing;
  std::string name_, field_;
  Entry* entry_ = nullptr;
  unsigned fields_ = 0;
  bool has_metadata_ = false;
  std::vector<std::uint64_t> numbers_;
};

/// Every tensor has the bytes that its shape and type ask for, and together they fill the file.
void check_layout(const std::map<std::string, Entry, std::less<>>& entries, std::uint64_t size,
                  const ByteReader& in) {
  std::vector<const std::pair<const std::string, Entry>*> order;
  for (const auto& item : entries) {
    const auto& [name, e] = item;
    const std::string field = in_quotes(name);
    in.require_at(e.begin <= e.end, e.offset, field, "data_offsets [", e.begin, ",", e.end,
                  "] end before they begin");
    const std::uint64_t bits = find_type(e.dtype)->bits;
    const std::uint64_t count = checked_count(e.shape, in, e.offset, field);
    in.require_at(count * bits % 8 == 0 && e.end - e.begin == count * bits / 8, e.offset, field,
                  "data_offsets span ", e.end - e.begin, " bytes, but shape and dtype want ", count,
                  " elements of ", bits, " bits");
    order.push_back(&item);
  }
  std::sort(order.begin(), order.end(), [](auto* a, auto* b) {
    return std::pair(a->second.begin, a->second.end) < std::pair(b->second.begin, b->second.end);
  });
  std::uint64_t end = 0;
  for (const auto* item : order) {
    in.require_at(item->second.begin == end, item->second.offset, in_quotes(item->first),
                  "data_offsets begin at ", item->second.begin, "; without gap or overlap they would at ",
                  end);
    end = item->second.end;
  }
  // Here the header is sound, so that its sum can be believed.
  const std::uint64_t whole = in.size() - size + end;
  in.require_at(end <= size, in.size(), "data", "truncated: the file has ", in.size(),
                " bytes, its header says ", whole);
  in.require_at(end == size, whole, "data", size - end, " bytes belong to no tensor");
}

/// What a download that went wrong leaves in the place of a file, by its first bytes; null for anything else.
const char* stand_in(std::string_view text) {
  if (text.starts_with("version https://git-lfs.github.com/spec/")) return "a Git LFS pointer";
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first != text.npos && text[first] == '<') return "a web page";
  return nullptr;
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : file_(std::make_shared<MappedFile>(path, op)) {
  ByteReader in = reader();
  in.require_at(in.size() >= 8, 0, "header length", "truncated: the file has ", in.size(),
                " bytes; the shortest there is has 10");
  const auto length = in.little<std::uint64_t>("header length");
  if (length > longest_header) {
    const auto start = file_->bytes().first(std::min<std::size_t>(in.size(), 256));
    if (const char* what = stand_in({reinterpret_cast<const char*>(start.data()), start.size()}))
      fail(op, path.string(), ": is ", what, ": fetch the file itself");
    in.fail_at(0, "header length", length, " bytes; the most is ", longest_header,
               "; this is no safetensors file");
  }
  in.require_at(length <= in.remaining(), 8, "header", "truncated: the file has ", in.size(),
                " bytes, its header alone ends at ", 8 + length);
  const auto header = in.take(length, "header");
  in.require_at(length > 0 && header[0] == std::byte{'{'}, 8, "header", "does not start with '{'");
  Header(in, entries_, metadata_).parse({reinterpret_cast<const char*>(header.data()), header.size()});
  data_offset_ = in.offset();
  check_layout(entries_, in.remaining(), in);
}

ByteReader SafetensorsFile::reader() const { return ByteReader(op, path().string(), file_->bytes()); }

std::vector<std::string> SafetensorsFile::names() const {
  std::vector<std::string> out;
  for (const auto& [name, entry] : entries_) out.push_back(name);
  return out;
}

const Entry& SafetensorsFile::entry(std::string_view name) const {
  const auto found = entries_.find(name);
  require(found != entries_.end(), op, path().string(), ": has no tensor ", in_quotes(name));
  return found->second;
}

Shape SafetensorsFile::shape(std::string_view name) const {
  const Entry& e = entry(name);
  return checked_shape(e.shape, reader(), e.offset, in_quotes(name));
}

DType SafetensorsFile::dtype(std::string_view name) const {
  const Entry& e = entry(name);
  const auto stored = find_type(e.dtype)->stored;
  if (!stored) reader().fail_at(e.offset, in_quotes(name), "Fovea has no tensors of dtype ", e.dtype);
  return dtype_of_stored(*stored);
}

Tensor SafetensorsFile::get(std::string_view name) const {
  const Entry& e = entry(name);
  const Shape shape = this->shape(name);
  const DType dtype = this->dtype(name);
  const Stored stored = *find_type(e.dtype)->stored;
  const std::uint64_t offset = data_offset_ + e.begin;
  const auto bytes = file_->bytes().subspan(offset, e.end - e.begin);
  const bool converted = stored == Stored::f16 || stored == Stored::i64;
  if (converted || offset % size_of(stored) != 0)
    return decode(stored, false, shape, bytes, reader(), offset);
  if (stored == Stored::boolean) check_booleans(bytes, reader(), offset);
  return Tensor::wrap(file_->data() + offset, shape, dtype, [file = file_] {});
}

}  // namespace fovea
