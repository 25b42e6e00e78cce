// Compositing in every table: closed forms, differences, and the scalar table.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "native/kernels/testing_floats.h"
#include "native/kernels/testing_tables.h"

namespace daf::kernels {
namespace {

class Compositing : public EachIsa {};

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

TEST_P(Compositing, CompositeClosedForms) {
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

TEST_P(Compositing, CompositeGradientMatchesDifferences) {
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

TEST_P(Compositing, AgreesWithScalar) {
  Rng rng(8);
  Rays a(&rng);
  EXPECT_NEAR(a.Loss(*table_), a.Loss(*TableFor(Isa::kScalar)), 1e-4);
}

DAF_EACH_ISA(Compositing);

}  // namespace
}  // namespace daf::kernels
