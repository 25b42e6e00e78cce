// Every table against double precision and against the scalar one; and that the forced instruction
// set is the one that ran.
#include "native/kernels/kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "native/kernels/testing_floats.h"

namespace daf::kernels {
namespace {

class Kernels : public ::testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (!IsaSupported(GetParam())) GTEST_SKIP() << IsaName(GetParam()) << ": this machine lacks it";
    table_ = TableFor(GetParam());
    ASSERT_NE(table_, nullptr);
    EXPECT_STREQ(table_->name, IsaName(GetParam()));
  }
  const Table* table_ = nullptr;
};

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
    for (const uint32_t in : {4u, 32u}) {
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

HashLevel Level(uint32_t cells, bool dense, uint32_t features, uint32_t hashed) {
  const uint32_t vertices = (cells + 1) * (cells + 1) * (cells + 1);
  return {cells, dense ? vertices : hashed + cells, dense ? 1u : 0u, features, 16};
}

uint32_t Entry(const HashLevel& level, uint32_t x, uint32_t y, uint32_t z) {
  const uint32_t side = level.cells + 1;
  return level.dense != 0
             ? x + y * side + z * side * side
             : x + (((y * 2654435761u) ^ (z * 805459861u)) & (level.size - level.cells - 1));
}

TEST_P(Kernels, HashMatchesDouble) {
  Rng rng(4);
  for (const uint32_t features : {2u, 4u, 8u}) {
    for (const uint32_t hashed : {0u, 256u, 16384u}) {  // entries; 0: dense
      const bool dense = hashed == 0;
      const HashLevel level = Level(dense ? 5 : 37, dense, features, hashed);
      const uint32_t tiles = 2, n = tiles * kTile;
      Floats x(n, &rng, 0, 1), y(n, &rng, 0, 1), z(n, &rng, 0, 1),
          table(16 + level.size * features, &rng), grad(16 + level.size * features);
      x[0] = y[0] = z[0] = 0;  // corners of the cube
      x[1] = y[1] = z[1] = 1;
      Floats rows(tiles * (features + 1) * kTile, &rng);
      Floats deltas(rows);
      HashArgs args = {level,      x.get(),    y.get(),
                       z.get(),    tiles,      table.get(),
                       grad.get(), rows.get(), (features + 1) * kTile};
      table_->hash_forward(&args);
      args.rows = deltas.get();
      table_->hash_backward(&args);
      std::vector<double> expected_grad(grad.size(), 0);
      for (uint32_t i = 0; i < n; ++i) {
        const float p[3] = {x[i], y[i], z[i]};
        uint32_t cell[3];
        double f[3];
        for (int a = 0; a < 3; ++a) {
          const float at = p[a] * static_cast<float>(level.cells);
          cell[a] = std::min(static_cast<uint32_t>(at), level.cells - 1);
          f[a] = double{at} - cell[a];
        }
        for (uint32_t k = 0; k < features; ++k) {
          const size_t at = (i / kTile) * args.rows_stride + k * kTile + i % kTile;
          double sum = 0;
          for (uint32_t c = 0; c < 8; ++c) {
            double weight = 1;
            for (uint32_t a = 0; a < 3; ++a) weight *= ((c >> a) & 1) != 0 ? f[a] : 1 - f[a];
            const size_t entry = level.offset +
                                 size_t{Entry(level, cell[0] + (c & 1), cell[1] + ((c >> 1) & 1),
                                              cell[2] + (c >> 2))} *
                                     features +
                                 k;
            sum += weight * table[entry];
            expected_grad[entry] += weight * deltas[at];
          }
          ASSERT_NEAR(rows[at], sum, 3e-6);
        }
      }
      for (size_t i = 0; i < grad.size(); ++i) ASSERT_NEAR(grad[i], expected_grad[i], 2e-5);
    }
  }
}

// The slope of the deltas' product with the encoding, which is linear along each axis of a cell: so
// that differences within it are exact.
TEST_P(Kernels, HashPositionIsTheSlopeOfForward) {
  Rng rng(5);
  for (const uint32_t features : {2u, 4u, 8u}) {
    for (const uint32_t hashed : {0u, 16384u}) {
      const HashLevel level = Level(hashed == 0 ? 5 : 37, hashed == 0, features, hashed);
      const uint32_t tiles = 3, n = tiles * kTile;
      const size_t stride = (features + 1) * kTile;
      Floats lanes[3] = {Floats(n), Floats(n), Floats(n)},
             slopes[3] = {Floats(n), Floats(n), Floats(n)};
      Floats table(16 + level.size * features, &rng), deltas(tiles * stride, &rng);
      for (uint32_t i = 0; i < n; ++i) {
        for (Floats& lane : lanes) {
          const float cell = static_cast<float>(rng.Below(level.cells));
          lane[i] = (cell + rng.Uniform(0.3f, 0.7f)) / static_cast<float>(level.cells);
        }
      }
      for (Floats& each : slopes) std::fill(each.get(), each.get() + n, 1.0f);  // is added to
      const HashPositionArgs args = {{level, lanes[0].get(), lanes[1].get(), lanes[2].get(), tiles,
                                      table.get(), nullptr, deltas.get(), stride},
                                     {slopes[0].get(), slopes[1].get(), slopes[2].get()}};
      table_->hash_position(&args);
      for (int axis = 0; axis < 3; ++axis) {
        const float by = 0.25f / static_cast<float>(level.cells);
        Floats rows[2] = {Floats(tiles * stride), Floats(tiles * stride)};
        Floats own(lanes[axis]);
        for (int side = 0; side < 2; ++side) {
          for (uint32_t i = 0; i < n; ++i) lanes[axis][i] = own[i] + (side == 0 ? -by : by);
          HashArgs forward = args.hash;
          forward.rows = rows[side].get();
          table_->hash_forward(&forward);
        }
        for (uint32_t i = 0; i < n; ++i) {
          double sum = 0;
          for (uint32_t k = 0; k < features; ++k) {
            const size_t at = (i / kTile) * stride + k * kTile + i % kTile;
            sum +=
                double{deltas[at]} * (double{rows[1][at]} - double{rows[0][at]}) / (2 * double{by});
          }
          ASSERT_NEAR(slopes[axis][i], 1 + sum, 2e-5 * features * level.cells) << axis;
          lanes[axis][i] = own[i];
        }
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

struct Rays {
  explicit Rays(Rng* rng)
      : density(96, rng, 0, 3),
        step(96, rng, 0.05f, 0.4f),
        r(96, rng, 0, 1),
        g(96, rng, 0, 1),
        b(96, rng, 0, 1),
        t(96, rng, 1, 2),
        alpha(96),
        weight(96),
        out(4 * 6),
        d_out(4 * 4, rng),
        d_weight(96, rng),
        d_density(96),
        d_r(96),
        d_g(96),
        d_b(96) {}
  Floats density, step, r, g, b, t, alpha, weight, out, d_out, d_weight, d_density, d_r, d_g, d_b;
  uint32_t first[5] = {0, 20, 20, 21, 90};  // one ray empty, one of a single sample
  CompositeArgs Args() {
    return {4,         first,       density.get(),  step.get(),      r.get(),
            g.get(),   b.get(),     t.get(),        alpha.get(),     weight.get(),
            out.get(), d_out.get(), d_weight.get(), d_density.get(), d_r.get(),
            d_g.get(), d_b.get()};
  }
  // The scalar that d_out and d_weight are the derivative of.
  double Loss(const Table& table) {
    const CompositeArgs args = Args();
    table.composite(&args);
    double loss = 0;
    for (uint32_t ray = 0; ray < 4; ++ray) {
      for (uint32_t c = 0; c < 4; ++c) loss += double{out[ray * 6 + c]} * d_out[ray * 4 + c];
    }
    for (uint32_t s = 0; s < first[4]; ++s) loss += double{weight[s]} * d_weight[s];
    return loss;
  }
};

TEST_P(Kernels, CompositeClosedForms) {
  // Uniform fog of density 2 along a length of 1.5, an empty ray, and an opaque wall behind a thin
  // veil.
  Floats density(64), step(64), r(64), t(64), alpha(64), weight(64), out(3 * 6);
  const uint32_t first[4] = {0, 30, 40, 42};
  for (uint32_t s = 0; s < 64; ++s) {
    density[s] = s < 30 ? 2 : s < 40 ? 0 : s == 40 ? 0.1f : 1e6f;
    step[s] = s < 30 ? 0.05f : 1;
    r[s] = s < 41 ? 1 : 0.25f;
    t[s] = static_cast<float>(s);
  }
  const CompositeArgs args = {3,       first,   density.get(), step.get(),   r.get(),   r.get(),
                              r.get(), t.get(), alpha.get(),   weight.get(), out.get(), nullptr,
                              nullptr, nullptr, nullptr,       nullptr,      nullptr};
  table_->composite(&args);
  EXPECT_NEAR(out[5], std::exp(-3.0), 1e-6);
  EXPECT_NEAR(out[3], 1 - std::exp(-3.0), 1e-6);
  EXPECT_NEAR(out[0], 1 - std::exp(-3.0), 1e-6);
  EXPECT_EQ(out[6 + 3], 0);
  EXPECT_EQ(out[6 + 5], 1);
  EXPECT_NEAR(out[12 + 3], 1, 1e-6);
  EXPECT_NEAR(out[12 + 0], (1 - std::exp(-0.1)) + 0.25 * std::exp(-0.1), 1e-6);
  double sum = 0, through = 1;
  for (uint32_t s = 0; s < 30; ++s) {
    sum += weight[s];
    EXPECT_LE(through * (1 - alpha[s]), through);
    through *= 1 - alpha[s];
  }
  EXPECT_LE(sum, 1 + 1e-6);
}

TEST_P(Kernels, CompositeGradientMatchesDifferences) {
  Rng rng(7);
  Rays rays(&rng);
  rays.Loss(*table_);
  const CompositeArgs args = rays.Args();
  table_->composite_backward(&args);
  const Table& scalar = *TableFor(Isa::kScalar);
  const auto check = [&](Floats& variable, Floats& gradient, const char* name) {
    for (uint32_t s = 0; s < rays.first[4]; ++s) {
      const float kept = variable[s], h = 1e-2f;
      variable[s] = kept + h;
      const double up = rays.Loss(scalar);
      variable[s] = kept - h;
      const double down = rays.Loss(scalar);
      variable[s] = kept;
      ASSERT_NEAR(gradient[s], (up - down) / (2 * double{h}), 2e-4) << name << " " << s;
    }
  };
  check(rays.density, rays.d_density, "density");
  check(rays.r, rays.d_r, "r");
  check(rays.g, rays.d_g, "g");
  check(rays.b, rays.d_b, "b");
}

TEST_P(Kernels, AgreesWithScalar) {
  Rng rng(8);
  const Table& scalar = *TableFor(Isa::kScalar);
  Rays a(&rng);
  EXPECT_NEAR(a.Loss(*table_), a.Loss(scalar), 1e-4);
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

INSTANTIATE_TEST_SUITE_P(Isas, Kernels, ::testing::ValuesIn(kIsas),
                         [](const ::testing::TestParamInfo<Isa>& one) {
                           return std::string(IsaName(one.param));
                         });

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
