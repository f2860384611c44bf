#include "fovea/core/npy.h"

#include <utility>
#include <vector>

#include "fovea/core/arithmetic.h"
#include "fovea/core/mapped_file.h"

namespace fovea {
namespace {

constexpr const char* op = "npy";
constexpr std::string_view magic = "\x93NUMPY";
constexpr std::uint64_t longest_header = 1 << 20;  // NumPy itself reads no more than 10,000

constexpr std::pair<std::string_view, Stored> types[] = {
    {"f4", Stored::f32}, {"f8", Stored::f64}, {"i4", Stored::i32},     {"u1", Stored::u8},
    {"f2", Stored::f16}, {"i8", Stored::i64}, {"b1", Stored::boolean},
};

/// Reads the header's text, a Python dictionary: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }.
class Dictionary {
 public:
  Dictionary(const ByteReader& in, std::string_view text, std::uint64_t offset)
      : in_(in), text_(text), offset_(offset) {}

  detail::NpyHeader parse() {
    unsigned seen = 0;
    expect('{');
    while (!accept('}')) {
      const std::string_view key = string();
      expect(':');
      const unsigned bit = key == "descr" ? 1 : key == "fortran_order" ? 2 : key == "shape" ? 4 : 0;
      if (bit == 0) fail("unknown key ", in_quotes(key));
      if (seen & bit) fail("key ", in_quotes(key), " is there twice");
      seen |= bit;
      if (bit == 1) descr();
      if (bit == 2) fortran_order();
      if (bit == 4) shape();
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    if (seen != 7) fail("wants the keys descr, fortran_order and shape");
    skip_space();
    if (at_ != text_.size()) fail("text behind the dictionary");
    header_.data_bytes = static_cast<std::uint64_t>(header_.shape.numel()) * size_of(header_.type);
    return header_;
  }

 private:
  void descr() {
    skip_space();
    if (at_ < text_.size() && text_[at_] == '[') fail("arrays of records cannot be read");
    const std::string_view text = string();
    const std::string_view order = text.substr(0, 1), name = text.empty() ? text : text.substr(1);
    for (const auto& [letters, type] : types) {
      if (letters != name) continue;
      if (order != "<" && order != ">" && order != "=" && !(order == "|" && size_of(type) == 1)) break;
      header_.type = type;
      header_.swap = order == ">";
      return;
    }
    fail("dtype ", in_quotes(text), " cannot be read; f2, f4, f8, i4, i8, u1 and b1 can");
  }

  void fortran_order() {
    if (accept_word("True"))
      header_.fortran_order = true;
    else if (!accept_word("False"))
      fail("fortran_order is neither True nor False");
  }

  void shape() {
    std::vector<std::uint64_t> sizes;
    expect('(');
    while (!accept(')')) {
      if (sizes.size() == 64) fail("shape has more than 64 dimensions");
      sizes.push_back(count());
      if (!accept(',')) {
        if (sizes.size() == 1) fail("a shape of one dimension wants a comma: (3,)");
        expect(')');
        break;
      }
    }
    header_.shape = checked_shape(sizes, in_, offset_ + at_, "shape");
  }

  std::uint64_t count() {
    skip_space();
    std::uint64_t value = 0;
    const std::size_t start = at_;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      if (at_ - start == 18) fail("a size has more than 18 digits");
      value = value * 10 + static_cast<std::uint64_t>(text_[at_] - '0');
    }
    if (at_ == start) fail("a size was expected");
    if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // written by Python 2
    return value;
  }

  std::string_view string() {
    skip_space();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '\'' && quote != '"') fail("a string was expected");
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == text_.npos) fail("a string does not end");
    const std::string_view out = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return out;
  }

  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool accept_word(std::string_view word) {
    skip_space();
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }
  bool accept(char c) { return accept_word({&c, 1}); }
  void expect(char c) {
    if (!accept(c)) fail("'", c, "' was expected");
  }
  template <class... Parts>
  [[noreturn]] void fail(const Parts&... parts) const {
    in_.fail_at(offset_ + at_, "header", parts...);
  }

  const ByteReader& in_;
  std::string_view text_;
  std::uint64_t offset_;  // of the text in the file
  std::size_t at_ = 0;
  detail::NpyHeader header_;
};

/// Reads up to the header's text and gives its length.
std::uint64_t read_preamble(ByteReader& in) {
  const auto start = in.take(magic.size(), "magic");
  const std::string_view text(reinterpret_cast<const char*>(start.data()), start.size());
  in.require_at(text == magic, 0, "magic", "is not that of a .npy file");
  const auto major = in.little<std::uint8_t>("version");
  const auto minor = in.little<std::uint8_t>("version");
  in.require_at(major >= 1 && major <= 3 && minor == 0, 6, "version", int{major}, ".", int{minor},
                " is not known");
  const std::uint64_t length =
      major == 1 ? in.little<std::uint16_t>("header length") : in.little<std::uint32_t>("header length");
  in.require_at(length <= longest_header, 8, "header length", length, " bytes; the most is ", longest_header);
  return length;
}

}  // namespace

