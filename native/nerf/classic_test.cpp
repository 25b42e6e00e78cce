// The classic field against its definition: a plain network in double precision, built from nothing
// but the tensors and the metadata of a checkpoint.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "native/nerf/checkpoint.h"
#include "native/nerf/model.h"
#include "native/nerf/testing_field.h"

namespace daf::nerf {
namespace {

using Vector = std::vector<double>;

struct Checkpoint {
  std::vector<uint8_t> bytes;
  SafetensorsFile file;
};

void Save(Model* model, Checkpoint* out) {
  Arena scratch;
  SafetensorsWriter writer;
  ASSERT_TRUE(model->Save(&scratch, &writer).ok());
  ASSERT_TRUE(writer.Serialize(&out->bytes).ok());
  ASSERT_TRUE(SafetensorsFile::Parse(out->bytes.data(), out->bytes.size(), &out->file).ok());
}

Vector Encode(const double p[3], uint32_t frequencies, bool raw) {
  Vector rows;
  if (raw) rows.assign(p, p + 3);
  for (uint32_t k = 0; k < frequencies; ++k) {
    for (int a = 0; a < 3; ++a) rows.push_back(std::sin(std::ldexp(p[a], static_cast<int>(k))));
    for (int a = 0; a < 3; ++a) rows.push_back(std::cos(std::ldexp(p[a], static_cast<int>(k))));
  }
  return rows;
}

Vector Join(Vector first, const Vector& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

Vector Linear(const SafetensorsFile& file, const std::string& name, const Vector& in) {
  std::vector<float> weight, bias;
  EXPECT_TRUE(file.Floats(name + ".weight", {SafetensorsFile::kAny, in.size()}, &weight).ok())
      << name << " of " << in.size();
  EXPECT_TRUE(file.Floats(name + ".bias", {SafetensorsFile::kAny}, &bias).ok());
  Vector out(bias.begin(), bias.end());
  for (size_t o = 0; o < out.size(); ++o) {
    for (size_t i = 0; i < in.size(); ++i) out[o] += double{weight[o * in.size() + i]} * in[i];
  }
  return out;
}

Vector Relu(Vector v) {
  for (double& x : v) x = std::max(x, 0.0);
  return v;
}

// density per box edge, then r g b.
Vector Reference(const SafetensorsFile& file, const double unit[3], const double direction[3]) {
  ClassicConfig c;
  EXPECT_TRUE(ReadConfig(file, &c).ok());
  double p[3];
  for (int a = 0; a < 3; ++a) p[a] = unit[a] * double{c.input_scale[a]} + double{c.input_shift[a]};
  const auto has = [](const std::vector<uint32_t>& list, uint32_t layer) {
    return std::find(list.begin(), list.end(), layer) != list.end();
  };
  const Vector encoded = Encode(p, c.position_frequencies, c.raw_position);
  Vector hidden;
  for (uint32_t l = 0; l < c.depth; ++l) {
    const Vector in = l == 0 ? encoded : has(c.skips, l) ? Join(encoded, hidden) : hidden;
    hidden = Linear(file, "trunk." + std::to_string(l), in);
    if (!has(c.linear, l)) hidden = Relu(hidden);
  }
  Vector head = Linear(file, "head", hidden);
  const double output = head.back();
  head.pop_back();
  if (c.feature_relu) head = Relu(head);
  const Vector seen = Encode(direction, c.direction_frequencies, c.raw_direction);
  Vector result = Linear(file, "rgb", Relu(Linear(file, "view", Join(head, seen))));
  for (double& v : result) v = 1 / (1 + std::exp(-v));
  result.insert(result.begin(), c.relu_density ? std::max(output, 0.0) : std::exp(output));
  return result;
}

void Compare(const ClassicConfig& config) {
  std::unique_ptr<Field> field;
  ASSERT_TRUE(NewClassic(config, 3, &field).ok());
  std::unique_ptr<Model> model;
  Box box;
  box.max[2] = 3;  // sides 2, 2, 4
  ASSERT_TRUE(Model::Make(std::move(field), box, 8, &model).ok());
  Checkpoint saved;
  Save(model.get(), &saved);
  Rng rng(4);
  constexpr size_t kPoints = 20;
  std::vector<float> points, directions, density(kPoints), color(3 * kPoints);
  for (size_t i = 0; i < kPoints; ++i) {
    for (int a = 0; a < 3; ++a)
      points.push_back(box.min[a] + box.side(a) * rng.Uniform(0.05f, 0.95f));
    const float angle = rng.Uniform(0, 6);
    directions.insert(directions.end(), {std::cos(angle), 0.0f, std::sin(angle)});
  }
  ASSERT_TRUE(model
                  ->Evaluate(points.data(), directions.data(), kPoints, density.data(),
                             color.data(), TaskControl())
                  .ok());
  for (size_t i = 0; i < kPoints; ++i) {
    double unit[3], direction[3];
    for (int a = 0; a < 3; ++a) {
      unit[a] = (double{points[3 * i + a]} - box.min[a]) / box.side(a);
      direction[a] = directions[3 * i + a];
    }
    const Vector expected = Reference(saved.file, unit, direction);
    const double per_length = expected[0] / box.edge();
    EXPECT_NEAR(density[i], per_length, 1e-3 * per_length + 1e-4);
    for (size_t c = 0; c < 3; ++c) EXPECT_NEAR(color[3 * i + c], expected[1 + c], 1e-4);
  }
}

ClassicConfig Changed(const std::function<void(ClassicConfig*)>& change) {
  ClassicConfig config = testing::ClassicOf(32, 4, 4, 2);
  change(&config);
  return config;
}

TEST(Classic, IsTheNetworkThatItsCheckpointDescribes) {
  Compare(ClassicConfig());
  Compare(Changed([](ClassicConfig*) {}));
  Compare(Changed([](ClassicConfig* c) { c->skips = {}; }));
  Compare(Changed([](ClassicConfig* c) { c->skips = {1, 3}; }));
  Compare(Changed([](ClassicConfig* c) { c->linear = {0, 2}; }));
  Compare(Changed([](ClassicConfig* c) { c->feature_relu = true; }));
  Compare(Changed([](ClassicConfig* c) { c->relu_density = true; }));
  Compare(Changed([](ClassicConfig* c) { c->view_width = 56; }));
  Compare(Changed([](ClassicConfig* c) { c->raw_position = false; }));
  Compare(Changed([](ClassicConfig* c) { c->raw_direction = false; }));
  Compare(Changed([](ClassicConfig* c) {
    c->input_scale[0] = 3.5f;
    c->input_shift[0] = -7;
  }));
}

TEST(Classic, SaysWhichLayersItsCheckpointMayName) {
  std::unique_ptr<Field> field;
  ASSERT_TRUE(NewClassic(Changed([](ClassicConfig* c) { c->skips = {1, 3}; }), 1, &field).ok());
  std::unique_ptr<Model> model;
  ASSERT_TRUE(Model::Make(std::move(field), Box(), 8, &model).ok());
  Checkpoint saved;
  Save(model.get(), &saved);
  EXPECT_EQ(saved.file.metadata().at("skips"), "1 3");
  EXPECT_EQ(saved.file.metadata().at("linear"), "none");
  for (const char* skips : {"none", "3 1", "1  3", "1 3 ", " 1 3", "1,3", "0 1 3", "1 3 4",
                            "1 3 99", "1 18446744073709551619", "+1 3"}) {
    SafetensorsWriter writer;
    for (const auto& [key, value] : saved.file.metadata())
      writer.Metadata(key, key == "skips" ? skips : value);
    for (const Tensor& tensor : saved.file.tensors())
      ASSERT_TRUE(writer.Add(tensor.name, tensor.dtype, tensor.shape, tensor.data).ok());
    std::vector<uint8_t> bytes;
    ASSERT_TRUE(writer.Serialize(&bytes).ok());
    SafetensorsFile file;
    ASSERT_TRUE(SafetensorsFile::Parse(bytes.data(), bytes.size(), &file).ok());
    std::unique_ptr<Model> none;
    EXPECT_EQ(Model::Load(file, &none).code(), Code::kBadData) << skips;
  }
}

}  // namespace
}  // namespace daf::nerf
