// Low precision: the scalar table against double precision on the rounded numbers, every other
// table against the scalar one.
#include "native/kernels/dot.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "native/kernels/testing_floats.h"

namespace daf::kernels {
namespace {

float FromBf16(uint32_t half) {
  const uint32_t bits = half << 16;
  float out;
  std::memcpy(&out, &bits, 4);
  return out;
}
float PairAt(const uint32_t* pairs, uint32_t row, uint32_t sample) {
  return FromBf16(pairs[(row / 2) * kTile + sample] >> (16 * (row % 2)) & 0xffff);
}
uint32_t QuadAt(const uint32_t* quads, uint32_t row, uint32_t sample) {
  return quads[(row / 4) * kTile + sample] >> (8 * (row % 4)) & 0xff;
}

// A layer of `out` outputs on two sources with everything that it reads and writes.
struct Layer {
  Layer(uint32_t first, uint32_t second, uint32_t outputs, Rng* rng)
      : in0(first),
        in1(second),
        out(outputs),
        rows8(RoundUp8(out)),
        weights(size_t{out} * (in0 + in1), rng),
        bias(rows8, rng),
        steps(rows8, rng, 5, 60),
        addend(rows8 * kTile, rng),
        packed(size_t{rows8} * (in0 + in1)),
        unit(rows8, rng, 0.01f, 0.02f),
        src0(in0 * kTile),
        src1(in1 * kTile),
        rows(rows8 * kTile),
        pairs(rows8 / 2 * kTile),
        quads(rows8 / 4 * kTile) {}
  DotLayerArgs Args(uint32_t per_word, bool relu, bool with_addend) {
    return {packed.words(), bias.get(),     unit.get(),   with_addend ? addend.get() : nullptr,
            src0.words(),   in0 / per_word, src1.words(), in1 / per_word,
            rows8,          relu,           rows.get(),   pairs.words(),
            quads.words(),  steps.get()};
  }
  uint32_t in0, in1, out, rows8;
  Floats weights, bias, steps, addend, packed, unit, src0, src1, rows, pairs, quads;
};

// The other two forms of the outputs follow from the rows.
void ExpectFormsOf(Layer* layer) {
  for (uint32_t o = 0; o < layer->rows8; ++o) {
    for (uint32_t s = 0; s < kTile; ++s) {
      const float y = layer->rows[o * kTile + s];
      ASSERT_EQ(PairAt(layer->pairs.words(), o, s), FromBf16(RoundToBf16(y)));
      const double steps = std::min(std::max(double{y} * layer->steps[o], 0.0), 255.0);
      ASSERT_NEAR(QuadAt(layer->quads.words(), o, s), steps, 0.5001);
    }
  }
}

class Dots : public ::testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    table_ = IsaSupported(GetParam()) ? DotTableFor(GetParam()) : nullptr;
    if (table_ == nullptr) GTEST_SKIP() << IsaName(GetParam()) << ": no low precision here";
  }
  const DotTable* table_ = nullptr;
};

TEST_P(Dots, PairsRoundToNearest) {
  Rng rng(1);
  const uint32_t count = 10;
  Floats rows(count * kTile, &rng, -300, 300), pairs(count / 2 * kTile);
  rows[0] = 1 + 1.0f / 256;  // half way: to the even one below
  rows[1] = 1 + 3.0f / 256;  // half way: to the even one above
  rows[2] = -0.0f;
  table_->to_pairs(rows.get(), count, pairs.words());
  EXPECT_EQ(PairAt(pairs.words(), 0, 0), 1);
  EXPECT_EQ(PairAt(pairs.words(), 0, 1), 1 + 4.0f / 256);
  for (uint32_t row = 0; row < count; ++row) {
    for (uint32_t s = 0; s < kTile; ++s) {
      const float exact = rows[row * kTile + s], got = PairAt(pairs.words(), row, s);
      ASSERT_LE(std::fabs(got - exact), std::fabs(exact) / 256);
    }
  }
}

