/// \file
/// Marks what a shared library shows to others.
#pragma once

#define AA_EXPORT __attribute__((visibility("default")))
