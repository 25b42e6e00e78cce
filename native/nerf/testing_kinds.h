// Small fields of every kind and shape, for tests that each of them has to pass.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "native/nerf/field.h"
#include "native/nerf/testing_field.h"

namespace daf::nerf::testing {

using MakeField = std::function<Status(std::unique_ptr<Field>*)>;

struct FieldKind {
  const char* name;
  MakeField make;
};

// Of a test suite's instance.
inline std::string KindName(const ::testing::TestParamInfo<FieldKind>& kind) {
  return kind.param.name;
}

// A small classic field, changed.
inline MakeField Classic(const std::function<void(ClassicConfig*)>& change) {
  ClassicConfig config = ClassicOf(32, 4, 3, 2);
  change(&config);
  return [config](std::unique_ptr<Field>* out) { return NewClassic(config, 1, out); };
}

inline auto Kinds() {
  return ::testing::Values(
      FieldKind{"hashgrid",
                [](std::unique_ptr<Field>* out) {
                  return NewHashGrid({5, 2, 8, 3, 20, 16, 24}, 1, out);
                }},
      FieldKind{"hashgrid8",
                [](std::unique_ptr<Field>* out) {
                  return NewHashGrid({3, 8, 9, 4, 16, 32, 16}, 2, out);
                }},
      FieldKind{"hashgrid_appearance",
                [](std::unique_ptr<Field>* out) {
                  return NewHashGrid({4, 2, 8, 3, 20, 16, 24, 4, 7}, 3, out);
                }},
      FieldKind{"classic", Classic([](ClassicConfig*) {})},
      FieldKind{
          "classic_odd",
          [](std::unique_ptr<Field>* out) { return NewClassic(ClassicOf(16, 3, 2, 1), 1, out); }},
      FieldKind{"classic_imported_kind", Classic([](ClassicConfig* c) {
                  c->skips = {};
                  c->linear = {0};
                  c->feature_relu = c->relu_density = true;
                  for (int a = 0; a < 3; ++a) {
                    c->input_scale[a] = 3 + static_cast<float>(a);
                    c->input_shift[a] = -1.5f;
                  }
                })},
      FieldKind{"classic_two_skips", Classic([](ClassicConfig* c) {
                  c->skips = {1, 3};
                  c->linear = {2, 3};
                  c->view_width = 40;
                })},
      FieldKind{"classic_no_raw", Classic([](ClassicConfig* c) {
                  c->raw_position = c->raw_direction = false;
                  c->feature_relu = true;
                })},
      FieldKind{"classic_raw_only", Classic([](ClassicConfig* c) {
                  c->position_frequencies = c->direction_frequencies = 0;
                  c->relu_density = true;
                })},
      FieldKind{"classic_coarse", Classic([](ClassicConfig* c) { c->coarse = true; })},
      FieldKind{"classic_one_layer", Classic([](ClassicConfig* c) {
                  c->depth = 1;
                  c->skips = {};
                })});
}

}  // namespace daf::nerf::testing
