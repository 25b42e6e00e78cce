// Every table against double precision and against the scalar one; and that the forced instruction
// set is the one that ran.
#include "native/kernels/kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "native/kernels/testing_floats.h"
#include "native/kernels/testing_tables.h"

namespace daf::kernels {
namespace {

class Kernels : public EachIsa {};

TEST_P(Kernels, LayerMatchesDouble) {
  Rng rng(1);
  for (const uint32_t in0 : {4u, 17u, 300u}) {
    for (const uint32_t in1 : {0u, 28u}) {
      for (const uint32_t out : {3u, 8u, 20u, 64u}) {
        for (const Activation activation : {kLinear, kRelu, kReluMask}) {
          const uint32_t in = in0 + in1, rows = RoundUp4(out);
          Floats w(size_t{out} * in, &rng), packed(PackedSize(out, in)), bias(rows, &rng),
              x0(in0 * kTile, &rng), x1(in1 * kTile, &rng);
          Floats mask(rows * kTile, &rng), y(rows * kTile);
          PackWeights(w.get(), out, in, in, packed.get());
          const LayerArgs args = {packed.get(), bias.get(), x0.get(),   in0,  x1.get(),
                                  in1,          y.get(),    mask.get(), rows, activation};
          table_->layer(&args);
          for (uint32_t o = 0; o < out; ++o) {
            for (uint32_t s = 0; s < kTile; ++s) {
              double sum = bias[o], magnitude = 1;
              for (uint32_t i = 0; i < in; ++i) {
                const double term = double{w[o * in + i]} *
                                    (i < in0 ? x0[i * kTile + s] : x1[(i - in0) * kTile + s]);
                sum += term;
                magnitude += std::fabs(term);
              }
              if (activation == kRelu) sum = std::max(sum, 0.0);
              if (activation == kReluMask && !(mask[o * kTile + s] > 0)) sum = 0;
              ASSERT_NEAR(y[o * kTile + s], sum, 4e-7 * magnitude)
                  << in0 << "+" << in1 << "→" << out << " activation " << activation;
            }
          }
        }
      }
    }
  }
}

TEST_P(Kernels, LayerOfTilesIsThatOfEach) {
  Rng rng(4);
  constexpr uint32_t kTiles = 3;
  for (const uint32_t in0 : {5u, 64u, 300u}) {
    for (const uint32_t in1 : {0u, 28u}) {
      for (const Activation activation : {kLinear, kRelu, kReluMask}) {
        const uint32_t in = in0 + in1, out = 84;  // from in0 = 300 on with weights fetched ahead
        const size_t stride0 = (in0 + 1) * kTile, stride1 = (in1 + 2) * kTile,
                     dst_stride = (out + 4) * kTile;
        Floats w(size_t{out} * in, &rng), packed(PackedSize(out, in)), bias(out, &rng),
            x0(kTiles * stride0, &rng), x1(kTiles * stride1, &rng), mask(kTiles * dst_stride, &rng);
        Floats together(kTiles * dst_stride, &rng), each(together);
        PackWeights(w.get(), out, in, in, packed.get());
        LayerArgs args = {packed.get(), bias.get(),     x0.get(),   in0,       x1.get(),
                          in1,          together.get(), mask.get(), out,       activation,
                          kTiles,       stride0,        stride1,    dst_stride};
        table_->layer(&args);
        args.tiles = 1;
        args.dst = each.get();
        for (uint32_t tile = 0; tile < kTiles; ++tile) {
          table_->layer(&args);
          args.src0 += stride0;
          args.src1 += stride1;
          args.dst += dst_stride;
          args.mask += dst_stride;
        }
        for (size_t i = 0; i < kTiles * dst_stride; ++i)
          ASSERT_EQ(together[i], each[i]) << in0 << "+" << in1 << " activation " << activation;
      }
    }
  }
}

TEST_P(Kernels, TransposedLayerIsTheAdjoint) {  // <Wx, d> = <x, Wᵀd>
  Rng rng(2);
  const uint32_t in = 20, out = 11;
  Floats w(out * in, &rng), packed(PackedSize(out, in)), transposed(PackedSize(in, out));
  Floats x(in * kTile, &rng), d(RoundUp8(out) * kTile, &rng), y(RoundUp8(out) * kTile),
      back(RoundUp8(in) * kTile);
  PackWeights(w.get(), out, in, in, packed.get());
  PackTransposed(w.get(), out, in, in, transposed.get());
  const LayerArgs forward = {packed.get(), nullptr, x.get(),       in,     nullptr, 0,
                             y.get(),      nullptr, RoundUp8(out), kLinear};
  const LayerArgs backward = {transposed.get(), nullptr, d.get(),      out,    nullptr, 0,
                              back.get(),       nullptr, RoundUp8(in), kLinear};
  table_->layer(&forward);
  table_->layer(&backward);
  double left = 0, right = 0;
  for (uint32_t i = 0; i < out * kTile; ++i) left += double{y[i]} * d[i];
  for (uint32_t i = 0; i < in * kTile; ++i) right += double{x[i]} * back[i];
  EXPECT_NEAR(left, right, 1e-3);
}

TEST_P(Kernels, WeightGradientMatchesDouble) {
  Rng rng(3);
  for (const uint32_t out : {1u, 3u, 6u, 10u, 16u, 64u}) {
    for (const uint32_t in : {4u, 32u, 100u}) {  // fewer and more columns than stay in L1
      const uint32_t tiles = 3;
      const size_t delta_stride = (out + 2) * kTile, src_stride = (in + 1) * kTile;
      Floats delta(tiles * delta_stride, &rng), src(tiles * src_stride, &rng), grad(out * in, &rng),
          bias(out, &rng);
      Floats before(grad), bias_before(bias);
      const WeightGradientArgs args = {delta.get(), delta_stride, out, src.get(), src_stride, in,
                                       tiles,       grad.get(),   in,  bias.get()};
      table_->weight_gradient(&args);
      for (uint32_t o = 0; o < out; ++o) {
        double bias_sum = bias_before[o];
        for (uint32_t i = 0; i < in; ++i) {
          double sum = before[o * in + i];
          for (uint32_t t = 0; t < tiles; ++t) {
            for (uint32_t s = 0; s < kTile; ++s)
              sum += double{delta[t * delta_stride + o * kTile + s]} *
                     src[t * src_stride + i * kTile + s];
          }
          ASSERT_NEAR(grad[o * in + i], sum, 5e-5) << out << "×" << in;
        }
        for (uint32_t t = 0; t < tiles; ++t) {
          for (uint32_t s = 0; s < kTile; ++s) bias_sum += delta[t * delta_stride + o * kTile + s];
        }
        ASSERT_NEAR(bias[o], bias_sum, 5e-5);
      }
    }
  }
}

TEST_P(Kernels, ValuesMatchDouble) {
  Floats in(4096), out(4096);
  for (size_t i = 0; i < in.size(); ++i) in[i] = -20 + 40.0f * static_cast<float>(i) / 4096;
  table_->exponential(in.get(), out.get(), in.size());
  for (size_t i = 0; i < in.size(); ++i) {
    const double expected = std::exp(std::min(std::max(double{in[i]}, -15.0), 15.0));
    ASSERT_NEAR(out[i] / expected, 1, 1e-6) << in[i];
  }
  table_->sigmoid(in.get(), out.get(), in.size());
  for (size_t i = 0; i < in.size(); ++i)
    ASSERT_NEAR(out[i], 1 / (1 + std::exp(-double{in[i]})), 1e-6);
}

TEST_P(Kernels, FrequenciesMatchDouble) {
  Rng rng(5);
  const uint32_t tiles = 2, n = tiles * kTile, frequencies = 10, rows = 3 + 6 * frequencies;
  Floats x(n, &rng, 0, 1), y(n, &rng, 0, 1), z(n, &rng, 0, 1), out(tiles * rows * kTile);
  const float scale[3] = {2, 2, 3}, shift[3] = {-1, -1, -1.5f};
  table_->frequencies(x.get(), y.get(), z.get(), scale, shift, frequencies, tiles, out.get(),
                      rows * kTile);
  float* const axes[3] = {x.get(), y.get(), z.get()};
  for (uint32_t i = 0; i < n; ++i) {
    for (uint32_t a = 0; a < 3; ++a) {
      const double p = double{axes[a][i]} * scale[a] + shift[a];
      float* column = out.get() + (i / kTile) * rows * kTile + i % kTile;
      ASSERT_NEAR(column[a * kTile], p, 1e-6);
      for (uint32_t k = 0; k < frequencies; ++k) {
        // The argument is rounded once, to float; the rest is the kernel's own error.
        const double angle = double{column[a * kTile]} * std::pow(2.0, k);
        ASSERT_NEAR(column[(3 + 6 * k + a) * kTile], std::sin(angle), 2e-6 + angle * angle * 1e-12);
        ASSERT_NEAR(column[(6 + 6 * k + a) * kTile], std::cos(angle), 2e-6 + angle * angle * 1e-12);
      }
    }
  }
}

TEST_P(Kernels, HarmonicsAreOrthonormal) {
  // Gauss–Legendre in z × equidistant in azimuth integrates products of degree ≤ 3 harmonics
  // exactly: 4 × 8 directions.
  const double nodes[4] = {-0.8611363115940526, -0.3399810435848563, 0.3399810435848563,
                           0.8611363115940526};
  const double weights[4] = {0.3478548451374538, 0.6521451548625461, 0.6521451548625461,
                             0.3478548451374538};
  Floats x(kTile), y(kTile), z(kTile), rows(16 * kTile);
  double weight[kTile] = {};
  for (uint32_t i = 0; i < 32; ++i) {
    const double azimuth = 2 * M_PI * (i % 8) / 8, height = nodes[i / 8],
                 ring = std::sqrt(1 - height * height);
    x[i] = static_cast<float>(ring * std::cos(azimuth));
    y[i] = static_cast<float>(ring * std::sin(azimuth));
    z[i] = static_cast<float>(height);
    weight[i] = weights[i / 8] * 2 * M_PI / 8;
  }
  table_->harmonics(x.get(), y.get(), z.get(), 1, rows.get(), 16 * kTile);
  for (uint32_t a = 0; a < 16; ++a) {
    for (uint32_t b = 0; b < 16; ++b) {
      double dot = 0;
      for (uint32_t i = 0; i < kTile; ++i)
        dot += weight[i] * rows[a * kTile + i] * rows[b * kTile + i];
      EXPECT_NEAR(dot, a == b ? 1 : 0, 2e-6) << a << "," << b;
    }
  }
}

TEST_P(Kernels, AdamMatchesDouble) {
  Rng rng(6);
  for (const bool sparse : {false, true}) {
    const size_t n = 103;  // with a remainder
    Floats p(n, &rng), g(n, &rng), m(n, &rng), v(n, &rng, 0, 1);
    for (size_t i = 0; i < n; i += 3) g[i] = 0;
    Floats p0(p), g0(g), m0(m), v0(v);
    const AdamArgs args = {p.get(), g.get(), m.get(), v.get(), n,    0.02f, 1.5f,
                           0.9f,    0.99f,   1e-8f,   1e-3f,   0.5f, sparse};
    table_->adam(&args);
    for (size_t i = 0; i < n; ++i) {
      EXPECT_EQ(g[i], 0);
      if (sparse && g0[i] == 0) {
        EXPECT_EQ(p[i], p0[i]);
        EXPECT_EQ(m[i], m0[i]);
        continue;
      }
      const double gradient = 0.5 * g0[i] + 1e-3 * p0[i];
      const double first = 0.9 * m0[i] + 0.1 * gradient,
                   second = 0.99 * v0[i] + 0.01 * gradient * gradient;
      ASSERT_NEAR(m[i], first, 1e-6);
      ASSERT_NEAR(v[i], second, 1e-6);
      ASSERT_NEAR(p[i], p0[i] - 0.02 * first / (std::sqrt(second * 1.5) + 1e-8), 2e-6);
    }
  }
}

TEST_P(Kernels, AgreesWithScalar) {
  Rng rng(8);
  const Table& scalar = *TableFor(Isa::kScalar);
  const uint32_t in = 64, out = 64;
  Floats w(PackedSize(out, in), &rng), bias(out, &rng), x(in * kTile, &rng), y0(out * kTile),
      y1(out * kTile);
  LayerArgs args = {w.get(), bias.get(), x.get(), in, nullptr, 0, y0.get(), nullptr, out, kRelu};
  table_->layer(&args);
  args.dst = y1.get();
  scalar.layer(&args);
  for (size_t i = 0; i < y0.size(); ++i) ASSERT_NEAR(y0[i], y1[i], 2e-5);
}

TEST_P(Kernels, MultiplyAddsCounts) {
  float sink[4] = {0.5f, 1, 0, 0};
  const double one = table_->multiply_adds(1, sink);
  EXPECT_GT(one, 0);
  EXPECT_EQ(table_->multiply_adds(1000, sink), one * 1000);
  EXPECT_TRUE(std::isfinite(sink[2]));
}

DAF_EACH_ISA(Kernels);

TEST(Chosen, TheForcedInstructionSetRuns) {
  const char* forced = std::getenv("DAF_FORCE_ISA");
  const Table* table = nullptr;
  const Status status = Chosen(&table);
  if (forced == nullptr || *forced == '\0') {
    ASSERT_TRUE(status.ok());
    EXPECT_STREQ(table->name, IsaName(BestIsa()));
    return;
  }
  if (!status.ok()) {
    EXPECT_EQ(status.code(), Code::kUnsupported);
    GTEST_SKIP() << forced << ": this machine lacks it";
  }
  EXPECT_STREQ(table->name, forced);
}

}  // namespace
}  // namespace daf::kernels