TEST_P(Dots, Bf16LayerMatchesDouble) {
  Rng rng(2);
  for (const uint32_t in0 : {2u, 34u, 256u}) {
    for (const uint32_t in1 : {0u, 28u}) {
      for (const uint32_t out : {1u, 8u, 20u, 64u}) {
        for (const bool relu : {false, true}) {
          Layer layer(in0, in1, out, &rng);
          Floats x0(in0 * kTile, &rng), x1(in1 * kTile, &rng);
          table_->to_pairs(x0.get(), in0, layer.src0.words());
          table_->to_pairs(x1.get(), in1, layer.src1.words());
          PackPairs(layer.weights.get(), out, in0 + in1, in0 + in1, layer.packed.words());
          DotLayerArgs args = layer.Args(2, relu, false);
          args.out = RoundUp4(out);
          table_->bf16_layer(&args);
          for (uint32_t o = 0; o < out; ++o) {
            for (uint32_t s = 0; s < kTile; ++s) {
              double sum = layer.bias[o];
              for (uint32_t i = 0; i < in0 + in1; ++i) {
                const double x = i < in0 ? PairAt(layer.src0.words(), i, s)
                                         : PairAt(layer.src1.words(), i - in0, s);
                sum += x * FromBf16(RoundToBf16(layer.weights[o * (in0 + in1) + i]));
              }
              if (relu) sum = std::max(sum, 0.0);
              ASSERT_NEAR(layer.rows[o * kTile + s], sum, 2e-5) << in0 << "+" << in1 << "→" << out;
            }
          }
          ExpectFormsOf(&layer);
        }
      }
    }
  }
}

TEST_P(Dots, Int8LayerMatchesDouble) {
  Rng rng(3);
  for (const uint32_t in0 : {4u, 36u, 256u}) {
    for (const uint32_t in1 : {0u, 28u}) {
      for (const uint32_t out : {1u, 8u, 20u, 64u}) {
        for (const bool with_addend : {false, true}) {
          Layer layer(in0, in1, out, &rng);
          for (Floats* src : {&layer.src0, &layer.src1}) {
            for (size_t i = 0; i < src->size() / 4; ++i)
              src->words()[i] = static_cast<uint32_t>(rng.Next());
          }
          Floats scale(in0 + in1, &rng, 0.5f, 2);
          PackQuads(layer.weights.get(), out, in0 + in1, in0 + in1, scale.get(),
                    layer.packed.words(), layer.unit.get());
          for (uint32_t o = 0; o < layer.rows8; ++o) layer.unit[o] /= 255;  // sources in 0…1
          const DotLayerArgs args = layer.Args(4, true, with_addend);
          table_->int8_layer(&args);
          for (uint32_t o = 0; o < out; ++o) {
            // Each weight was rounded by at most half a unit, and a byte is at most 255.
            const double tolerance = 0.5 * layer.unit[o] * 255 * (in0 + in1) + 1e-4;
            for (uint32_t s = 0; s < kTile; ++s) {
              double sum = double{layer.bias[o]} + (with_addend ? layer.addend[o * kTile + s] : 0);
              for (uint32_t i = 0; i < in0 + in1; ++i) {
                const uint32_t x = i < in0 ? QuadAt(layer.src0.words(), i, s)
                                           : QuadAt(layer.src1.words(), i - in0, s);
                sum += x / 255.0 * layer.weights[o * (in0 + in1) + i] * scale[i];
              }
              ASSERT_NEAR(layer.rows[o * kTile + s], std::max(sum, 0.0), tolerance)
                  << in0 << "+" << in1 << "→" << out;
            }
          }
          ExpectFormsOf(&layer);
        }
      }
    }
  }
}

// The integer sums are exact, so that every table must give the same.
TEST_P(Dots, Int8LayerMatchesScalar) {
  Rng rng(4);
  Layer layer(128, 32, 24, &rng);
  for (Floats* words : {&layer.packed, &layer.src0, &layer.src1}) {
    for (size_t i = 0; i < words->size(); ++i)
      words->words()[i] = static_cast<uint32_t>(rng.Next());
  }
  Layer reference(layer);
  const DotLayerArgs args = layer.Args(4, true, true), expected = reference.Args(4, true, true);
  table_->int8_layer(&args);
  DotTableFor(Isa::kScalar)->int8_layer(&expected);
  for (size_t i = 0; i < layer.rows.size(); ++i)
    ASSERT_NEAR(layer.rows[i], reference.rows[i], 1e-6 * std::fabs(reference.rows[i]) + 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Isas, Dots, ::testing::ValuesIn(kIsas),
                         [](const ::testing::TestParamInfo<Isa>& one) {
                           return std::string(IsaName(one.param));
                         });

TEST(DotTables, NoneWhereTheInstructionsAreMissing) {
  EXPECT_EQ(DotTableFor(Isa::kAvx2), nullptr);
  EXPECT_EQ(DotTableFor(Isa::kAvx512) != nullptr, LowPrecisionSupported());
}

}  // namespace
}  // namespace daf::kernels
