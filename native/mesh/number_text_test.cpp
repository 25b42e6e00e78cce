#include "native/mesh/number_text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include "native/base/rng.h"

namespace daf::mesh {
namespace {

std::string Text(float value) {
  std::string out;
  AppendLines("", &value, 1, 1, &out);
  return out.substr(0, out.size() - 1);
}

TEST(NumberText, IsWrittenAsEcmaScriptWritesNumbers) {
  EXPECT_EQ(Text(0), "0");
  EXPECT_EQ(Text(-0.0f), "0");
  EXPECT_EQ(Text(1), "1");
  EXPECT_EQ(Text(-12.5f), "-12.5");
  EXPECT_EQ(Text(0.1f), "0.1");
  EXPECT_EQ(Text(100), "100");
  EXPECT_EQ(Text(123456792), "123456790");
  EXPECT_EQ(Text(0.000001f), "0.000001");
  EXPECT_EQ(Text(1e-7f), "1e-7");
  EXPECT_EQ(Text(-1.25e-9f), "-1.25e-9");
  EXPECT_EQ(Text(1e20f), "100000000000000000000");
  EXPECT_EQ(Text(1e21f), "1e+21");
  EXPECT_EQ(Text(3.4028235e38f), "3.4028235e+38");
}

TEST(NumberText, ReadsBackAsTheSameFloatAndNoShorterTextDoes) {
  Rng rng(5);
  for (int i = 0; i < 20000; ++i) {
    const float value = rng.Uniform(-1, 1) * std::pow(10.0f, rng.Uniform(-8, 8));
    const std::string text = Text(value);
    ASSERT_EQ(std::strtof(text.c_str(), nullptr), value) << text;
    int digits = 0;
    for (char c : text.substr(0, text.find('e'))) digits += c >= '0' && c <= '9';
    for (int fewer = 1; fewer < 9; ++fewer) {
      char shorter[40];
      std::snprintf(shorter, sizeof shorter, "%.*e", fewer - 1, static_cast<double>(value));
      if (std::strtof(shorter, nullptr) != value) continue;
      // Zeros before the first digit do not count, nor those that only hold places.
      std::string kept = text.substr(0, text.find('e'));
      std::string significant;
      for (char c : kept) {
        if (c >= '0' && c <= '9' && (c != '0' || !significant.empty())) significant += c;
      }
      while (significant.size() > 1 && significant.back() == '0') significant.pop_back();
      ASSERT_LE(significant.size(), static_cast<size_t>(fewer)) << text;
      break;
    }
    ASSERT_GT(digits, 0);
  }
}

TEST(NumberText, LinesBeginWithTheirPrefix) {
  const float values[] = {1, 2.5f, -3, 4, 5, 6};
  std::string out = "# head\n";
  AppendLines("v ", values, 6, 3, &out);
  EXPECT_EQ(out, "# head\nv 1 2.5 -3\nv 4 5 6\n");
}

}  // namespace
}  // namespace daf::mesh
