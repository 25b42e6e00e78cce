#include "native/mesh/number_text.h"

#include <charconv>

namespace daf::mesh {
namespace {

// ECMAScript: digits d…d and where the point lies decide between plain and scientific.
constexpr int kLargest = 21, kSmallest = -5;

void AppendNumber(float value, std::string* out) {
  if (value == 0) {
    *out += '0';
    return;
  }
  char text[32];
  const char* end =
      std::to_chars(text, text + sizeof text, value, std::chars_format::scientific).ptr;
  const char* at = text;
  if (*at == '-') *out += *at++;
  char digits[16];
  int count = 0;
  for (; *at != 'e'; ++at) {
    if (*at != '.') digits[count++] = *at;
  }
  int exponent = 0;
  ++at;
  const bool negative = *at == '-';
  std::from_chars(at + 1, end, exponent);
  const int point = 1 + (negative ? -exponent : exponent);  // digits before the point
  if (point > kLargest || point < kSmallest) {
    *out += digits[0];
    if (count > 1) out->append(1, '.').append(digits + 1, count - 1);
    out->append(point > 0 ? "e+" : "e-").append(std::to_string(point > 0 ? point - 1 : 1 - point));
  } else if (point <= 0) {
    out->append("0.").append(-point, '0').append(digits, count);
  } else if (point >= count) {
    out->append(digits, count).append(point - count, '0');
  } else {
    out->append(digits, point).append(1, '.').append(digits + point, count - point);
  }
}

}  // namespace

void AppendLines(const char* prefix, const float* values, size_t count, size_t width,
                 std::string* out) {
  out->reserve(out->size() + count * 12);
  for (size_t i = 0; i < count; ++i) {
    if (i % width == 0) {
      *out += prefix;
    } else {
      *out += ' ';
    }
    AppendNumber(values[i], out);
    if ((i + 1) % width == 0) *out += '\n';
  }
}

}  // namespace daf::mesh
