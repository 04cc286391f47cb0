#include "autoarchive/service/application_context.hpp"

namespace autoarchive {

AppEnvironment::AppEnvironment(std::string executable_name, Options options, std::vector<std::string> arguments)
    : executable_name_(std::move(executable_name)), options_(std::move(options)), arguments_(std::move(arguments)) {}

IConfiguration::~IConfiguration() = default;

ApplicationContext::ApplicationContext(AppEnvironment environment, const IConfiguration* configuration,
                                       IStorage* storage)
    : environment_(std::move(environment)), configuration_(configuration), storage_(storage) {}

}  // namespace autoarchive
