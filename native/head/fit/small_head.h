// Test only: a small symmetric head without any data file. An ellipsoid with a nose, 68 landmark
// vertices in iBUG's order, three identity modes, two expressions.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "native/head/head_model.h"

namespace daf::head {

struct SmallHeadOptions {
  int columns = 48, rows = 32;  // even: columns around the y axis, rows from chin to crown
};

// Vertex (row, column): column 0 is the middle of the face, columns grow towards the subject's
// left.
inline uint32_t SmallHeadVertex(const SmallHeadOptions& o, int row, int column) {
  return static_cast<uint32_t>(row * o.columns + (column + o.columns) % o.columns);
}

inline HeadModel SmallHead(const SmallHeadOptions& o = {}) {
  HeadModel model;
  model.name = "small";
  model.position_count = static_cast<uint32_t>(o.columns * o.rows);
  const size_t floats = size_t{model.position_count} * 3;
  model.mean.resize(floats);
  model.identity_names = {"wide", "long", "nose"};
  model.identity.assign(3 * floats, 0);
  model.expression_names = {"jawOpen", "mouthSmile"};
  model.expression.assign(2 * floats, 0);
  model.mirror.resize(model.position_count);
  for (int row = 0; row < o.rows; ++row) {
    const double polar = M_PI * (row + 0.5) / o.rows;  // 0 at the chin
    for (int column = 0; column < o.columns; ++column) {
      const double around = 2 * M_PI * column / o.columns;
      const double x = 7.5 * std::sin(polar) * std::sin(around), y = -10.5 * std::cos(polar);
      double z = 9.5 * std::sin(polar) * std::cos(around);
      const double face = std::cos(around) > 0 ? 1.0 : 0.0;
      const double nose = face * std::exp(-(x * x) / 1.5 - (y + 1.5) * (y + 1.5) / 5);
      z += 2.5 * nose;
      const size_t v = SmallHeadVertex(o, row, column);
      const double place[3] = {x, y, z - 8};
      for (int k = 0; k < 3; ++k) model.mean[3 * v + k] = static_cast<float>(place[k]);
      model.identity[3 * v] = static_cast<float>(0.05 * x);
      model.identity[floats + 3 * v + 1] = static_cast<float>(0.04 * y);
      model.identity[2 * floats + 3 * v + 2] = static_cast<float>(0.5 * nose);
      const double mouth = face * std::exp(-(x * x) / 9 - (y + 5) * (y + 5) / 4);
      model.expression[3 * v + 1] =
          static_cast<float>(y < -5 ? -1.5 * face * std::fmin(1.0, (-5 - y) / 2) : 0.0);
      model.expression[floats + 3 * v] = static_cast<float>(0.35 * mouth * x);
      model.expression[floats + 3 * v + 1] = static_cast<float>(0.15 * mouth * std::fabs(x));
      model.mirror[v] = SmallHeadVertex(o, row, -column);
    }
  }
  for (int row = 0; row < o.rows; ++row) {
    for (int column = 0; column <= o.columns;
         ++column) {  // one more column: the seam at the back of the atlas
      model.source.push_back(SmallHeadVertex(o, row, column - o.columns / 2));
      model.uv.push_back(0.02f +
                         0.96f * static_cast<float>(column) / static_cast<float>(o.columns));
      model.uv.push_back(0.98f - 0.96f * static_cast<float>(row) / static_cast<float>(o.rows - 1));
    }
  }
  const uint32_t stride = static_cast<uint32_t>(o.columns + 1);
  for (int row = 0; row + 1 < o.rows; ++row) {
    for (int column = 0; column < o.columns; ++column) {
      const uint32_t a = static_cast<uint32_t>(row) * stride + static_cast<uint32_t>(column),
                     b = a + 1, c = a + stride, d = c + 1;
      // Mirrored diagonals, so that every triangle has its mirror image.
      if (column < o.columns / 2) {
        for (uint32_t i : {a, b, d, a, d, c}) model.triangles.push_back(i);
      } else {
        for (uint32_t i : {a, b, c, b, d, c}) model.triangles.push_back(i);
      }
    }
  }
  model.parts.push_back({"skin", 0, model.triangle_count(), 0, model.render_count()});
  const double r = o.rows / 32.0, c = o.columns / 48.0;
  const auto at = [&](double row, double column) {
    return SmallHeadVertex(o, static_cast<int>(std::lround(row * r)),
                           static_cast<int>(std::lround(column * c)));
  };
  for (int i = 0; i < 17; ++i) {  // jaw: from the right ear down to the chin and up again
    const double side = (i - 8) / 8.0;
    const double row = 5 + 12 * side * side, column = 10 * side;
    model.landmarks[i] = at(row, column);
    for (double forward = 0.55; forward < 0.99; forward += 0.15) {
      const uint32_t v = at(row + (i == 8 ? 3 * (1 - forward) : 0), column * forward);
      if (v != model.landmarks[i] && (model.contour[i].empty() || model.contour[i].back() != v))
        model.contour[i].push_back(v);
    }
    model.contour[i].push_back(model.landmarks[i]);
  }
  const double inner[51][2] = {
      {21, -6}, {22, -5}, {22, -4}, {22, -3}, {21, -2}, {21, 2},  {22, 3},
      {22, 4},  {22, 5},  {21, 6},  // brows
      {19, 0},  {17, 0},  {15, 0},  {14, 0},  {13, -2}, {13, -1}, {13, 0},
      {13, 1},  {13, 2},                                           // nose
      {19, -6}, {20, -5}, {20, -4}, {19, -3}, {18, -4}, {18, -5},  // right eye
      {19, 3},  {20, 4},  {20, 5},  {19, 6},  {18, 5},  {18, 4},   // left eye
      {10, -3}, {11, -2}, {11, -1}, {12, 0},  {11, 1},  {11, 2},  {10, 3},
      {9, 2},   {8, 1},   {8, 0},   {8, -1},  {9, -2},  {10, -2}, {10, -1},
      {11, 0},  {10, 1},  {10, 2},  {9, 1},   {9, 0},   {9, -1}};
  for (int i = 17; i < kLandmarks; ++i) model.landmarks[i] = at(inner[i - 17][0], inner[i - 17][1]);
  return model;
}

}  // namespace daf::head
