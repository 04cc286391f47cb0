#include "output/json.hpp"

#include <nlohmann/json.hpp>

#include "autoarchive/base/text.hpp"

namespace autoarchive::host {

using OrderedJson = nlohmann::ordered_json;

struct JsonRendering {
  static OrderedJson render(const Json& json) { return std::visit(JsonRendering{}, json.value_); }
  static std::string text(const Json& json, int indent) {
    return render(json).dump(indent, ' ', /*ensure_ascii=*/false, OrderedJson::error_handler_t::replace);
  }

  OrderedJson operator()(std::monostate) const { return nullptr; }
  OrderedJson operator()(const Json::Array& array) const {
    OrderedJson rendered = OrderedJson::array();
    for (const auto& item : array) rendered.push_back(render(item));
    return rendered;
  }
  OrderedJson operator()(const Json::Object& object) const {
    OrderedJson rendered = OrderedJson::object();
    for (const auto& [key, value] : object) rendered[key] = render(value);
    return rendered;
  }
  OrderedJson operator()(const auto& scalar) const { return scalar; }
};

namespace {

constexpr int kMaxDepth = 64;

Json from_ordered(const OrderedJson& value) {
  switch (value.type()) {
    case OrderedJson::value_t::boolean:
      return value.get<bool>();
    case OrderedJson::value_t::number_integer:
    case OrderedJson::value_t::number_unsigned:
      return value.get<std::int64_t>();
    case OrderedJson::value_t::number_float:
      return value.get<double>();
    case OrderedJson::value_t::string:
      return value.get<std::string>();
    case OrderedJson::value_t::array: {
      Json::Array array;
      for (const auto& item : value) array.push_back(from_ordered(item));
      return array;
    }
    case OrderedJson::value_t::object: {
      Json::Object object;
      for (const auto& [key, member] : value.items()) object.emplace_back(key, from_ordered(member));
      return object;
    }
    default:
      return {};
  }
}

}  // namespace

std::optional<Json> Json::parse(std::string_view text) {
  bool too_deep = false;
  const auto callback = [&](int depth, OrderedJson::parse_event_t /*event*/, OrderedJson& /*value*/) {
    too_deep = too_deep || depth > kMaxDepth;
    return !too_deep;
  };
  const auto value = OrderedJson::parse(text, callback, /*allow_exceptions=*/false);
  if (value.is_discarded() || too_deep) return std::nullopt;
  return from_ordered(value);
}

const Json* Json::find(std::string_view member) const noexcept {
  const auto* object = as_object();
  if (object == nullptr) return nullptr;
  for (const auto& [key, value] : *object) {
    if (key == member) return &value;
  }
  return nullptr;
}

std::optional<std::int64_t> Json::as_integer() const noexcept {
  const auto* integer = std::get_if<std::int64_t>(&value_);
  return integer == nullptr ? std::nullopt : std::optional(*integer);
}

std::optional<double> Json::as_number() const noexcept {
  if (const auto integer = as_integer()) return static_cast<double>(*integer);
  const auto* number = std::get_if<double>(&value_);
  return number == nullptr ? std::nullopt : std::optional(*number);
}

std::string Json::dump() const {
  return JsonRendering::text(*this, -1);
}
std::string Json::pretty() const {
  return JsonRendering::text(*this, 2);
}

void add_path(Json::Object& object, std::string_view path, const std::string& key) {
  object.emplace_back(key, path);
  if (!is_utf8(path)) object.emplace_back(key + "_b64", to_base64(path));
}

}  // namespace autoarchive::host