std::uint64_t detail::npy_data_offset(ByteReader in) {
  const auto length = read_preamble(in);
  return in.offset() + length;
}

detail::NpyHeader detail::read_npy_header(ByteReader& in) {
  const auto length = read_preamble(in);
  const auto offset = in.offset();
  const auto text = in.take(length, "header");
  return Dictionary(in, {reinterpret_cast<const char*>(text.data()), text.size()}, offset).parse();
}

Tensor detail::read_npy(ByteReader& in) {
  const NpyHeader header = read_npy_header(in);
  const auto offset = in.offset();
  in.require_at(in.remaining() == header.data_bytes, offset, "elements", "shape ", header.shape, " wants ",
                header.data_bytes, " bytes, but there are ", in.remaining());
  const auto bytes = in.take(header.data_bytes, "elements");
  const Shape& shape = header.shape;
  if (!header.fortran_order) return decode(header.type, header.swap, shape, bytes, in, offset);
  Shape reversed = shape, strides = shape;
  for (int i = 0; i < shape.rank(); ++i) reversed[i] = shape[shape.rank() - 1 - i];
  Index step = 1;
  for (int i = 0; i < shape.rank(); step *= shape[i++]) strides[i] = step;
  return packed(decode(header.type, header.swap, reversed, bytes, in, offset).view(shape, strides, 0));
}

std::string detail::npy_header(DType dtype, const Shape& shape) {
  constexpr const char* names[] = {"<f4", "<f8", "<f4", "<i4", "|u1"};  // by DType
  std::string text =
      cat("{'descr': '", names[static_cast<int>(dtype)], "', 'fortran_order': False, 'shape': (");
  for (int i = 0; i < shape.rank(); ++i) text += cat(i ? ", " : "", shape[i]);
  text += shape.rank() == 1 ? ",), }" : "), }";
  constexpr std::size_t before = 10;  // magic, version, length
  text.resize((before + text.size() + 1 + 63) / 64 * 64 - before - 1, ' ');
  text += '\n';
  std::string out(magic);
  for (std::size_t byte : {std::size_t{1}, std::size_t{0}, text.size() & 255, text.size() >> 8})
    out += static_cast<char>(byte);
  return out + text;
}

Tensor detail::npy_elements(const Tensor& t) {
  const Tensor row_major = on_host(t);
  if (t.dtype() != DType::bf16) return row_major;
  Tensor wide = Tensor::empty(t.shape(), DType::f32);
  const auto* from = row_major.data<bf16>();
  auto* to = static_cast<float*>(wide.raw_mutable());
  for (Index i = 0; i < t.numel(); ++i) to[i] = static_cast<float>(from[i]);
  return wide;
}

Tensor load_npy(const std::filesystem::path& path) {
  const MappedFile file(path, op);
  ByteReader in(op, path.string(), file.bytes());
  return detail::read_npy(in);
}

void save_npy(const std::filesystem::path& path, const Tensor& t) {
  const Tensor elements = detail::npy_elements(t);
  AtomicFile file(path, op);
  file.write(detail::npy_header(t.dtype(), t.shape()));
  file.write({static_cast<const std::byte*>(elements.raw()), elements.bytes()});
  file.commit();
}

void NpyRows::write(const Tensor& rows) {
  require(rows.rank() >= 1, op, "rows must have a first dimension, not shape ", rows.shape());
  if (!shape_) {
    shape_ = rows.shape().replaced(0, 0);
    dtype_ = rows.dtype();
    const std::string header = detail::npy_header(dtype_, *shape_);
    file_.write(header);
    file_.overwrite(0, std::as_bytes(std::span(header)));  // where that is impossible, it is known now
  }
  require(rows.dtype() == dtype_ && rows.shape().replaced(0, (*shape_)[0]) == *shape_, op, "rows ",
          rows.dtype(), rows.shape(), " do not go on from ", dtype_, *shape_);
  const Tensor elements = detail::npy_elements(rows);
  file_.write({static_cast<const std::byte*>(elements.raw()), elements.bytes()});
  (*shape_)[0] += rows.size(0);
}

void NpyRows::commit() {
  require(shape_.has_value(), op, "no rows were written, and their shape is unknown");
  const std::size_t before = detail::npy_header(dtype_, shape_->replaced(0, 0)).size();
  std::string header = detail::npy_header(dtype_, *shape_);
  require(header.size() == before, op, "the header of ", *shape_, " has no room for its rows");
  file_.overwrite(0, std::as_bytes(std::span(header)));
  file_.commit();
}

}  // namespace fovea
