"""The inference process: owns llama.cpp, the KV cache and the scheduling. Started, never imported."""
