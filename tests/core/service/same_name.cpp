// Built into two libraries: each has its own class of the same name, as two plugins may.
#include "autoarchive/service/service_accessor.hpp"

namespace same_name {

class Provider final : public autoarchive::IService {
 public:
  explicit Provider(const autoarchive::ProviderArguments& /*arguments*/) {}
};

}  // namespace same_name

extern "C" AA_EXPORT void provide(autoarchive::ProviderClass* provider);
void provide(autoarchive::ProviderClass* provider) {
  *provider = autoarchive::provider_class<same_name::Provider, autoarchive::IService>();
}
