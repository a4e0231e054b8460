# Read by llama.cpp's build before its own settings: leave out its command-line helpers, which Hearth never uses.
# llama-cpp-python switches them on for good, so the cache variable cannot be set from outside. Halves the wait.
set(LLAMA_BUILD_COMMON OFF)
